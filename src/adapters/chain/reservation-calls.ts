import { encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { sessionNumber } from '../../core/ids.ts';
import type { ReservationCall } from '../../ports/chain-reservations.ts';
import { reservationsAbi } from './abi.ts';

/** What a call about miners that are kept for a session is encoded as. */
export function reservationCall(call: ReservationCall, effect: Hex): Hex {
  const abi = reservationsAbi;
  const session = sessionNumber(call.session);
  switch (call.call) {
    case 'inviteMiner':
      return encodeFunctionData({ abi, functionName: 'invite', args: [session, call.miner, effect] });
    case 'withdrawInvitation':
    case 'endReservation':
      return encodeFunctionData({ abi, functionName: call.call, args: [session, call.miner, effect] });
    case 'dismissMiner':
      return encodeFunctionData({ abi, functionName: 'dismiss', args: [session, call.miner, effect] });
    case 'joinSession':
      return encodeFunctionData({ abi, functionName: 'join', args: [session, effect] });
    case 'leaveSession':
      return encodeFunctionData({ abi, functionName: 'leavePool', args: [session, effect] });
  }
}
