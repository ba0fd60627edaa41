import type { OracleCommand } from '../../../actors/oracle/decide.ts';
import { oracleActor } from '../../../actors/oracle/definition.ts';
import type {
  CheckBlockTime,
  EndAppealOnChain,
  ExpireOnChain,
  NominateOnChain,
  ReassignOnChain,
  ResolveOnChain,
} from '../../../actors/oracle/effects.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, streamId, type TaskId } from '../../core/ids.ts';
import { selectionContent } from '../../messages/bodies.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { FactReader } from '../fact-pump.ts';
import { nominateMissing } from '../appeals/nominate.ts';
import { NodeBase } from '../node-base.ts';
import { BlockStall } from './block-stall.ts';
import { BatchWatcher } from './batch-watcher.ts';
import { type CheckpointOptions, Checkpoints } from './checkpoints.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';
import { type IdleOptions, IdleRounds } from '../rounds/idle-rounds.ts';

/** How long a selection may take to arrive from the content network before the oracle goes on without it. */
const selectionTimeoutMs = 2_000;

/** What an oracle is started with. */
export interface OracleOptions {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  /** How long one oracle leads, in milliseconds. */
  readonly sliceMs: number;
  /** How it makes and posts checkpoints of reputation; it posts none and signs none where this is left out. */
  readonly checkpoints?: CheckpointOptions | undefined;
  /** Its part in idle rounds, which it asks for and drives; none where this is left out. */
  readonly idle?: IdleOptions | undefined;
}

/** Watches the deadlines of every task and enforces them on chain; checks what is posted of those that batches settle. */
export class OracleNode implements FactReader {
  readonly base: NodeBase;
  /** Its part in checkpoints; undefined where it takes none. */
  readonly checkpoints: Checkpoints | undefined;
  /** Its part in idle rounds; undefined where it has none. */
  readonly idle: IdleRounds | undefined;
  readonly #options: OracleOptions;
  readonly #stream;
  readonly #watcher: BatchWatcher;
  readonly #stall = new BlockStall();
  #background: Promise<unknown> = Promise.resolve();

  constructor(options: OracleOptions) {
    this.#options = options;
    this.#stream = streamId('oracle', options.identity.address);
    const { idle } = options;
    if (idle !== undefined) this.idle = new IdleRounds('oracle', options.identity.address, () => this.base, idle, {});
    this.base = new NodeBase(options.identity, options.ports, {
      actors: this.idle === undefined ? [oracleActor] : [oracleActor, this.idle.actor],
      handlers: {
        checkBlockTime: (effect, context) => this.#checkBlockTime(effect as CheckBlockTime, context),
        reassignOnChain: (effect, context) => {
          const { task, deadline, miner, replacement } = effect as ReassignOnChain;
          return this.#send('reassignOnChain', task, deadline, { call: 'reassign', task, miner, replacement }, context);
        },
        resolveOnChain: (effect, context) => {
          const { task, deadline } = effect as ResolveOnChain;
          return this.#send('resolveOnChain', task, deadline, { call: 'resolve', task }, context);
        },
        expireOnChain: (effect, context) => {
          const { task, deadline } = effect as ExpireOnChain;
          return this.#send('expireOnChain', task, deadline, { call: 'expire', task }, context);
        },
        nominateOnChain: (effect, context) => this.#nominate(effect as NominateOnChain, context),
        endAppealOnChain: (effect, context) => this.#endAppeal(effect as EndAppealOnChain, context),
        ...this.idle?.handlers,
      },
      onCommit: (commit, state) => this.idle?.see(commit, state),
    });
    this.#watcher = new BatchWatcher(this.base);
    this.checkpoints = options.checkpoints === undefined ? undefined : new Checkpoints(this.base, options.checkpoints);
  }

  get address(): Address {
    return this.#options.identity.address;
  }

