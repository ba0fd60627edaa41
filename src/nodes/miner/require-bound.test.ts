import { describe, expect, it } from 'vitest';
import { emptyJob, type JobContext } from '../../../actors/miner/context.ts';
import { buildPrecommits } from '../../core/batch/build.ts';
import { placed } from '../../core/batch/tree.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { errorCode } from '../../core/errors.ts';
import { keccakWords } from '../../core/hash.ts';
import { sessionId, type TaskId } from '../../core/ids.ts';
import { precommitHash } from '../../core/precommit.ts';
import { oneCor } from '../../core/wei.ts';
import type { ShowBody } from '../../messages/batches.ts';
import type { Chain } from '../../ports/chain.ts';
import { accountOf, samplePlace } from '../../../test/kit/batch-sample.ts';
import { requireBound } from './require-bound.ts';

const { chainId, contract } = samplePlace;
const session = sessionId(chainId, accountOf(800), 5);
const [miner, thief] = [accountOf(1), accountOf(2)];
const task = keccakWords([7]) as TaskId;
const [resultRoot, salt] = [keccakWords([8]), keccakWords([9])];

const bound = { chainId, queueContract: contract, session, task, step: 0, attempt: 0, resultRoot, salt };
const own = precommitHash({ ...bound, miner });
const job: JobContext = { ...emptyJob, session, task, miner, resultRoot, salt };

/** A batch of three tasks, the first with these slots. */
function batchOf(slots: ShowBody['slots']): { body: ShowBody; chain: Chain } {
  const records = [0, 1, 2].map((index) => ({
    session: 5,
    task: index === 0 ? task : (keccakWords([70 + index]) as TaskId),
    step: 0,
    maxPriceWei: oneCor,
    slots: slots.map(({ miner: by, attempt, hash }) => ({ miner: by, attempt, precommit: hash })),
    validators: [accountOf(11)],
  }));
  const { tree } = buildPrecommits(records);
  const { proof } = placed(tree, 0);
  const header = { tasks: records.length, precommitRoot: tree.root };
  const facts = [{ type: 'BatchPrecommitted', batch: 3, header }] as unknown as ChainFact[];
  const chain = {
    deployment: { chainId, batches: contract },
    facts: async (from: number, to: number) => (from === 40 && to === 40 ? facts : []),
  } as unknown as Chain;
  const common = { session, task, attempt: 0, batch: 3, block: 40, position: 0, maxPriceWei: oneCor, revealBy: 1 };
  return { body: { ...common, slots, validators: [accountOf(11)], proof: [...proof] }, chain };
}

const slots = [
  { miner: thief, attempt: 0, hash: own },
  { miner, attempt: 0, hash: own },
];

const refusal = async (chain: Chain, body: ShowBody, of: JobContext = job): Promise<string> =>
  requireBound(chain, of, body).then(
    () => 'shown',
    (error: unknown) => errorCode(error),
  );

describe('a miner shows its result', () => {
  it('once a root on chain has its precommit in its own name, whoever has copied it', async () => {
    const { body, chain } = batchOf(slots);
    expect(await refusal(chain, body)).toBe('shown');
    // The copy is of no use: it is bound to a name that it was not made for.
    expect(precommitHash({ ...bound, miner: thief })).not.toBe(own);
  });

  it('and not where its precommit is there in the name of a thief only', async () => {
    const { body, chain } = batchOf([{ miner: thief, attempt: 0, hash: own }]);
    expect(await refusal(chain, body)).toBe('precommit_not_bound');
  });

  it('nor by another precommit, another batch, another block or a proof that leads elsewhere', async () => {
    const { body, chain } = batchOf(slots);
    const [sibling, ...above] = body.proof;
    const forged: readonly Partial<ShowBody>[] = [
      { batch: 4 },
      { block: 41 },
      { position: 1 },
      { maxPriceWei: '1' as typeof oneCor },
      { validators: [] },
      { proof: above },
      { proof: [...body.proof, keccakWords([1])] },
      { proof: [keccakWords([1]), ...above] },
      { slots: slots.map((slot) => ({ ...slot, hash: keccakWords([2]) })) },
    ];
    expect(sibling).toBeDefined();
    for (const change of forged) expect(await refusal(chain, { ...body, ...change })).toBe('precommit_not_bound');
  });

  it('nor before it has one', async () => {
    const { body, chain } = batchOf(slots);
    expect(await refusal(chain, body, { ...job, resultRoot: null, salt: null })).toBe('precommit_not_bound');
  });
});
