import type { RouterContext } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import type { AnchorOnChain } from '../../../actors/router/effects.ts';
import { type AnchoredHead, anchorManifest, type AnchorManifest, parseAnchorManifest } from '../../core/anchor.ts';
import { type AnchoredOrder, anchoredOrder } from '../../core/anchored-order.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Cid, StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { NodeBase } from '../node-base.ts';
import { AnchoredHeads, type Covering } from './anchored-heads.ts';

/** How long a manifest may take to arrive when the chain of anchors is read back. */
const manifestTimeoutMs = 2_000;
const leaseName = 'anchor';
const leaseMs = 10_000;

/** What an anchorer stands on. */
export interface AnchorerOptions {
  readonly base: NodeBase;
  readonly everyMs: number;
  readonly book: () => Promise<RouterContext>;
  readonly dispatch: (command: RouterCommand, cause: string) => Promise<void>;
}

/** Puts the heads and the order of the log on chain, epoch by epoch; one router of the network at a time. */
export class Anchorer {
  readonly #options: AnchorerOptions;
  readonly #anchored = new AnchoredHeads();
  /** Manifests that were read, or could not be had. */
  readonly #known = new Recent<Cid, true>(limits.anchorsKnownMax);
  /** The last position up to which the anchors known here say the order of the log without a gap. */
  #orderedTo = 0;
  /** The proposal being made: who asks meanwhile shares it, since two at a time would refuse each other. */
  #proposing: Promise<boolean> | undefined;

  constructor(options: AnchorerOptions) {
    this.#options = options;
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
    const { leases, store, content } = base.ports;
    if ((await leases.acquire(leaseName, base.identity.address, leaseMs)) === undefined) return false;
    const { pendingAnchor, lastAnchor } = await book();
    if (pendingAnchor !== null) return false;
    await this.catchUp();
    // Before the heads, so that every commit in the order is below one of them.
    const order = await this.#newOrder();
    const changed: AnchoredHead[] = [];
    let commits = 0;
    for await (const { stream, version, hash } of store.heads()) {
      const since = this.#anchored.version(stream);
      if (version > since) changed.push([stream, version, hash]);
      commits += version - since;
    }
    if (!changed.some(([stream]) => stream.startsWith('session.'))) return false;
    const previous = lastAnchor === null ? undefined : { cid: lastAnchor.manifest, root: lastAnchor.root };
    const { manifest, cid, root } = anchorManifest(previous, changed, order);
    await content.put(manifest);
    await content.flush();
    await dispatch({ type: 'AnchorDue', root, manifest: cid, commits }, `anchor:${root}`);
    return true;
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
