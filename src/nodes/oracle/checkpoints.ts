import { canonicalJson } from '../../core/canonical-json.ts';
import { type Checkpoint, type Standing, standingLeaf, standingsTree } from '../../core/checkpoint.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { checkpointSignature, signCheckpointBody } from '../../messages/checkpoints.ts';
import type { ReputationChain, ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';

/** Which checkpoint is to be made. */
export interface CheckpointWanted {
  /** The first new position of the log. */
  readonly from: number;
  /** Anchors after this time, in milliseconds since 1970, are of a later epoch. */
  readonly endedAt: number;
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
}

/** What posting checkpoints stands on. */
export interface CheckpointOptions {
  readonly reputation: ReputationChain;
  /** Makes a checkpoint from this process's own reading of the log; `pouw log reputation` makes the same. */
  readonly make: (wanted: CheckpointWanted) => Promise<MadeCheckpoint | undefined>;
  /** Between two looks, in milliseconds, and how long one oracle leads (`limits.checkpointEveryMsMin`). */
  readonly everyMs: number;
}

/** A checkpoint that is to be posted, and what it says. */
interface Due {
  readonly checkpoint: Checkpoint;
  readonly manifest: JsonObject;
}

/** How long the standings of a posted checkpoint may take to arrive. */
const contentTimeoutMs = 5_000;

/**
 * Posts what the log says of the nodes, once for each epoch that is over, and has levels follow what counts. Nothing of
 * it is remembered here: epoch, positions and what was posted are on chain, all else is in the log, so whoever starts
 * again finds the same to do. Oracles lead in turn, by address; who does not lead signs what it finds itself, or refuses.
 */
export class Checkpoints {
  readonly #base: NodeBase;
  readonly #options: CheckpointOptions;
  /** Levels that need nothing more of this one, by epoch and node; of the newest epoch only. */
  #applied = new Set<string>();
  /** The newest checkpoint that was made here. */
  #made: { readonly key: string; readonly due: Promise<Due | undefined> } | undefined;

  constructor(base: NodeBase, options: CheckpointOptions) {
    this.#base = base;
    this.#options = options;
  }

  /** Signs for others from now on. */
  listen(): void {
    this.#base.onCommand('sign-checkpoint', 'oracle', signCheckpointBody, async ({ body }) => ({
      signature: await this.sign(body.checkpoint),
    }));
  }

  /** Looks whether something is to be done, until the node stops. */
  async run(): Promise<void> {
    const { clock, log } = this.#base.ports;
    while (!this.#base.stopping.aborted) {
      await clock.sleep(this.#options.everyMs, this.#base.stopping).catch(() => undefined);
      if (this.#base.stopping.aborted) return;
      await this.look().catch((error: unknown) =>
        log.warn('no checkpoint was posted', { code: errorCode(error), error: errorMessage(error) }),
      );
    }
  }

  /** Does what is to be done now, where this oracle leads. @returns what it did. */
  async look(): Promise<'nothing' | 'posted' | 'levels'> {
    const { clock, directory } = this.#base.ports;
    const active = directory.active('oracle').map(({ node }) => node);
    const leader = active[Math.floor(clock.now() / this.#options.everyMs) % active.length];
    if (leader !== this.#base.identity.address) return 'nothing';
    const state = await this.#options.reputation.state();
    if (state.newest?.isFinal === true && (await this.#applyLevels(state.newest.checkpoint))) return 'levels';
    const made = await this.#due(state);
    return made !== undefined && (await this.#post(made, state, active)) ? 'posted' : 'nothing';
  }

  /**
   * Signs a checkpoint that is just what this oracle would post now.
   *
   * @throws PouwError `checkpoint_not_due`, `checkpoint_differs`.
   */
  async sign(asked: Checkpoint): Promise<Hex> {
    const state = await this.#options.reputation.state();
    const made = await this.#due(state);
    if (made === undefined) {
      throw new PouwError('checkpoint_not_due', `No checkpoint of epoch ${asked.epoch} is to be posted now.`, {
        class: 'conflict',
      });
    }
    if (canonicalJson(made.checkpoint) !== canonicalJson(asked)) {
      throw new PouwError('checkpoint_differs', `The log here leads to another checkpoint of epoch ${asked.epoch}.`, {
        class: 'conflict',
        why: `Its root here is ${made.checkpoint.root}, up to position ${made.checkpoint.toPosition}.`,
      });
    }
    await this.#pin(made.manifest);
    return this.#options.reputation.sign(this.#base.identity.address, asked);
  }

  /**
   * The checkpoint of the newest epoch that is over, where it has none and the one before counts; undefined where none is
   * due, or the log says nothing of any node. It follows from chain and log alone, so that all oracles make the same one,
   * however late; it is made once, since reading a long log takes longer than a question may.
   */
  async #due(state: ReputationState): Promise<Due | undefined> {
    const { endedEpoch, newest, revision } = state;
    if (endedEpoch <= (newest?.checkpoint.epoch ?? 0) || newest?.isFinal === false) return undefined;
    const key = `${endedEpoch}.${revision}`;
    if (this.#made?.key !== key) this.#made = { key, due: this.#make(state) };
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

  async #make({ endedEpoch: epoch, endedAt, newest, revision }: ReputationState): Promise<Due | undefined> {
    const before = newest?.checkpoint;
    const from = (before?.toPosition ?? 0) + 1;
    const nodes = (await this.#base.ports.chain.nodes()).map(({ node }) => node);
    const idleWork = await this.#options.reputation.idleWork(epoch, nodes);
    const made = await this.#options.make({ from, endedAt, idleWork });
    if (made === undefined || made.standings.length === 0) return undefined;
    const checkpoint = {
      epoch,
      skipped: epoch - (before?.epoch ?? 0) - 1,
      fromPosition: from,
      toPosition: made.to,
      anchorEpoch: made.anchorEpoch,
      idleWork: made.standings.reduce((sum, standing) => sum + standing.idleWork, 0),
      nodes: made.standings.length,
      revision,
      root: standingsTree(made.standings).root,
      manifestDigest: made.manifestDigest,
    };
    return { checkpoint, manifest: made.manifest };
  }

  async #post(
    { checkpoint, manifest }: Due,
    { quorum }: ReputationState,
    active: readonly Address[],
  ): Promise<boolean> {
    await this.#pin(manifest);
    const { log } = this.#base.ports;
    const own = this.#base.identity.address;
    const { epoch, revision } = checkpoint;
    const id = `checkpoint.post/${epoch}.${revision}:${own}:0` as EffectId;
    const signed = await Promise.all(
      active.map(async (oracle) => {
        try {
          return await this.#signatureOf(oracle, checkpoint, id);
        } catch (error) {
          const fields = { oracle, epoch, code: errorCode(error), error: errorMessage(error) };
          log.warn('an oracle did not sign the checkpoint', fields);
          return undefined;
        }
      }),
    );
    // In the order of their addresses, which is that of the directory.
    const signatures = signed.filter((signature) => signature !== undefined).slice(0, limits.checkpointSignaturesMax);
    if (signatures.length < quorum) {
      log.warn('a checkpoint has too few signatures', { epoch, signatures: signatures.length, quorum });
      return false;
    }
    await this.#base.send({ call: 'postCheckpoint', checkpoint, signatures }, id);
    log.info('a checkpoint was posted', { epoch, root: checkpoint.root, signatures: signatures.length });
    return true;
  }

  /** @throws PouwError what the other refuses with; `checkpoint_wrong_signature`. */
  async #signatureOf(oracle: Address, checkpoint: Checkpoint, id: string): Promise<Hex> {
    const { reputation } = this.#options;
    if (oracle === this.#base.identity.address) return reputation.sign(oracle, checkpoint);
    const body = { checkpoint: { ...checkpoint } };
    const { signature } = await this.#base.ask('oracle', oracle, 'sign-checkpoint', id, body, checkpointSignature);
    if ((await reputation.signerOf(checkpoint, signature)) === oracle) return signature;
    throw new PouwError('checkpoint_wrong_signature', `${oracle} answered with a signature that is not its own.`, {
      class: 'forbidden',
    });
  }

  /** Moves the levels of nodes that a checkpoint that counts gives another one, once each. @returns whether any moved. */
  async #applyLevels({ epoch, manifestDigest }: Checkpoint): Promise<boolean> {
    const standings = await this.#standingsOf(manifestDigest);
    if (standings === undefined) return false;
    const tree = standingsTree(standings);
    const key = (node: Address): string => `${epoch}:${node}`;
    this.#applied = new Set([...this.#applied].filter((one) => one.startsWith(`${epoch}:`)));
    let moved = 0;
    for (const standing of standings) {
      if (moved >= limits.levelsAtOnceMax || this.#applied.has(key(standing.node))) continue;
      const record = await this.#base.ports.chain.node(standing.node);
      this.#applied.add(key(standing.node));
      if (record === undefined || record.level === standing.level) continue;
      moved += (await this.#applyLevel(epoch, standing, tree.proof(standingLeaf(standing)))) ? 1 : 0;
    }
    return moved > 0;
  }

  async #applyLevel(epoch: number, standing: Standing, proof: readonly Hex[]): Promise<boolean> {
    const own = this.#base.identity.address;
    const id = `checkpoint.level/${epoch}.${standing.node}:${own}:0` as EffectId;
    try {
      await this.#base.send({ call: 'applyLevel', standing, proof }, id);
      return true;
    } catch (error) {
      // Another oracle, or the node itself, was first.
      if (errorCode(error) === 'chain_reverted') return false;
      this.#applied.delete(`${epoch}:${standing.node}`);
      throw error;
    }
  }

  /** The standings of a checkpoint; undefined where they cannot be had. */
  async #standingsOf(manifestDigest: Hex): Promise<readonly Standing[] | undefined> {
    try {
      const options = { timeoutMs: contentTimeoutMs, signal: this.#base.stopping };
      const manifest = await this.#base.ports.content.get(digestToCid(manifestDigest), options);
      // Its digest is on chain, signed by a quorum: it is what the oracles have made.
      return (manifest as unknown as { readonly standings: readonly Standing[] }).standings;
    } catch (error) {
      if (errorCode(error) === 'content_not_found') return undefined;
      throw error;
    }
  }

  async #pin(manifest: Json): Promise<void> {
    const { content } = this.#base.ports;
    await content.put(manifest);
    await content.flush();
  }
}
