import type { ChainFact } from '../../../core/chain-fact.ts';
import { canonicalJson } from '../../../core/canonical-json.ts';
import { errorCode, errorMessage, PouwError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { type Address, type EffectId, type SessionId, streamId, type TaskId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import type { CarryBody } from '../../../messages/carry.ts';
import type { ChainCall } from '../../../ports/chain.ts';
import type { ChainTaskRecord } from '../../../ports/queue-messages.ts';
import { notOwner } from '../../../runtime/refusals.ts';
import type { NodeBase } from '../../node-base.ts';
import { type HeldPart, type Manifests, postsOf } from './posts.ts';
import { requireProof } from './proof.ts';
import { awaitedPlaces, type Standing, standingOf } from './standing.ts';

/** What a desk stands on. */
export interface CarryDeskOptions {
  readonly base: Pick<NodeBase, 'ports' | 'identity' | 'stopping' | 'send' | 'drop'>;
  readonly owns: (session: SessionId) => boolean;
  readonly manifests: Manifests;
  /** Phases it holds at a time. Default `limits.carriedPhasesMax`. */
  readonly phasesMax?: number;
}

/** The parts of one phase of a task that are on their way to the chain together. */
interface Phase {
  readonly key: string;
  readonly session: SessionId;
  readonly task: TaskId;
  readonly is: CarryBody['is'];
  /** The task when its first part came: enough to tell who else is to come. */
  record: ChainTaskRecord;
  /** By sender. */
  readonly waiting: Map<Address, HeldPart>;
  /** What is being posted; empty while nothing is. */
  posting: ReadonlyMap<Address, HeldPart>;
}

/** A part of the time until its deadline that a part may wait for others here. Its node waits twice as long. */
const shareOfTime = 4;

/**
 * Carries what nodes have signed to the chain: holds the parts of each phase of a task for a bounded time, or until all
 * that the chain waits for are there, and posts them in one transaction. Nothing of it is kept over a crash, and nothing is
 * tried twice: a node brings its part again until the chain has it, and sends it itself where that does not come to pass.
 */
export class CarryDesk {
  readonly #options: CarryDeskOptions;
  readonly #phases = new Map<string, Phase>();
  /** Tasks whose attestations were posted here, and whether that has settled them. */
  readonly #settled = new Recent<TaskId, Promise<boolean>>(limits.carriedPhasesMax);

  constructor(options: CarryDeskOptions) {
    this.#options = options;
  }

  /**
   * Takes a node's part of a task; resolves where it is held, on its way, or on chain already.
   *
   * @throws PouwError `not_owner`, `carry_not_expected`, `carry_full`, and what {@link requireProof} throws.
   */
  async take(from: Address, part: CarryBody): Promise<void> {
    try {
      await this.#take(from, part);
    } catch (error) {
      this.#options.base.drop(errorCode(error), `carry ${part.is}`, error);
      throw error;
    }
  }

  /** Whether a task was settled together with its attestations; waits for those that are on their way. */
  async settled(task: TaskId): Promise<boolean> {
    return (await this.#settled.get(task)) ?? false;
  }

  /** Looks again at the phases that somebody has brought a part to the chain for, or lost its place in. */
  onFacts(facts: readonly ChainFact[]): void {
    const touched = new Set(facts.flatMap((fact) => ('task' in fact && moves.has(fact.type) ? [fact.task] : [])));
    for (const phase of this.#phases.values()) {
      if (!touched.has(phase.task) || phase.posting.size > 0) continue;
      // Should the chain not answer, the phase is posted when its time is over.
      this.#lookAgain(phase).catch(() => undefined);
    }
  }

  async #lookAgain(phase: Phase): Promise<void> {
    phase.record = (await this.#options.base.ports.chain.task(phase.task)) ?? phase.record;
    if (isComplete(phase)) this.#post(phase);
  }

  async #take(from: Address, part: CarryBody): Promise<void> {
    const { base, owns } = this.#options;
    const { session, task } = part;
    if (!owns(session)) throw notOwner(streamId('session', session));
    const phase = this.#phases.get(keyOf(part));
    if (phase !== undefined && hasPart(phase, from, part)) return;
    const found = await this.#standing(phase, from, part);
    if (found === undefined) {
      // A validator brings its attestation again until it has seen the settlement, and the chain has none of it then.
      if (part.is === 'attestation' && (await this.settled(task))) return;
      throw notExpected(from, part);
    }
    const [record, standing] = found;
    if (standing.isThere) return;
    await requireProof(base.ports.chain, record, { from, part, place: standing.place });
    this.#hold({ from, place: standing.place, part }, record, standing);
    base.ports.log.debug('a part is to be carried', { task, is: part.is, from });
  }

  /** How a part stands by what is known of its task; what does not fit that is looked up anew. Undefined for what is not its turn. */
  async #standing(
    phase: Phase | undefined,
    from: Address,
    part: CarryBody,
  ): Promise<readonly [ChainTaskRecord, Standing] | undefined> {
    const known = phase === undefined ? undefined : standingOf(phase.record, from, part);
    if (phase !== undefined && known !== undefined) return [phase.record, known];
    const record = await this.#options.base.ports.chain.task(part.task);
    const standing = record === undefined ? undefined : standingOf(record, from, part);
    if (record === undefined || standing === undefined) return undefined;
    if (phase !== undefined) phase.record = record;
    return [record, standing];
  }

  #hold(held: HeldPart, record: ChainTaskRecord, { dueBy }: Standing): void {
    const { session, task, is } = held.part;
    const key = keyOf(held.part);
    let phase = this.#phases.get(key);
    if (phase === undefined) {
      const most = this.#options.phasesMax ?? limits.carriedPhasesMax;
      if (this.#phases.size >= most)
        throw new PouwError('carry_full', `${most} phases of tasks wait to be carried.`, { class: 'busy' });
      phase = { key, session, task, is, record, waiting: new Map(), posting: new Map() };
      this.#phases.set(key, phase);
      this.#postLater(phase, dueBy);
    }
    phase.waiting.set(held.from, held);
    if (isComplete(phase)) this.#post(phase);
  }

  #postLater(phase: Phase, dueBy: number): void {
    const { clock } = this.#options.base.ports;
    const holdMs = Math.min(limits.carryHoldMsMax, Math.max(0, (dueBy - clock.now()) / shareOfTime));
    clock.sleep(holdMs, this.#options.base.stopping).then(
      () => this.#post(phase),
      () => undefined,
    );
  }

  #post(phase: Phase): void {
    if (phase.posting.size > 0 || phase.waiting.size === 0) return;
    phase.posting = new Map(phase.waiting);
    phase.waiting.clear();
    const posted = this.#bring(phase, [...phase.posting.values()]).catch((error: unknown) => {
      const { base } = this.#options;
      // Its nodes bring it again, or send it themselves.
      const { task, is } = phase;
      if (!base.stopping.aborted)
        base.ports.log.warn('parts were not carried', { task, is, code: errorCode(error), error: errorMessage(error) });
      return false;
    });
    if (phase.is === 'attestation') this.#settled.set(phase.task, posted);
    void posted.then(() => {
      phase.posting = new Map();
      // Who came meanwhile has waited for this transaction; those who come after begin anew.
      if (phase.waiting.size > 0) this.#post(phase);
      else this.#phases.delete(phase.key);
    });
  }

  /** Posts what the chain still waits for. @returns whether that has settled the task. */
  async #bring({ session, task, is }: Phase, held: readonly HeldPart[]): Promise<boolean> {
    const { base, manifests } = this.#options;
    const record = await base.ports.chain.task(task);
    if (record === undefined) return false;
    const wanted = held.filter(({ from, part }) => standingOf(record, from, part)?.isThere === false);
    if (wanted.length === 0) return false;
    const calls = await postsOf(task, record, wanted, manifests);
    for (const call of calls) await base.send(call, effectOf(session, is, call));
    return calls.some(({ call }) => call === 'settleWith');
  }
}

