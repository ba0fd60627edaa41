import { canonicalJson } from '../../core/canonical-json.ts';
import { type Checkpoint, type Standing, standingsTree } from '../../core/checkpoint.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import type { PostedCheckpoint, ReputationChain, ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';

/** Which checkpoint is to be made. */
export interface CheckpointWanted {
  /** The first new position of the log. */
  readonly from: number;
  /** Anchors after this time, in milliseconds since 1970, are of a later epoch. */
  readonly endedAt: number;
  /** The anchor that the checkpoint before names; 0 for the first. */
  readonly anchoredBefore: number;
  readonly idleWork: ReadonlyMap<Address, number>;
}

/** A checkpoint made from the log. */
export interface MadeCheckpoint {
  /** The newest anchor of the epoch's time, which binds the order up to the last position. */
  readonly anchorEpoch: number;
  readonly manifest: JsonObject;
  readonly manifestDigest: Hex;
  readonly to: number;
  readonly standings: readonly Standing[];
  /**
   * Whether nobody who has more could make another one: the chain is past the epoch here, every anchor since the checkpoint
   * before could be read, and the log has the order that the anchors bind.
   */
  readonly isCertain: boolean;
}

/** What reading stands on. */
export interface ReadingOptions {
  readonly reputation: ReputationChain;
  /** Makes a checkpoint from this process's own reading of the log; `pouw log reputation` makes the same. */
  readonly make: (wanted: CheckpointWanted) => Promise<MadeCheckpoint | undefined>;
}

/** A checkpoint as this oracle makes it, and what it says. */
export interface OwnCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly manifest: JsonObject;
}

/** With whether more of the log or its anchors could change it. */
type Reading = OwnCheckpoint & Pick<MadeCheckpoint, 'isCertain'>;

/** What this oracle finds of a checkpoint that was posted, with what it finds instead. */
export type Verdict = { readonly stands: true } | { readonly stands: false; readonly found: OwnCheckpoint };

/** A checkpoint that could not be judged is tried again after so many times as long as the try took. */
const waitFactor = 4;

const noRoot: Hex = `0x${'00'.repeat(32)}`;

/** What one oracle's own reading of the log leads to: the checkpoint that is due, and what to think of one that was posted. */
export class OwnReading {
  readonly #base: NodeBase;
  readonly #options: ReadingOptions;
  /** The newest checkpoint that was made here. */
  #made: { readonly key: string; readonly due: Promise<Reading | undefined> } | undefined;
  #judged: { readonly key: string; readonly verdict: Promise<Verdict | undefined> } | undefined;
  /** What could not be judged, and when it is tried again. */
  #unsure: { readonly key: string; readonly until: number } | undefined;

  constructor(base: NodeBase, options: ReadingOptions) {
    this.#base = base;
    this.#options = options;
  }

