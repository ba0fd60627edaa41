import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Slot } from '../../../actors/task/context.ts';
import { resendReply, tokenBody } from '../../messages/bodies.ts';
import { openEnvelope } from '../../messages/envelope.ts';
import { tokenSubject } from '../../messages/subjects.ts';
import type { NodeBase } from '../node-base.ts';
import type { Presence } from '../presence.ts';
import type { Feeds, FlowingTask } from './feeds.ts';
import type { TaskFeed } from './task-feed.ts';

/** What repairing streams stands on. */
export interface StreamRepairOptions {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence: Presence;
  readonly owns: (session: SessionId) => boolean;
}

/** One miner's answer, and when it is asked again. */
interface Repair {
  readonly attempt: number;
  /** Chunks that were here at the last look. */
  seq: number;
  dueAt: number;
  pauseMs: number;
  isAsking: boolean;
  /** The chunk that was asked for when later ones had come. */
  lostSeq: number;
  /** Whether it was asked since the chain has its precommit: by then all has been said. */
  wasAskedWhole: boolean;
}

/** How often streams are looked at, in milliseconds. */
const lookMs = 25;

/**
 * Asks miners for words that did not arrive: those before one that did, those said before this router listened, and the
 * last ones, after which nothing comes that would show that they are missing. The owner of a session wants the words of
 * all its miners, who only watches those of the miner that clients read.
 */
export class StreamRepair {
  readonly #options: StreamRepairOptions;
  readonly #repairs = new WeakMap<TaskFeed, Map<Address, Repair>>();
  #asking = 0;
  #asked = 0;

  constructor(options: StreamRepairOptions) {
    this.#options = options;
  }

  /** Looks after the streams until the node stops. */
  async run(): Promise<void> {
    const { clock } = this.#options.base.ports;
    const { stopping } = this.#options.base;
    while (!stopping.aborted) {
      await clock.sleep(lookMs, stopping).catch(() => undefined);
      if (!stopping.aborted) this.#look(clock.now());
    }
  }

  #look(now: number): void {
    const { feeds, owns } = this.#options;
    for (const flowing of feeds.flowing()) {
      const { slots, primary } = flowing.task.context;
      const isOwned = owns(flowing.session);
      for (const slot of slots) if (isOwned || slot.miner === primary) this.#lookAt(flowing, slot, now);
    }
  }

  #lookAt(flowing: FlowingTask, slot: Slot, now: number): void {
    if (!this.#options.presence.isAlive(slot.miner, now) || this.#asking >= limits.resendsMax) return;
    const missing = flowing.feed.stream.missing(slot.miner, slot.attempt);
    if (missing === undefined) return;
    const repair = this.#repairOf(flowing, slot, now);
    if (missing.seq > repair.seq) {
      Object.assign(repair, { seq: missing.seq, pauseMs: limits.resendAfterMsMin });
      repair.dueAt = now + repair.pauseMs;
    }
    const isSaid = slot.phase === 'precommitted' || slot.phase === 'committed';
    const isNewlyLost = missing.isLost && repair.lostSeq !== missing.seq;
    const isDue = now >= repair.dueAt || isNewlyLost || (isSaid && !repair.wasAskedWhole);
    if (repair.isAsking || !isDue) return;
    if (isSaid) repair.wasAskedWhole = true;
    if (isNewlyLost) repair.lostSeq = missing.seq;
    void this.#ask(flowing, slot, repair);
  }

  #repairOf({ feed, isLate }: FlowingTask, { miner, attempt }: Slot, now: number): Repair {
    const ofFeed = this.#repairs.get(feed) ?? new Map<Address, Repair>();
    this.#repairs.set(feed, ofFeed);
    const known = ofFeed.get(miner);
    if (known?.attempt === attempt) return known;
    const pauseMs = limits.resendAfterMsMin;
    const dueAt = isLate ? now : now + pauseMs;
    const fresh = { attempt, seq: 0, dueAt, pauseMs, isAsking: false, lostSeq: -1, wasAskedWhole: false };
    ofFeed.set(miner, fresh);
    return fresh;
  }

  async #ask(flowing: FlowingTask, slot: Slot, repair: Repair): Promise<void> {
    const { base } = this.#options;
    const { clock, log } = base.ports;
    const { task } = flowing.task.context;
    repair.isAsking = true;
    this.#asking += 1;
    try {
      while (await this.#askOnce(flowing, slot));
    } catch (error) {
      const fields = { task, miner: slot.miner, code: errorCode(error), error: errorMessage(error) };
      log.debug('a miner did not send its words again', fields);
    }
    this.#asking -= 1;
    repair.isAsking = false;
    repair.dueAt = clock.now() + repair.pauseMs;
    repair.pauseMs = Math.min(repair.pauseMs * 2, limits.resendAfterMsMax);
  }

  /** Asks for one page. @returns whether there is another one worth asking for. */
  async #askOnce({ session, task: { context }, feed }: FlowingTask, { miner, attempt }: Slot): Promise<boolean> {
    const { base, feeds } = this.#options;
    const { clock, directory } = base.ports;
    const { task } = context;
    const missing = feed.stream.missing(miner, attempt);
    if (missing === undefined || base.stopping.aborted) return false;
    const { seq: from, run } = missing;
    const body = { task, attempt, from, ...(run === undefined ? {} : { run }) };
    const reply = await base.ask('miner', miner, 'resend', `resend:${(this.#asked += 1)}`, body, resendReply);
    const subject = tokenSubject(session, task, miner);
    for (const raw of reply.chunks) {
      const opened = openEnvelope(tokenBody, subject, raw, directory.keyOf);
      const isOwn = opened.from === miner && opened.body.task === task;
      if (!isOwn || !feeds.accept(miner, opened.body, clock.now()))
        base.drop('token_not_expected', subject, 'what was sent again is not what was asked for');
    }
    const left = feed.stream.missing(miner, attempt);
    return reply.more && left !== undefined && (left.seq > from || left.run !== run);
  }
}