/** Facts after which other parts of a phase are awaited than before. */
const moves: ReadonlySet<ChainFact['type']> = new Set<ChainFact['type']>([
  'TaskPrecommitted',
  'TaskRevealed',
  'ResultAttested',
  'MinerReassigned',
]);

function notExpected(from: Address, { is, task }: CarryBody): PouwError {
  return new PouwError('carry_not_expected', `The chain takes no ${is} of ${from} for task ${task} now.`, {
    class: 'conflict',
    why: 'It has no such part in the task, or it is not its turn.',
  });
}

function keyOf({ task, is }: CarryBody): string {
  return `${task} ${is}`;
}

function hasPart({ waiting, posting }: Phase, from: Address, part: CarryBody): boolean {
  const known = [waiting.get(from), posting.get(from)];
  return known.some((one) => one !== undefined && canonicalJson(one.part) === canonicalJson(part));
}

function isComplete({ record, is, waiting, posting }: Phase): boolean {
  const places = new Set([...waiting.values(), ...posting.values()].map(({ place }) => place));
  return awaitedPlaces(record, is).every((place) => places.has(place));
}

/** The same parts are the same effect: brought again after a crash, they are found on chain. */
function effectOf(session: SessionId, is: CarryBody['is'], call: ChainCall): EffectId {
  return `${streamId('session', session)}:carry-${is}:${sha256(canonicalJson(call)).slice(0, 32)}` as EffectId;
}
