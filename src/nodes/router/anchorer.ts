import type { RouterContext } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import type { AnchorOnChain } from '../../../actors/router/effects.ts';
import { type AnchoredHead, anchorManifest, type AnchorManifest, parseAnchorManifest } from '../../core/anchor.ts';
import { type AnchoredOrder, anchoredOrder } from '../../core/anchored-order.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Cid, StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { anchorLease } from '../../core/lease-names.ts';
import { Recent } from '../../core/recent.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { NodeBase } from '../node-base.ts';
import { AnchoredHeads, type Covering } from './anchored-heads.ts';
import { AnchorPatience } from './anchor-patience.ts';

/** How long a manifest may take to arrive when the chain of anchors is read back. */
const manifestTimeoutMs = 2_000;
const leaseMs = 10_000;

/** What an anchorer stands on. */
export interface AnchorerOptions {
  readonly base: NodeBase;
  readonly everyMs: number;
  readonly book: () => Promise<RouterContext>;
  readonly dispatch: (command: RouterCommand, cause: string) => Promise<void>;
}

/**
 * Puts the heads and the order of the log on chain, epoch by epoch; one router of the network at a time, which is the one
 * with the lease as long as anchors come.
 */
export class Anchorer {
  readonly #options: AnchorerOptions;
  readonly #anchored = new AnchoredHeads();
  /** Manifests that were read, or could not be had. */
  readonly #known = new Recent<Cid, true>(limits.anchorsKnownMax);
  /** The last position up to which the anchors known here say the order of the log without a gap. */
  #orderedTo = 0;
  /** The proposal being made: who asks meanwhile shares it, since two at a time would refuse each other. */
  #proposing: Promise<boolean> | undefined;
  readonly #patience: AnchorPatience;

  constructor(options: AnchorerOptions) {
    this.#options = options;
    this.#patience = new AnchorPatience(options.base.identity.address, options.everyMs);
  }

  /** Anchors every `everyMs` while there is something new, until the node stops. */
  async run(): Promise<void> {
    const { base, everyMs } = this.#options;
    const { clock, log } = base.ports;
    while (!base.stopping.aborted) {
      await clock.sleep(everyMs, base.stopping).catch(() => undefined);
      if (base.stopping.aborted) return;
      await this.anchor().catch((error: unknown) =>
        log.warn('the log was not anchored', { error: errorMessage(error) }),
      );
    }
  }

  /** Brings a proposal to the chain; one that the contract refuses is over. */
  async toChain({ root, manifestDigest, commits }: AnchorOnChain, { id }: EffectContext): Promise<void> {
    const { base, dispatch } = this.#options;
    try {
      await base.send({ call: 'anchor', root, manifestDigest, commits }, id);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      await dispatch(
        { type: 'EffectFailed', effect: 'anchorOnChain', code: 'chain_reverted', reason: errorMessage(error) },
        id,
      );
    }
  }

  /** The first anchor known here that covers a version of a stream. */
  covering(stream: StreamId, version: number): Covering | null {
    return this.#anchored.covering(stream, version);
  }

