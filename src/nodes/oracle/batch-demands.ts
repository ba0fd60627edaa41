import type { LeafPlace } from '../../core/batch/check.ts';
import { type BatchFact, batchAnswerS, type BatchOnChain } from '../../core/batch/fact.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { formatCor, lessWei, oneCor, type Wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { NodeBase } from '../node-base.ts';

/** What a demand puts down for whoever shows the leaf; the contract's `DEMAND_WEI`. */
export const batchDemandWei: Wei = oneCor;

/** A leaf that somebody has demanded. */
type Demand = Extract<BatchFact, { type: 'LeafDemanded' }>;

const dayMs = 86_400_000;

/** Why a batch cannot be checked. */
export interface Suspicion {
  /** The leaves that would show what is wrong. */
  readonly leaves: readonly LeafPlace[];
  /** Before this time the content may still arrive, in milliseconds since 1970. */
  readonly from: number;
}

/**
 * Has posters show what nobody could check: leaves of batches whose content cannot be had, or is not what was posted. Who
 * shows nothing in time loses the batch and its bond. Which leaf is asked for, nobody knows before; one is asked for at a
 * time, and few of a batch, since each that is shown costs. All that is remembered is on chain: whoever starts again goes on.
 */
export class LeafDemands {
  readonly #base: NodeBase;
  readonly #suspicions = new Map<number, Suspicion>();
  /** Demands that nothing is to be done for any more, by effect. */
  readonly #over = new Set<string>();
  /** Demands for which no proof was taken: the leaf was shown, or another proof was first, and then the deposit comes back. */
  readonly #unproven = new Set<string>();
  /** The newest demand of a batch: how many were known before, and when it was sent, in milliseconds since 1970. */
  readonly #sent = new Map<number, { readonly known: number; readonly at: number }>();

  constructor(base: NodeBase) {
    this.#base = base;
  }

  /** Notes that a batch cannot be checked. */
  suspect(batch: number, suspicion: Suspicion): void {
    this.#suspicions.set(batch, suspicion);
  }

  /** Notes that a batch was checked after all. */
  clear(batch: number): void {
    this.#suspicions.delete(batch);
  }

