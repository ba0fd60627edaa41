import { type Checkpoint, type Ruling, type Standing, standingLeaf, standingsTree } from '../../core/checkpoint.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { signCheckpointBody } from '../../messages/checkpoints.ts';
import type { ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';
import { collectSignatures } from './collect-signatures.ts';
import { Disputes, type DisputeStep } from './disputes.ts';
import { isSame, keyOf, type OwnCheckpoint, OwnReading, type ReadingOptions } from './own-reading.ts';

/** What posting checkpoints stands on. */
export interface CheckpointOptions extends ReadingOptions {
  /** Between two looks, in milliseconds, and how long one oracle leads (`limits.checkpointEveryMsMin`). */
  readonly everyMs: number;
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
  readonly #reading: OwnReading;
  readonly #disputes: Disputes;

  constructor(base: NodeBase, options: CheckpointOptions) {
    this.#base = base;
    this.#options = options;
    this.#reading = new OwnReading(base, options);
    this.#disputes = new Disputes(base, options.reputation, this.#reading);
  }

  /** Signs for others from now on. */
  listen(): void {
    this.#base.onCommand('sign-checkpoint', 'oracle', signCheckpointBody, async ({ body }) => ({
      signature: await this.sign(body.checkpoint),
    }));
    this.#disputes.listen();
  }

  /** Looks whether something is to be done, until the node stops. */
  async run(): Promise<void> {
    const { clock, log } = this.#base.ports;
    while (!this.#base.stopping.aborted) {
      await clock.sleep(this.#options.everyMs, this.#base.stopping).catch(() => undefined);
      if (this.#base.stopping.aborted) return;
      await this.look().catch((error: unknown) =>
        log.warn('a look at checkpoints failed', { code: errorCode(error), error: errorMessage(error) }),
      );
    }
  }

  /** Does what is to be done now; posting, ruling and levels where this oracle leads. @returns what it did. */
  async look(): Promise<'nothing' | 'bond' | 'posted' | 'levels' | DisputeStep> {
    const { clock, directory } = this.#base.ports;
    const active = directory.active('oracle').map(({ node }) => node);
    const leader = active[Math.floor(clock.now() / this.#options.everyMs) % active.length];
    const leads = leader === this.#base.identity.address;
    const state = await this.#options.reputation.state();
    const step = await this.#disputes.look(state, active, leads);
    if (step !== undefined) return step;
    const otherwise = (await this.#disputes.takeBond()) ? 'bond' : 'nothing';
    if (!leads) return otherwise;
    if (state.newest?.state === 'final' && (await this.#applyLevels(state.newest.checkpoint))) return 'levels';
    const made = await this.#reading.due(state);
    return made !== undefined && (await this.#post(made, state, active)) ? 'posted' : otherwise;
  }

  /** Signs a ruling on a disputed checkpoint; see {@link Disputes.sign}. */
  signRuling(asked: Ruling): Promise<Hex> {
    return this.#disputes.sign(asked);
  }

  /**
   * Signs a checkpoint that is just what this oracle would post now.
   *
   * @throws PouwError `checkpoint_not_due`, `checkpoint_differs`.
   */
  async sign(asked: Checkpoint): Promise<Hex> {
    const state = await this.#options.reputation.state();
    const made = await this.#reading.due(state);
    if (made === undefined) {
      throw new PouwError('checkpoint_not_due', `No checkpoint of epoch ${asked.epoch} is to be posted now.`, {
        class: 'conflict',
      });
    }
    if (!isSame(made.checkpoint, asked)) {
      throw new PouwError('checkpoint_differs', `The log here leads to another checkpoint of epoch ${asked.epoch}.`, {
        class: 'conflict',
        why: `Its root here is ${made.checkpoint.root}, up to position ${made.checkpoint.toPosition}.`,
      });
    }
    await this.#pin(made.manifest);
    return this.#options.reputation.sign(this.#base.identity.address, asked);
  }

  async #post(
    { checkpoint, manifest }: OwnCheckpoint,
    { quorum }: ReputationState,
    active: readonly Address[],
  ): Promise<boolean> {
    await this.#pin(manifest);
    const { log } = this.#base.ports;
    const { reputation } = this.#options;
    const own = this.#base.identity.address;
    const { epoch } = checkpoint;
    const id = `checkpoint.post/${keyOf(checkpoint)}:${own}:0` as EffectId;
    const signatures = await collectSignatures(this.#base, active, {
      verb: 'sign-checkpoint',
      id,
      body: { checkpoint: { ...checkpoint } },
      epoch,
      sign: () => reputation.sign(own, checkpoint),
      signerOf: (signature) => reputation.signerOf(checkpoint, signature),
    });
    if (signatures.length < quorum) {
      log.warn('a checkpoint has too few signatures', { epoch, signatures: signatures.length, quorum });
      return false;
    }
    await this.#base.send({ call: 'postCheckpoint', checkpoint, signatures }, id);
    log.info('a checkpoint was posted', { epoch, root: checkpoint.root, signatures: signatures.length });
    return true;
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
