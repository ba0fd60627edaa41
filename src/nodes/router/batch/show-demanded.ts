import { noBatches } from '../../../../actors/router/batches.ts';
import type { RouterContext } from '../../../../actors/router/context.ts';
import { batchData } from '../../../core/batch/content.ts';
import type { BatchFact } from '../../../core/batch/fact.ts';
import { placed } from '../../../core/batch/tree.ts';
import { errorCode, errorMessage } from '../../../core/errors.ts';
import type { EffectId } from '../../../core/ids.ts';
import type { ShownLeaf } from '../../../ports/chain-batches.ts';
import { readBatch } from '../../batch-content.ts';
import type { SessionRuntime } from '../session-effects.ts';

/** A leaf that somebody has demanded on chain. */
export type LeafDemand = Extract<BatchFact, { type: 'LeafDemanded' }>;

/** Shows a demanded leaf of a batch of this router's; of others' it says nothing. Anyone may have shown it before. */
export async function showDemanded(
  { runtime, book }: { readonly runtime: SessionRuntime; readonly book: () => Promise<RouterContext> },
  { batch: id, kind, position }: LeafDemand,
): Promise<void> {
  const { batches = noBatches } = await book();
  const batch = Object.values(batches.open).find((one) => one.batch === id);
  if (batch?.header === undefined || batch.header === null || batch.outcomes === null) return;
  const { base } = runtime;
  const content = await readBatch(base.ports.content, batch.outcomes, base.stopping);
  const data = batchData(id, batch.header, content);
  const shown = ((): ShownLeaf => {
    if (kind === 'precommit') return { kind, leaf: placed(data.precommit, position) };
    if (kind === 'reveal') return { kind, leaf: placed(data.reveal, position) };
    if (kind === 'payment') return { kind, leaf: placed(data.payment, position) };
    const signatures = content.outcomes.verdicts[position]?.signatures ?? [];
    return { kind, leaf: placed(data.outcome, position), given: placed(data.precommit, position), signatures };
  })();
  const effect = `batch.show:${base.identity.address}:${id}.${kind}.${position}` as EffectId;
  try {
    await base.send({ call: 'showLeaf', batch: id, header: batch.header, ...shown }, effect);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    base.ports.log.warn('a demanded leaf was not shown', { batch: id, kind, position, error: errorMessage(error) });
  }
}