  /**
   * The checkpoint of the newest epoch that is over, where it has none and the one before counts; undefined where none is
   * due, or the log says nothing of any node. It follows from chain and log alone, so that all oracles make the same one,
   * however late; it is made once, since reading a long log takes longer than a question may.
   */
  async due(state: ReputationState): Promise<OwnCheckpoint | undefined> {
    const { endedEpoch, newest, revision } = state;
    const isTurn = newest === undefined || newest.state === 'final';
    if (!isTurn || endedEpoch <= (newest?.checkpoint.epoch ?? 0)) return undefined;
    const key = keyOf({ epoch: endedEpoch, revision });
    if (this.#made?.key !== key) this.#made = { key, due: this.#makeDue(state) };
    const { due } = this.#made;
    try {
      const made = await due;
      if (made === undefined) this.#made = undefined;
      return made;
    } catch (error) {
      this.#made = undefined;
      throw error;
    }
  }

  /**
   * What this oracle finds of a checkpoint that was posted; undefined where that cannot be said by what is here. It calls one
   * false only where more of the log, or of its anchors, could change nothing. Once it is disputed it is looked at afresh, by
   * whoever was not certain: what was missing may have come since, from the disputer for one.
   */
  async judge(posted: PostedCheckpoint): Promise<Verdict | undefined> {
    const { checkpoint } = posted;
    if (await this.#isCertainOf(checkpoint)) return { stands: true };
    const { clock } = this.#base.ports;
    const of = canonicalJson({ ...checkpoint });
    const key = `${posted.state} ${of}`;
    if (this.#judged?.key !== key) {
      if (this.#unsure?.key === of && clock.now() < this.#unsure.until) return undefined;
      this.#judged = { key, verdict: this.#compare(of, posted) };
    }
    return this.#judged.verdict;
  }

  async #isCertainOf(checkpoint: Checkpoint): Promise<boolean> {
    if (this.#made?.key !== keyOf(checkpoint)) return false;
    const made = await this.#made.due.catch(() => undefined);
    return made !== undefined && made.isCertain && isSame(made.checkpoint, checkpoint);
  }

  /** Never rejects: what cannot be read now is tried again. */
  async #compare(key: string, posted: PostedCheckpoint): Promise<Verdict | undefined> {
    const { clock, log } = this.#base.ports;
    const began = clock.now();
    let why = { code: 'checkpoint_unjudged', error: 'log and anchors that are here do not tell' };
    try {
      const verdict = await this.#verdictOn(posted);
      if (verdict !== undefined) return verdict;
    } catch (error) {
      why = { code: errorCode(error) ?? why.code, error: errorMessage(error) };
    }
    const { epoch } = posted.checkpoint;
    if (this.#unsure?.key !== key) log.warn('a checkpoint cannot be judged', { epoch, ...why });
    const now = clock.now();
    this.#unsure = { key, until: now + waitFactor * (now - began) };
    this.#judged = undefined;
    return undefined;
  }

  async #verdictOn({ checkpoint: asked, endedAt, before }: PostedCheckpoint): Promise<Verdict | undefined> {
    const { epoch, skipped, fromPosition: from, revision } = asked;
    const made = await this.#make({ epoch, skipped, from, revision, endedAt, before });
    if (made === undefined) return undefined;
    const { isCertain, ...found } = made;
    if (isSame(found.checkpoint, asked)) return { stands: true };
    return isCertain ? { stands: false, found } : undefined;
  }

  async #makeDue({ endedEpoch: epoch, endedAt, newest, revision }: ReputationState): Promise<Reading | undefined> {
    const before = newest?.checkpoint;
    const skipped = epoch - (before?.epoch ?? 0) - 1;
    const made = await this.#make({ epoch, skipped, from: (before?.toPosition ?? 0) + 1, revision, endedAt, before });
    return made === undefined || made.checkpoint.nodes === 0 ? undefined : made;
  }

  async #make(of: {
    readonly epoch: number;
    readonly skipped: number;
    readonly from: number;
    readonly revision: number;
    readonly endedAt: number;
    readonly before: { readonly anchorEpoch: number } | undefined;
  }): Promise<Reading | undefined> {
    const { epoch, skipped, from, revision, endedAt } = of;
    const nodes = (await this.#base.ports.chain.nodes()).map(({ node }) => node);
    const idleWork = await this.#options.reputation.idleWork(epoch, nodes);
    const anchoredBefore = of.before?.anchorEpoch ?? 0;
    const made = await this.#options.make({ from, endedAt, anchoredBefore, idleWork });
    if (made === undefined) return undefined;
    const { standings, manifest, isCertain } = made;
    const checkpoint = {
      epoch,
      skipped,
      fromPosition: from,
      toPosition: made.to,
      anchorEpoch: made.anchorEpoch,
      idleWork: standings.reduce((sum, standing) => sum + standing.idleWork, 0),
      nodes: standings.length,
      revision,
      root: standings.length === 0 ? noRoot : standingsTree(standings).root,
      manifestDigest: made.manifestDigest,
    };
    return { checkpoint, manifest, isCertain };
  }
}

/** One posting of one epoch's checkpoint. */
export function keyOf({ epoch, revision }: Pick<Checkpoint, 'epoch' | 'revision'>): string {
  return `${epoch}.${revision}`;
}

/** Whether two checkpoints say the same in all. */
export function isSame(one: Checkpoint, other: Checkpoint): boolean {
  return canonicalJson({ ...one }) === canonicalJson({ ...other });
}