  /**
   * Proposes an anchor over everything stored, if a session has gone on since the last one.
   *
   * @returns whether one was proposed.
   */
  anchor(): Promise<boolean> {
    this.#proposing ??= this.#propose().finally(() => {
      this.#proposing = undefined;
    });
    return this.#proposing;
  }

  async #propose(): Promise<boolean> {
    const { base, dispatch, book } = this.#options;
    const { content } = base.ports;
    if (!(await this.#isToAnchor())) return false;
    const { pendingAnchor, lastAnchor } = await book();
    if (pendingAnchor !== null) return false;
    await this.catchUp();
    // Before the heads, so that every commit in the order is below one of them.
    const order = await this.#newOrder();
    const { changed, commits, session } = await this.#newHeads();
    if (session === undefined) return false;
    const previous = lastAnchor === null ? undefined : { cid: lastAnchor.manifest, root: lastAnchor.root };
    const { manifest, cid, root } = anchorManifest(previous, changed, order);
    await content.put(manifest);
    await content.flush();
    await dispatch({ type: 'AnchorDue', root, manifest: cid, commits }, `anchor:${root}`);
    return true;
  }

  /** Whether this router has the lease, or who has it has not anchored for too long. */
  async #isToAnchor(): Promise<boolean> {
    const { base } = this.#options;
    const { leases, clock, log } = base.ports;
    if ((await leases.acquire(anchorLease, base.identity.address, leaseMs)) !== undefined) {
      this.#patience.reset();
      return true;
    }
    const isOver = await this.#patience.isOver(clock.now(), {
      newHead: async () => {
        await this.catchUp();
        return (await this.#newHeads()).session;
      },
      isAnchored: ([stream, version]) => this.#anchored.version(stream) >= version,
    });
    if (isOver) log.warn('the log is anchored without the lease: who has it does not anchor', {});
    return isOver;
  }

  /** The heads that moved since the last anchor, how many commits they have since then, and the first that is a session's. */
  async #newHeads(): Promise<{ changed: readonly AnchoredHead[]; commits: number; session: AnchoredHead | undefined }> {
    const changed: AnchoredHead[] = [];
    let commits = 0;
    for await (const { stream, version, hash } of this.#options.base.ports.store.heads()) {
      const since = this.#anchored.version(stream);
      if (version > since) changed.push([stream, version, hash]);
      commits += version - since;
    }
    return { changed, commits, session: changed.find(([stream]) => stream.startsWith('session.')) };
  }

  /** Reads the manifests of anchors that came since the last look, newest first, back to what is known. */
  async catchUp(): Promise<void> {
    const { lastAnchor } = await this.#options.book();
    const found: { manifest: AnchorManifest; epoch: number; root: Hex }[] = [];
    let cid = lastAnchor?.manifest ?? null;
    let root = lastAnchor?.root;
    let epoch = lastAnchor?.epoch ?? 0;
    while (cid !== null && !this.#known.has(cid) && root !== undefined) {
      this.#known.set(cid, true);
      const manifest = await this.#manifest(cid);
      if (manifest === undefined) break;
      found.unshift({ manifest, epoch, root });
      cid = manifest.prev;
      root = manifest.prevRoot;
      epoch -= 1;
    }
    for (const { manifest, epoch: of, root: at } of found) {
      for (const [stream, version] of manifest.heads) this.#anchored.add(stream, { version, epoch: of, root: at });
      const { order } = manifest;
      if (order && order.from <= this.#orderedTo + 1) this.#orderedTo = Math.max(this.#orderedTo, order.to);
    }
  }

  /** The order of the commits after those whose order is anchored, of a bounded number of them. */
  async #newOrder(): Promise<AnchoredOrder | null> {
    const from = this.#orderedTo + 1;
    const hashes: string[] = [];
    for await (const { position, commit, passed = [] } of this.#options.base.ports.store.readAll({
      fromPosition: from,
    })) {
      // What does not count has its place, too. Nothing is said of what follows a hole: the log is damaged there.
      if (position !== from + hashes.length + passed.length) break;
      for (const hash of passed) hashes.push(hash);
      hashes.push(commit.hash);
      if (hashes.length >= limits.anchoredOrderCommitsMax) break;
    }
    return anchoredOrder(from, hashes.slice(0, limits.anchoredOrderCommitsMax));
  }

  async #manifest(cid: Cid): Promise<AnchorManifest | undefined> {
    const { content } = this.#options.base.ports;
    try {
      return parseAnchorManifest(await content.get(cid, { timeoutMs: manifestTimeoutMs }));
    } catch {
      // Without it the heads it lists are anchored once more: a cost, not a fault.
      return undefined;
    }
  }
}
