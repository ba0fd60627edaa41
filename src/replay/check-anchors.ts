import { type AnchorManifest, anchorRoot, manifestDigest } from '../core/anchor.ts';
import { cidToDigest } from '../core/cid.ts';
import type { Hex } from '../core/hash.ts';
import type { StreamId } from '../core/ids.ts';
import { emptyRoot } from '../core/merkle.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { FaultList } from './fault.ts';
import type { ChainAnchor } from './source.ts';

/** What the chain says about one commit. */
interface Expectation {
  readonly epoch: number;
  readonly hash: string;
}

/**
 * Checks a log against its anchors: first the anchors themselves, then each commit as it comes by, and at
 * the end that every anchored commit has come.
 */
export class AnchorChecker {
  readonly #expected = new Map<StreamId, Map<number, Expectation>>();
  readonly #faults: FaultList;

  constructor(anchors: readonly ChainAnchor[], faults: FaultList) {
    this.#faults = faults;
    const digestOfRoot = new Map<Hex, Hex[]>();
    for (const [index, anchor] of anchors.entries()) {
      this.#checkAnchor(anchor, index + 1, digestOfRoot);
      digestOfRoot.set(anchor.root, [...(digestOfRoot.get(anchor.root) ?? []), anchor.manifestDigest]);
    }
  }

  /** Takes a commit that was read. */
  take({ position, commit: { stream, version, hash } }: StoredCommit): void {
    const versions = this.#expected.get(stream);
    const expected = versions?.get(version);
    if (versions === undefined || expected === undefined) return;
    versions.delete(version);
    if (expected.hash === hash) return;
    const message = `${stream}@${version} is not the commit that was anchored in epoch ${expected.epoch}.`;
    this.#faults.add('anchor_mismatch', message, { stream, version, position });
  }

  /** Reports the anchored commits that never came, given the version each stream ends with. */
  finish(versionOf: (stream: StreamId) => number): void {
    for (const [stream, versions] of this.#expected) {
      const last = versionOf(stream);
      const missing = [...versions].toSorted(([a], [b]) => a - b);
      for (const [version, { epoch }] of missing) {
        if (version > last) continue;
        this.#faults.add('anchor_mismatch', `${stream}@${version}, anchored in epoch ${epoch}, is not in the log.`, {
          stream,
          version,
        });
      }
      const cut = missing.at(-1);
      if (cut === undefined || cut[0] <= last) continue;
      const message = `${stream} ends at version ${last}, but version ${cut[0]} was anchored in epoch ${cut[1].epoch}: its tail was cut.`;
      this.#faults.add('tail_cut', message, { stream, version: last + 1 });
    }
  }

  #checkAnchor(anchor: ChainAnchor, expectedEpoch: number, earlier: ReadonlyMap<Hex, readonly Hex[]>): void {
    const { epoch, manifest } = anchor;
    if (epoch !== expectedEpoch)
      this.#faults.add('anchor_broken_chain', `Epoch ${expectedEpoch} is missing or out of order.`);
    if (manifest === null) {
      this.#faults.add(
        'anchor_manifest_missing',
        `The manifest of epoch ${epoch} could not be had, so its heads are not known.`,
      );
      return;
    }
    if (manifestDigest(manifest) !== anchor.manifestDigest) {
      this.#faults.add('anchor_wrong_manifest', `The manifest of epoch ${epoch} is not the one the chain names.`);
    }
    if (anchorRoot(manifest) !== anchor.root) {
      this.#faults.add('anchor_wrong_manifest', `The manifest of epoch ${epoch} does not lead to the root on chain.`);
    }
    if (!followsEarlier(manifest, earlier)) {
      this.#faults.add('anchor_broken_chain', `Epoch ${epoch} does not name an earlier anchor as its previous one.`);
    }
    for (const [stream, version, hash] of manifest.heads) this.#expect(stream, version, { epoch, hash });
  }

  #expect(stream: StreamId, version: number, expectation: Expectation): void {
    const versions = this.#expected.get(stream) ?? new Map<number, Expectation>();
    this.#expected.set(stream, versions);
    const known = versions.get(version);
    if (known === undefined) versions.set(version, expectation);
    else if (known.hash !== expectation.hash) {
      const message = `Epochs ${known.epoch} and ${expectation.epoch} anchor two different commits as ${stream}@${version}.`;
      this.#faults.add('anchor_mismatch', message, { stream, version });
    }
  }
}

/** Two routers may anchor at the same time, so the previous one is some earlier anchor, not always the last. */
function followsEarlier({ prev, prevRoot }: AnchorManifest, earlier: ReadonlyMap<Hex, readonly Hex[]>): boolean {
  if (prev === null) return prevRoot === emptyRoot;
  return earlier.get(prevRoot)?.includes(cidToDigest(prev)) ?? false;
}
