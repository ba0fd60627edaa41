import { type Checkpoint, disputeBondWei, type Ruling } from '../../core/checkpoint.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import { type Hex, hashJson } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { formatCor, lessWei, zeroWei } from '../../core/wei.ts';
import { signRulingBody } from '../../messages/checkpoints.ts';
import type { PostedCheckpoint, ReputationChain, ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';
import { collectSignatures } from './collect-signatures.ts';
import { keyOf, type OwnCheckpoint, type OwnReading } from './own-reading.ts';

/** The version of the claim this code writes. */
const claimFormat = 1;

/** What a look at disputes did. */
export type DisputeStep = 'disputed' | 'ruled' | 'ended';

/**
 * Disputes a checkpoint that the log does not lead to, rules on disputed ones, and ends disputes that nobody could rule on.
 * Nothing of it is remembered but what this oracle has given up on: the rest is on chain.
 */
export class Disputes {
  readonly #base: NodeBase;
  readonly #reputation: ReputationChain;
  readonly #reading: OwnReading;
  /** The checkpoint that this oracle leaves to others. */
  #left: string | undefined;
  /** The checkpoint for which it could not pay a bond. */
  #unpaid: string | undefined;

  constructor(base: NodeBase, reputation: ReputationChain, reading: OwnReading) {
    this.#base = base;
    this.#reputation = reputation;
    this.#reading = reading;
  }

  /** Signs rulings for others from now on. */
  listen(): void {
    this.#base.onCommand('sign-ruling', 'oracle', signRulingBody, async ({ body }) => ({
      signature: await this.sign(body.ruling),
    }));
  }

  /**
   * Does what is to be done now. Every oracle judges what was posted, so that it knows when it is asked.
   *
   * @param leads whether it is this oracle's turn.
   * @returns what it did.
   */
  async look(state: ReputationState, active: readonly Address[], leads: boolean): Promise<DisputeStep | undefined> {
    const { newest } = state;
    if (newest === undefined || newest.state === 'final') return undefined;
    const verdict = await this.#reading.judge(newest);
    if (newest.state === 'open') {
      if (verdict === undefined || verdict.stands || !(leads || isLate(state, newest))) return undefined;
      return (await this.#tryDispute(newest, verdict.found)) ? 'disputed' : undefined;
    }
    if (!leads) return undefined;
    if (verdict !== undefined && (await this.#rule(state, newest, verdict.stands, active))) return 'ruled';
    if (state.at <= newest.dueAt) return undefined;
    await this.#end(newest);
    return 'ended';
  }

  /**
   * Signs a ruling on the disputed checkpoint that is just what this oracle finds.
   *
   * @throws PouwError `ruling_not_due`, `ruling_unsure`, `ruling_differs`.
   */
  async sign(asked: Ruling): Promise<Hex> {
    const { newest } = await this.#reputation.state();
    const { epoch, root, revision, stands } = asked;
    const { checkpoint } = newest ?? {};
    const isIt = checkpoint?.epoch === epoch && checkpoint.root === root && checkpoint.revision === revision;
    if (newest?.state !== 'disputed' || !isIt)
      throw new PouwError('ruling_not_due', `No such checkpoint of epoch ${epoch} is disputed now.`, {
        class: 'conflict',
      });
    const verdict = await this.#reading.judge(newest);
    if (verdict === undefined)
      throw new PouwError(
        'ruling_unsure',
        `The log here does not tell whether the checkpoint of epoch ${epoch} is true.`,
        {
          class: 'unavailable',
          why: 'Log or anchors are behind, or cannot be read in full.',
        },
      );
    if (verdict.stands !== stands)
      throw new PouwError('ruling_differs', `The log here rules otherwise on the checkpoint of epoch ${epoch}.`, {
        class: 'conflict',
        ...(verdict.stands ? {} : { why: `Its root here is ${verdict.found.checkpoint.root}.` }),
      });
    return this.#reputation.signRuling(this.#base.identity.address, asked);
  }

  async #tryDispute(posted: PostedCheckpoint, found: OwnCheckpoint): Promise<boolean> {
    const { log } = this.#base.ports;
    const { checkpoint, before } = posted;
    const { epoch } = checkpoint;
    const key = keyOf(checkpoint);
    const own = this.#base.identity.address;
    if (this.#left === key) return false;
    if (before?.disputer === own) {
      // Whoever reads the log wrongly would else lose a bond in each epoch.
      this.#left = key;
      const why = 'its dispute of the checkpoint before was in vain';
      log.warn('a wrong checkpoint is left to the other oracles', { epoch, code: 'dispute_held_back', why });
      return false;
    }
    try {
      await this.#dispute(checkpoint, found);
      return true;
    } catch (error) {
      const fields = { epoch, code: errorCode(error), error: errorMessage(error) };
      if (errorCode(error) === 'dispute_bond_missing') {
        // Tried again at each look, for whoever sends the $COR in time; said once.
        if (this.#unpaid !== key) log.warn('a wrong checkpoint cannot be disputed', fields);
        this.#unpaid = key;
        return false;
      }
      if (errorCode(error) !== 'chain_reverted') throw error;
      // Another oracle was first, or it is too late: nothing was put down.
      this.#left = key;
      log.warn('a dispute was refused', fields);
      return false;
    }
  }

  /** @throws PouwError `dispute_bond_missing`, `chain_reverted`, `chain_unreachable`. */
  async #dispute(disputed: Checkpoint, { checkpoint, manifest }: OwnCheckpoint): Promise<void> {
    const { chain, content, log } = this.#base.ports;
    const { epoch, revision, root } = disputed;
    const own = this.#base.identity.address;
    const heldWei = await chain.corBalance(own);
    if (lessWei(heldWei, disputeBondWei)) {
      const holds = `${own} holds ${formatCor(heldWei)} $COR, not the ${formatCor(disputeBondWei)} of a bond.`;
      throw new PouwError('dispute_bond_missing', holds, {
        class: 'payment',
        hint: 'Send it $COR while the checkpoint may be disputed; another oracle may dispute it, too.',
        details: { account: own, heldWei, neededWei: disputeBondWei },
      });
    }
    const found = { ...checkpoint };
    const claim = { v: claimFormat, disputed: { epoch, revision, root }, found };
    await content.put(manifest);
    await content.put(claim);
    await content.flush();
    if (lessWei(await this.#reputation.allowance(own), disputeBondWei)) {
      const allowing = { call: 'approve', spender: 'reputation', amountWei: disputeBondWei } as const;
      await this.#base.send(allowing, this.#id('allow', keyOf(disputed)));
    }
    const claimDigest: Hex = `0x${hashJson(claim)}`;
    await this.#base.send({ call: 'disputeCheckpoint', epoch, claimDigest }, this.#id('dispute', keyOf(disputed)));
    log.warn('a wrong checkpoint is disputed', { epoch, revision, root, found: checkpoint.root, claimDigest });
  }

  /** Brings a quorum's ruling. @returns whether it was made. */
  async #rule(
    { rulingQuorum }: ReputationState,
    { checkpoint }: PostedCheckpoint,
    stands: boolean,
    active: readonly Address[],
  ): Promise<boolean> {
    const { log } = this.#base.ports;
    const { epoch, root, revision } = checkpoint;
    const ruling: Ruling = { epoch, root, revision, stands };
    const id = this.#id('rule', keyOf(checkpoint));
    const reputation = this.#reputation;
    const signatures = await collectSignatures(this.#base, active, {
      verb: 'sign-ruling',
      id,
      body: { ruling: { ...ruling } },
      epoch,
      sign: () => reputation.signRuling(this.#base.identity.address, ruling),
      signerOf: (signature) => reputation.signerOfRuling(ruling, signature),
    });
    const count = { epoch, stands, signatures: signatures.length };
    if (signatures.length < rulingQuorum) {
      log.warn('a ruling has too few signatures', { ...count, rulingQuorum });
      return false;
    }
    try {
      await this.#base.send({ call: 'ruleCheckpoint', epoch, stands, signatures }, id);
    } catch (error) {
      // Who signed may be an oracle no more, or somebody was first: the dispute has to end all the same.
      if (errorCode(error) !== 'chain_reverted') throw error;
      log.warn('a ruling was refused', { ...count, code: 'chain_reverted', error: errorMessage(error) });
      return false;
    }
    log.info('a disputed checkpoint was ruled on', count);
    return true;
  }

  async #end({ checkpoint }: PostedCheckpoint): Promise<void> {
    const { epoch } = checkpoint;
    await this.#base.send({ call: 'endDispute', epoch }, this.#id('end', keyOf(checkpoint)));
    this.#base.ports.log.warn('a dispute ended without a ruling', { epoch });
  }

  /** Takes what this oracle is owed of bonds; what it cannot take now it takes at another look. @returns whether it took any. */
  async takeBond(): Promise<boolean> {
    const { log } = this.#base.ports;
    const own = this.#base.identity.address;
    try {
      const amountWei = await this.#reputation.owed(own);
      if (amountWei === zeroWei) return false;
      const number = await this.#reputation.withdrawals(own);
      await this.#base.send({ call: 'withdrawDisputeBond' }, this.#id('bond', String(number)));
      log.info('the bond of a dispute is back', { amountWei });
      return true;
    } catch (error) {
      log.warn('the bond of a dispute was not taken', { code: errorCode(error), error: errorMessage(error) });
      return false;
    }
  }

  #id(what: string, of: string): EffectId {
    return `checkpoint.${what}/${of}:${this.#base.identity.address}:0` as EffectId;
  }
}

/** From half of the time on, whose turn it is no longer matters: those whose turns come may all be silent. */
function isLate({ at, disputeMs }: ReputationState, { dueAt }: PostedCheckpoint): boolean {
  return at > dueAt - disputeMs / 2;
}
