import type {
  FinishBatch,
  PostOutcomes,
  PostPrecommits,
  PostReveals,
} from '../../../../actors/router/batch-effects.ts';
import type { BatchCommand } from '../../../../actors/router/batches.ts';
import type { Effect } from '../../../core/effect.ts';
import { errorCode, errorMessage, PouwError } from '../../../core/errors.ts';
import type { ChainCall } from '../../../ports/chain.ts';
import type { EffectHandler } from '../../../runtime/actor.ts';
import type { NodeBase } from '../../node-base.ts';

/** What posting stands on. */
export interface PostRuntime {
  /** Made before its node is. */
  readonly base: () => NodeBase;
  readonly tell: (command: BatchCommand, cause: string) => Promise<void>;
  /** Told that the chain would not begin a batch. */
  readonly refused: (effect: PostPrecommits, reason: string) => Promise<void>;
}

/** The contracts' words for "that is done already": its fact is on its way. */
const done: ReadonlySet<string> = new Set(['WrongBatchState', 'WrongHeader']);

/**
 * Brings the roots of batches to the chain. Under its effect's id a post is found there where it was made before a crash;
 * what it leads to comes back as a fact.
 */
export function postEffects(runtime: PostRuntime): Record<string, EffectHandler> {
  const { base } = runtime;
  const send = async (call: ChainCall, id: Parameters<EffectHandler>[1]['id']): Promise<string | undefined> => {
    try {
      await base().send(call, id);
      return undefined;
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      const named = error instanceof PouwError ? error.details?.['reason'] : undefined;
      return typeof named === 'string' ? named : errorMessage(error);
    }
  };
  const orDone = async (call: ChainCall, batch: number, id: Parameters<EffectHandler>[1]['id']): Promise<void> => {
    const reason = await send(call, id);
    if (reason === undefined || done.has(reason)) return;
    throw new PouwError('batch_refused', `The chain did not take ${call.call} of batch ${batch}: ${reason}.`, {
      class: 'unavailable',
    });
  };
  const handle = <E extends { readonly kind: string }>(
    run: (effect: E, id: Parameters<EffectHandler>[1]['id']) => Promise<void>,
  ): EffectHandler => {
    return (effect: Effect, { id }) => run(effect as unknown as E, id);
  };
  return {
    postPrecommits: handle<PostPrecommits>(async (effect, id) => {
      const { number, root, manifestDigest, shares } = effect;
      const reason = await send({ call: 'postPrecommits', number, root, manifestDigest, shares }, id);
      if (reason === undefined) return;
      base().ports.log.error('the chain would not begin a batch', { number, reason });
      await runtime.tell({ type: 'DropBatch', number, reason }, id);
      await runtime.refused(effect, reason);
    }),
    postReveals: handle<PostReveals>(({ batch, header, root, manifestDigest }, id) =>
      orDone({ call: 'postReveals', batch, header, root, manifestDigest }, batch, id),
    ),
    postOutcomes: handle<PostOutcomes>(({ kind: _, number: __, ...post }, id) =>
      orDone({ call: 'postOutcomes', ...post }, post.batch, id),
    ),
    finishBatch: handle<FinishBatch>(({ batch, header, isOrphan }, id) =>
      orDone({ call: isOrphan ? 'voidOrphan' : 'finalise', batch, header }, batch, id),
    ),
  };
}
