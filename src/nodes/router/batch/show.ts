import type { ShowBatch } from '../../../../actors/task/effects.ts';
import { buildPrecommits } from '../../../core/batch/build.ts';
import { taskRecords } from '../../../core/batch/content.ts';
import { placed } from '../../../core/batch/tree.ts';
import { present } from '../../../core/assert.ts';
import type { Cid, EffectId, SessionId } from '../../../core/ids.ts';
import { Recent } from '../../../core/recent.ts';
import { readTasks } from '../../batch-content.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { taskNow } from './task-effects.ts';

type Tree = ReturnType<typeof buildPrecommits>['tree'];

/** Trees of the newest batches: every miner of a batch is shown its leaf in the same one. */
const trees = new Recent<Cid, Tree>(16);

/** Shows a miner that its precommit is bound on chain; tried again until it has shown its result or is late. */
export async function showBatch(
  runtime: SessionRuntime,
  { task: id, miner, attempt, member }: ShowBatch,
  session: SessionId,
  cause: EffectId,
): Promise<void> {
  const task = await taskNow(runtime, session, id);
  const slot = task?.context.slots.find((one) => one.miner === miner && one.attempt === attempt);
  if (task?.value !== 'precommitted' || slot?.phase !== 'precommitted') return;
  const { leaf, proof } = placed(await treeOf(runtime, member.leaves), member.position);
  const slots = present(task.context.leaf, 'the miners of a bound task');
  await runtime.base.command('miner', miner, 'show', cause, {
    session,
    task: id,
    attempt,
    batch: member.batch,
    block: member.block,
    position: member.position,
    maxPriceWei: leaf.maxPriceWei,
    slots,
    validators: leaf.validators,
    proof,
    revealBy: slot.deadline,
  });
}

async function treeOf(runtime: SessionRuntime, leaves: Cid): Promise<Tree> {
  const known = trees.get(leaves);
  if (known !== undefined) return known;
  const { tree } = buildPrecommits(taskRecords({ tasks: await readTasks(runtime.base.ports.content, leaves) }));
  trees.set(leaves, tree);
  return tree;
}
