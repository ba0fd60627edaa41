import { encodeFunctionData } from 'viem';
import { type Hex, keccak256 } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { DisciplineCall } from '../../ports/chain-discipline.ts';
import type { MarketCall } from '../../ports/chain-market.ts';
import type { ReservationCall } from '../../ports/chain-reservations.ts';
import type { SessionChangeCall } from '../../ports/chain-session-changes.ts';
import type { ChainCall, Deployment } from '../../ports/chain.ts';
import { pricingAbi, registryAbi } from './abi.ts';
import { reservationCall } from './reservation-calls.ts';
import { sessionChangeCall } from './session-change-calls.ts';

/** A call that changes a session, its pool of miners, what was slashed, or who counts for a model. */
type ChangeCall = SessionChangeCall | ReservationCall | DisciplineCall | MarketCall;

const names: ReadonlySet<ChainCall['call']> = new Set<ChangeCall['call']>([
  'updateSession',
  'offerSession',
  'acceptSession',
  'deactivateSession',
  'reactivateSession',
  'addRouter',
  'removeRouter',
  'replaceRouter',
  'addDedicatedMiner',
  'removeDedicatedMiner',
  'inviteMiner',
  'withdrawInvitation',
  'dismissMiner',
  'joinSession',
  'leaveSession',
  'endReservation',
  'withdrawReward',
  'sweepSlashed',
  'stopUnfit',
  'countMiner',
  'strikeMiner',
]);

/** Whether a call changes a session, its pool of miners, what was slashed, or who counts for a model. */
export function isChangeCall(call: ChainCall): call is ChangeCall {
  return names.has(call.call);
}

/** The contract that such a call is for, and what it is encoded as. */
export function changeCall(on: Deployment, call: ChangeCall, effect: Hex): readonly [Address, Hex] {
  switch (call.call) {
    case 'inviteMiner':
    case 'withdrawInvitation':
    case 'dismissMiner':
    case 'joinSession':
    case 'leaveSession':
    case 'endReservation':
      return [on.reservations, reservationCall(call, effect)];
    case 'withdrawReward':
    case 'sweepSlashed':
      return [on.registry, encodeFunctionData({ abi: registryAbi, functionName: call.call, args: [effect] })];
    case 'stopUnfit': {
      const args = [call.node, effect] as const;
      return [on.registry, encodeFunctionData({ abi: registryAbi, functionName: 'stopUnfit', args })];
    }
    case 'countMiner':
    case 'strikeMiner': {
      const args = [keccak256(call.model), call.miner, effect] as const;
      return [on.pricing, encodeFunctionData({ abi: pricingAbi, functionName: call.call, args })];
    }
    default:
      return [on.sessions, sessionChangeCall(call, effect)];
  }
}