  /** Does what is to be done now. `facts` are those about batches, of which `batches` are. */
  async look(batches: ReadonlyMap<number, BatchOnChain>, facts: readonly BatchFact[]): Promise<void> {
    const own = facts.filter((fact): fact is Demand => fact.type === 'LeafDemanded' && this.#isOwn(fact));
    const open = own.filter((demand) => !this.#over.has(nameOf(demand)));
    if (open.length === 0 && this.#suspicions.size === 0) return;
    const { at } = await this.#base.ports.chain.block();
    for (const demand of open) {
      const batch = batches.get(demand.batch);
      if (batch !== undefined) await this.#end(demand, batch, at);
    }
    for (const [id, suspicion] of this.#suspicions) {
      const batch = batches.get(id);
      if (batch?.state !== 'posted') this.#suspicions.delete(id);
      else if (at >= suspicion.from) await this.#demand(batch, suspicion, { batches, own, at });
    }
  }

  /** Whether an answer, or the time for it, is still to be waited for. */
  #isOpen(demand: Demand): boolean {
    return !this.#over.has(nameOf(demand)) && !this.#unproven.has(nameOf(demand));
  }

  #isOwn({ asker }: Demand): boolean {
    return asker === this.#base.identity.address;
  }

  /** Proves that a leaf was not shown in time, or has its deposit back where that cannot matter any more. */
  async #end(demand: Demand, { state, header }: BatchOnChain, at: number): Promise<void> {
    const { batch, kind, position } = demand;
    if (state === 'posted' && (at <= demand.answerBy || this.#unproven.has(nameOf(demand)))) return;
    const leaf = { batch, kind, position };
    // What the contract refuses is closed.
    if (state === 'void') await this.#try({ call: 'takeBack', ...leaf }, `batch.take-back:${this.#name(demand)}`);
    if (state === 'posted') {
      const isProven = await this.#try(
        { call: 'proveWithheld', header, ...leaf },
        `batch.withheld:${this.#name(demand)}`,
      );
      if (!isProven) {
        this.#unproven.add(nameOf(demand));
        return;
      }
      this.#suspicions.delete(batch);
      this.#base.ports.log.warn('a leaf was not shown, and its batch is void', { ...leaf });
    }
    this.#over.add(nameOf(demand));
  }

  async #demand(
    { batch, header, poster }: BatchOnChain,
    { leaves }: Suspicion,
    { batches, own, at }: { batches: ReadonlyMap<number, BatchOnChain>; own: readonly Demand[]; at: number },
  ): Promise<void> {
    const { clock, log, random } = this.#base.ports;
    const before = own.filter((demand) => demand.batch === batch);
    if (before.some((demand) => this.#isOpen(demand)) || this.#isSent(batch, before.length)) return;
    const ofPoster = own.filter((demand) => {
      const other = batches.get(demand.batch);
      return other?.poster === poster && other.state !== 'void' && demand.answerBy > at - dayMs;
    });
    const asked = new Set(before.map(nameOf));
    const left = leaves.filter((leaf) => !asked.has(nameOf({ batch, ...leaf })));
    // The chain's next block is later than its newest one.
    const isLate = at + 2 * batchAnswerS * 1_000 + limits.batchLookMs > header.demandsUntil * 1_000;
    if (before.length >= limits.batchDemandsMax || ofPoster.length >= limits.posterDemandsMax || isLate) {
      log.error('a batch stands that could not be checked', { batch, poster, shown: before.length });
      this.#suspicions.delete(batch);
      return;
    }
    const leaf = left[Number(BigInt(random.bytes32()) % BigInt(Math.max(left.length, 1)))];
    if (leaf === undefined || !(await this.#canPay())) return;
    const demand = { batch, ...leaf };
    const bond = { call: 'approve', spender: 'batchDemands', amountWei: batchDemandWei } as const;
    const effect = `batch.demand:${this.#name(demand)}`;
    log.warn('a leaf of a batch is demanded', { ...demand, poster });
    // Somebody else may have demanded the same one: then another is asked for at the next look.
    if (!(await this.#try(bond, `${effect}/bond`)) || !(await this.#try({ call: 'demand', header, ...demand }, effect)))
      return;
    this.#sent.set(batch, { known: before.length, at: clock.now() });
  }

  /** Whether a demand is on its way back from the chain; a reorg may have taken it, so not for ever. */
  #isSent(batch: number, known: number): boolean {
    const sent = this.#sent.get(batch);
    const now = this.#base.ports.clock.now();
    return sent?.known === known && now < sent.at + limits.batchContentPatienceMs;
  }

  async #canPay(): Promise<boolean> {
    const { chain, log } = this.#base.ports;
    const { address } = this.#base.identity;
    const heldWei = await chain.corBalance(address);
    if (!lessWei(heldWei, batchDemandWei)) return true;
    const needs = { code: 'insufficient_cor', held: formatCor(heldWei), needed: formatCor(batchDemandWei) };
    log.warn('a leaf cannot be demanded', needs);
    return false;
  }

  /** @returns whether the contract took it. @throws PouwError where the chain cannot be asked. */
  async #try(call: ChainCall, effect: string): Promise<boolean> {
    try {
      await this.#base.send(call, effect as EffectId);
      return true;
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      this.#base.ports.log.debug('the contract refused', { call: call.call, error: errorMessage(error) });
      return false;
    }
  }

  #name(leaf: LeafPlace & { readonly batch: number }): string {
    return `${this.#base.identity.address}:${nameOf(leaf)}`;
  }
}

function nameOf({ batch, kind, position }: LeafPlace & { readonly batch: number }): string {
  return `${batch}.${kind}.${position}`;
}
