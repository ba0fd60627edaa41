import type { AttestOnChain } from '../../../actors/validator/effects.ts';
import type { ValidationContext } from '../../../actors/validator/context.ts';
import type { Folded } from '../../core/fold.ts';
import { errorCode } from '../../core/errors.ts';
import type { CarryBody } from '../../messages/carry.ts';
import type { ChainTaskRecord, Outcome } from '../../ports/queue-messages.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { Changes } from '../carry/changes.ts';
import { leaveToRouter } from '../carry/leave-to-router.ts';
import type { NodeBase } from '../node-base.ts';

/** What attesting stands on. */
export interface Attesting {
  readonly base: NodeBase;
  /** Told whenever a validation has changed. */
  readonly changes: Changes;
  /** The validation as it is now. */
  readonly validation: () => Folded<ValidationContext> | undefined;
}

/**
 * Brings a verdict to the chain: through the router that asked for it, or by itself.
 *
 * @throws PouwError `chain_reverted` where the contract refuses it for good.
 */
export async function attest(attesting: Attesting, effect: AttestOnChain, context: EffectContext): Promise<void> {
  const { base, validation } = attesting;
  const isDone = (): boolean => validation()?.value !== 'attesting';
  if (isDone()) return;
  const part = await partOf(attesting, effect);
  const { router = null, attestBy: dueBy = 0 } = validation()?.context ?? {};
  if (part !== undefined && router !== null) {
    const carried = { id: context.id, part, router, dueBy, isDone };
    if (await leaveToRouter(attesting, carried, context.signal)) return;
  }
  const { task, winner, honest, promptTokens, outputTokens, reportDigest } = effect;
  try {
    await base.send({ call: 'attest', task, winner, honest, promptTokens, outputTokens, reportDigest }, context.id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted' || !(await isOver(base, effect))) throw error;
  }
}

/** The verdict by the places of the miners on chain, signed; undefined where the chain does not want it now. */
async function partOf({ base, validation }: Attesting, effect: AttestOnChain): Promise<CarryBody | undefined> {
  const { chain } = base.ports;
  const { task, reportDigest } = effect;
  const record = await chain.task(task);
  const session = validation()?.context.session;
  if (record === undefined || record.session !== session || record.state !== 'committed') return undefined;
  const outcome = outcomeOf(record, effect);
  if (outcome === undefined) return undefined;
  const { step } = record;
  const signature = await chain.sign(base.identity.address, { is: 'Attestation', task, step, outcome, reportDigest });
  return { is: 'attestation', session, task, step, outcome, reportDigest, signature };
}

/** A verdict by places; undefined where it names somebody who has shown nothing. The places are read from the chain: a router that named them could have honest miners called outliers. */
export function outcomeOf(
  { slots }: ChainTaskRecord,
  effect: Pick<AttestOnChain, 'winner' | 'honest' | 'promptTokens' | 'outputTokens'>,
): Outcome | undefined {
  const { promptTokens, outputTokens } = effect;
  const placeOf = (node: string): number =>
    slots.findIndex(({ miner, state }) => miner === node && state === 'revealed');
  const honest = effect.honest.map(placeOf);
  const winner = placeOf(effect.winner);
  if (winner < 0 || honest.includes(-1)) return undefined;
  return { winner, honest: honest.reduce((set, place) => set | (1 << place), 0), promptTokens, outputTokens };
}

/** Whether the chain has it already, or has decided without it: then the fact of it is on its way. */
async function isOver({ ports, identity }: NodeBase, { task }: AttestOnChain): Promise<boolean> {
  const record = await ports.chain.task(task);
  if (record === undefined) return false;
  const own = record.validators.find(({ validator }) => validator === identity.address);
  return own?.hasAttested === true || ['validated', 'settled', 'refunded'].includes(record.state);
}