  async start(): Promise<void> {
    await this.#dispatch({ type: 'StartOracle', oracle: this.address, sliceMs: this.#options.sliceMs }, 'start');
    this.base.startHeartbeat(() => ({ models: [], load: 0, capacity: 1, draining: false }));
    this.checkpoints?.listen();
    this.#background = Promise.all([this.#watcher.run(), this.checkpoints?.run()]);
    await this.idle?.start();
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    this.#watcher.onFacts(facts);
    await this.idle?.onFacts(facts);
    for (const fact of facts) {
      await this.#see(fact).catch((error: unknown) => {
        // Beyond its bound an oracle leaves tasks to the others; it must not stop the facts behind this one.
        if (errorCode(error) !== 'oracle_busy') throw error;
        this.base.ports.log.warn('a task is left to the other oracles', { oracle: this.address, fact: fact.type });
      });
    }
  }

  async #see(fact: ChainFact): Promise<void> {
    const cause = `chain:${fact.place.txHash}:${fact.place.logIndex}`;
    if (fact.type !== 'MinersAssigned') return this.#dispatch({ type: 'SeeFact', fact }, cause);
    const ranking = await this.#ranking(fact.selectionDigest);
    return this.#dispatch({ type: 'SeeAssignment', fact, ranking }, cause);
  }

  /** Deadlines are read from the chain again whenever one is due. */
  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    await this.idle?.onRemoved(facts);
  }

  async stop(graceMs: number): Promise<void> {
    await this.base.stop(graceMs);
    await this.#background;
  }

  async #dispatch(command: OracleCommand, cause: string): Promise<void> {
    await this.base.dispatch(oracleActor, this.#stream, command, cause);
  }

  /** The order in which candidates stand by; none where the selection cannot be had or is not one. */
  async #ranking(digest: Hex): Promise<readonly Address[]> {
    try {
      const content = await this.base.ports.content.get(digestToCid(digest), {
        timeoutMs: selectionTimeoutMs,
        signal: this.base.stopping,
      });
      const parsed = selectionContent.safeParse(content);
      return parsed.success ? parsed.data.ranking : [];
    } catch (error) {
      if (errorCode(error) === 'content_not_found' || errorCode(error) === 'content_corrupt') return [];
      throw error;
    }
  }

  async #checkBlockTime({ task, deadline, at: dueAt }: CheckBlockTime, { id }: EffectContext): Promise<void> {
    const { chain, clock, log } = this.base.ports;
    const { at, number } = await chain.block();
    const stalledMs = at > dueAt ? undefined : this.#stall.note(number, clock.now());
    if (stalledMs !== undefined)
      log.warn('the chain makes no blocks, and deadlines that are past wait for one', {
        block: number,
        stalledMs,
        task,
      });
    await this.#dispatch({ type: 'CheckDeadline', task, deadline, blockAt: at }, id);
  }

  /** Names validators for an appeal; whoever comes second names whom the first has left out, and nobody where none is. */
  async #nominate({ kind, task, deadline }: NominateOnChain, { id }: EffectContext): Promise<void> {
    const { chain, log } = this.base.ports;
    await this.#attempt({ effect: kind, task, deadline }, id, async () => {
      const named = await nominateMissing(chain, this.address, task, id);
      if (named.length > 0) log.info('validators were nominated for an appeal', { task, named: named.length });
    });
  }

  async #endAppeal({ kind, task, deadline, undrawn }: EndAppealOnChain, { id }: EffectContext): Promise<void> {
    const appeal = await this.base.ports.chain.appeal(task);
    if (appeal?.state !== 'open' || (undrawn && appeal.validators.length >= appeal.needed)) return;
    await this.#attempt({ effect: kind, task, deadline }, id, async () => {
      await this.base.send({ call: 'endAppeal', task }, id);
    });
  }

  async #send(effect: string, task: TaskId, deadline: string, call: ChainCall, { id }: EffectContext): Promise<void> {
    await this.#attempt({ effect, task, deadline }, id, async () => void (await this.base.send(call, id)));
  }

  /** What the chain refuses is tried again later, where its deadline still stands then. */
  async #attempt(
    about: { readonly effect: string; readonly task: TaskId; readonly deadline: string },
    id: EffectContext['id'],
    act: () => Promise<void>,
  ): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      const refused = { code: 'chain_reverted', reason: errorMessage(error) };
      await this.#dispatch({ type: 'EffectFailed', ...about, ...refused }, id);
    }
  }
}
