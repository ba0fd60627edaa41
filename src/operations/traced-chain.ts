import { errorCode } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import { type TaskId, taskId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { spanOfCause, transactionSpanOf } from '../core/trace-ids.ts';
import type { Chain, ChainCall } from '../ports/chain.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tracer } from '../ports/tracer.ts';
import { decorate } from './decorate.ts';
import { Recent } from '../core/recent.ts';

/** What a router brings for others, outside of any effect. */
const carried: ReadonlySet<ChainCall['call']> = new Set(['precommitMany', 'revealMany', 'attestMany', 'settleWith']);

/** A chain whose transactions for tasks are traced. */
export function traceChain(chain: Chain, tracer: Tracer, clock: Clock): Chain {
  /** An effect that is carried out again finds its transaction: that was traced. */
  const traced = new Recent<Hex, true>(limits.watchMemoryMax);
  return decorate(chain, {
    send: async (from, call, effect) => {
      const task = taskOf(call);
      if (task === undefined) return chain.send(from, call, effect);
      const startMs = clock.now();
      const common = {
        role: carried.has(call.call) ? 'router' : (tracer.active()?.role ?? 'unknown'),
        node: from,
        task,
        // What a router carries for others follows from no effect of its own.
        parent: spanOfCause(effect, task),
        name: `chain ${call.call}`,
        kind: 'client',
        startMs,
      } as const;
      try {
        const receipt = await chain.send(from, call, effect);
        const { txHash, block, gasUsed } = receipt;
        const attributes = { 'pouw.chain.tx': txHash, 'pouw.chain.block': block, 'pouw.chain.gas': gasUsed };
        const id = transactionSpanOf(txHash);
        if (!traced.has(txHash)) tracer.record({ ...common, id, endMs: clock.now(), attributes });
        traced.set(txHash, true);
        return receipt;
      } catch (error) {
        tracer.record({ ...common, id: tracer.newSpan(), endMs: clock.now(), error: errorCode(error) });
        throw error;
      }
    },
  });
}

/** The task a call is for; undefined for calls of nodes and sessions. */
function taskOf(call: ChainCall): TaskId | undefined {
  if ('task' in call) return call.task;
  return call.call === 'submit' ? taskId(call.session, call.requestId) : undefined;
}
