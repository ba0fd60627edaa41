import { expect, test } from 'vitest';
import { alice, bytes32, fact, genesisAt, session, task, vera } from '../../../test/actors/chain-facts.ts';
import { emptyValidator, type ValidatorContext } from '../../../actors/validator/context.ts';
import { taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { zeroWei } from '../../core/wei.ts';
import { DrawnTasks } from './drawn-tasks.ts';

const assigned = (id = task, validators = [vera]) =>
  fact(3, {
    type: 'MinersAssigned',
    session,
    task: id,
    miners: [alice],
    validators,
    beaconBlock: 2,
    beacon: bytes32(2),
    selectionDigest: bytes32(3),
    ackBy: genesisAt,
  });
const settled = fact(9, {
  type: 'TaskSettled',
  session,
  task,
  priceWei: zeroWei,
  returnedWei: zeroWei,
  payments: [],
  manifestDigest: bytes32(4),
});
/** A validator with a validation of the task in a state. */
const having = (value: string): ValidatorContext =>
  ({ ...emptyValidator, validations: { [task]: { value, context: {} } } }) as unknown as ValidatorContext;

test('a task is to be judged from the draw to the attestation', () => {
  const drawn = new DrawnTasks(vera);
  drawn.see(assigned());
  expect(drawn.unjudged(emptyValidator), 'before it is asked').toEqual([task]);
  expect(drawn.unjudged(having('scoring'))).toEqual([task]);
  expect(drawn.unjudged(having('attesting'))).toEqual([task]);
  for (const ended of ['attested', 'closed', 'failed']) expect(drawn.unjudged(having(ended)), ended).toEqual([]);
  drawn.see(settled);
  expect(drawn.unjudged(emptyValidator)).toEqual([]);
});

test('those of others are theirs, and what it was asked for counts without a draw', () => {
  const drawn = new DrawnTasks(vera);
  drawn.see(assigned(task, [alice]));
  expect(drawn.unjudged(emptyValidator)).toEqual([]);
  expect(drawn.unjudged(having('scoring'))).toEqual([task]);
});

test('no more are remembered than there is room for', () => {
  const drawn = new DrawnTasks(vera);
  for (let count = 0; count <= limits.validatorDrawnMax; count += 1)
    drawn.see(assigned(taskId(session, bytes32(count))));
  expect(drawn.unjudged(emptyValidator)).toHaveLength(limits.validatorDrawnMax);
});
