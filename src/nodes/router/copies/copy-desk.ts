import type { SessionEvent } from '../../../../actors/session/events.ts';
import type { Event } from '../../../core/commit.ts';
import { errorCode, PouwError } from '../../../core/errors.ts';
import type { Address, Cid, SessionId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { doneReply } from '../../../messages/bodies.ts';
import type { Opened } from '../../../messages/envelope.ts';
import { type KeepBody, keepBody } from '../../../messages/keep.ts';
import type { LogIndex } from '../../log-index.ts';
import type { NodeBase } from '../../node-base.ts';
import type { Presence } from '../../presence.ts';
import { SenderPlaces } from '../sender-places.ts';
import { ContentCopies } from './content-copies.ts';

/** What copying stands on. */
export interface CopyDeskOptions {
  readonly base: NodeBase;
  readonly index: LogIndex;
  readonly presence: Pick<Presence, 'isAlive'>;
  /** Whether all nodes have the same content: then there is nothing to copy. */
  readonly isShared: boolean;
}

/**
 * Sees to it that no content is with one node only that a task needs to go on: what miners reveal is copied by the router
 * that owns the session, and what clients ask for by the other routers of the session. A miner that dies between its reveal
 * and the validators' reading would else take its answer with it, and lose stake for an answer that cannot be had; a router
 * that dies, the prompts of all that waits.
 */
export class CopyDesk {
  readonly #options: CopyDeskOptions;
  /** What follows from the log, which others' wishes leave all its places. */
  readonly #copies: ContentCopies;
  /** What other routers want kept, which may be nowhere. */
  readonly #kept: ContentCopies;
  readonly #requests = new SenderPlaces({ max: limits.forwardedWritesMax, ofOneMax: limits.forwardedWritesOfOneMax });
  readonly #shares = new SenderPlaces({ max: limits.keptCopiesMax, ofOneMax: limits.keptCopiesOfOneMax });
  #stopFollowing: () => void = () => {};

  constructor(options: CopyDeskOptions) {
    this.#options = options;
    const { base } = options;
    const bounds = { copiesMax: limits.keptCopiesMax, waitingMax: 0, copyMs: limits.keptCopyMsMax };
    this.#kept = new ContentCopies(base, bounds);
    this.#copies = new ContentCopies(base, { elsewhere: this.#kept });
  }

  /** Takes what other routers want kept, copies what is submitted to them, and what was while this one was away. */
  listen(): void {
    const { base, index, isShared } = this.#options;
    base.onCommand('keep', 'router', keepBody, (opened) => this.#keep(opened), { isAlone: false });
    if (isShared) return;
    this.#stopFollowing = index.listen((session, _, events) => this.#follow(session, events));
    void this.#catchUp(index.promptsOf(base.identity.address));
  }

  /** Begins no more copies of what is submitted. */
  stop(): void {
    this.#stopFollowing();
  }

  /** Copies what a session of this router has just taken as revealed. */
  apply(events: readonly Event[]): void {
    for (const event of events as readonly SessionEvent[]) if (event.type === 'TaskCommitted') this.copy(event.result);
  }

  /** Begins to copy content; nobody waits for it. */
  copy(cid: Cid): void {
    if (!this.#options.isShared) void this.#copies.take(cid);
  }

  /**
   * Resolves once another router of a session has these prompts too, or after `limits.promptKeptMsMax`; at once where no
   * other one lives. Never rejects: the task is in the log, and the others copy its prompt when they see it there.
   */
  async keepElsewhere(session: SessionId, prompts: readonly Cid[]): Promise<void> {
    const { base, index, presence, isShared } = this.#options;
    const { clock, random, log } = base.ports;
    const others = index
      .routersOf(session)
      .filter((router) => router !== base.identity.address && presence.isAlive(router, clock.now()));
    if (isShared || others.length === 0) return;
    const ask = (router: Address): Promise<unknown> =>
      base.ask('router', router, 'keep', `keep:${random.bytes32()}`, { session, prompts: [...prompts] }, doneReply);
    try {
      await this.#within(limits.promptKeptMsMax, Promise.any(others.map(ask)));
    } catch (error) {
      log.debug('no other router has the prompt yet', { session, code: errorCode(error) });
    }
  }

  /** Resolves once no copy is under way. */
  async idle(): Promise<void> {
    await Promise.all([this.#copies.idle(), this.#kept.idle()]);
  }

  #follow(session: SessionId, events: readonly SessionEvent[]): void {
    const { base, index } = this.#options;
    const { address } = base.identity;
    for (const event of events)
      // Whoever puts a task into the log has its prompt.
      if (event.type === 'TaskSubmitted' && event.by !== address && index.routersOf(session).includes(address))
        this.copy(event.prompt);
  }

  async #catchUp(prompts: readonly Cid[]): Promise<void> {
    for (let next = 0; next < prompts.length; next += limits.contentCopiesMax)
      await Promise.all(prompts.slice(next, next + limits.contentCopiesMax).map((cid) => this.#copies.take(cid)));
  }

  async #keep({ from, body: { session, prompts } }: Opened<KeepBody>): Promise<void> {
    const { base, index, isShared } = this.#options;
    const routers = index.routersOf(session);
    if (!routers.includes(from) || !routers.includes(base.identity.address)) throw notTheirs(from, session);
    if (isShared) return;
    await this.#requests.hold(from, 1, async () => {
      if (!(await this.#copyFor(from, [...new Set(prompts)]))) throw notKept(session);
      await base.ports.content.flush();
    });
  }

  /** Copies what another router wants kept. @returns whether all of it is here. @throws PouwError `router_busy`. */
  async #copyFor(from: Address, prompts: readonly Cid[]): Promise<boolean> {
    const underWay = (cid: Cid): Promise<boolean> | undefined => this.#copies.underWay(cid) ?? this.#kept.underWay(cid);
    const coming = prompts.map(underWay).filter((copy) => copy !== undefined);
    const fresh = prompts.filter((cid) => underWay(cid) === undefined);
    const copies = this.#shares.hold(from, fresh.length, () => all(fresh.map((cid) => this.#kept.take(cid))));
    // Those that the log has asked for may take longer than anybody waits here.
    return all([copies, ...(coming.length === 0 ? [] : [this.#within(limits.keptCopyMsMax, all(coming))])]);
  }

  /** What comes of something in a time, undefined where nothing does. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const { clock } = this.#options.base.ports;
    const over = new AbortController();
    const late = clock.sleep(ms, AbortSignal.any([over.signal, this.#options.base.stopping]));
    try {
      return await Promise.race([work, late.then(nothing, nothing)]);
    } finally {
      over.abort();
    }
  }
}

/** Whether all of them came true. */
async function all(done: readonly Promise<boolean | undefined>[]): Promise<boolean> {
  return (await Promise.all(done)).every((one) => one === true);
}

const nothing = (): undefined => undefined;

function notTheirs(from: Address, session: SessionId): PouwError {
  return new PouwError('sender_not_allowed', `${from} keeps nothing of ${session} here.`, {
    class: 'forbidden',
    why: 'Only routers that the terms of a session name keep its prompts, for one another.',
  });
}

function notKept(session: SessionId): PouwError {
  return new PouwError('content_not_found', `A prompt of ${session} could not be copied.`, { class: 'not-found' });
}
