import type { Command } from 'commander';
import { withAccount, withJson, withRequestId } from '../wallet/options.ts';
import { aboutSession, withMiner } from './change-commands.ts';
import type { joinSession, leaveSession } from './join.ts';
import type { dismissMiner, endReservation, inviteMiner, withdrawInvitation } from './reserve.ts';

/** The commands about miners that are kept for a session. */
export function reservationCommands(): readonly Command[] {
  return [invite(), withdraw(), dismiss(), end(), join(), leave()];
}

function invite(): Command {
  const command = aboutSession('invite', 'Invite a miner to be reserved for a session, for one period and one fee.');
  return by('client', withMiner(command), 'pouw session invite 31337-de75a151-1 --miner 0x45cc…').action(
    async (...args: Parameters<typeof inviteMiner>) => (await import('./reserve.ts')).inviteMiner(...args),
  );
}

function withdraw(): Command {
  const command = aboutSession('withdraw-invitation', 'Take an invitation back that the miner has not followed.');
  const example = 'pouw session withdraw-invitation 31337-de75a151-1 --miner 0x45cc…';
  return by('client', withMiner(command), example).action(async (...args: Parameters<typeof withdrawInvitation>) =>
    (await import('./reserve.ts')).withdrawInvitation(...args),
  );
}

function dismiss(): Command {
  const command = aboutSession(
    'dismiss',
    'Let a reserved miner go before its time; it earns the part of the fee until now.',
  );
  return by('client', withMiner(command), 'pouw session dismiss 31337-de75a151-1 --miner 0x45cc…').action(
    async (...args: Parameters<typeof dismissMiner>) => (await import('./reserve.ts')).dismissMiner(...args),
  );
}

function end(): Command {
  const command = aboutSession(
    'end-reservation',
    'End a reservation whose time is over: a miner that is still active earns its fee. Any account may.',
  );
  const example = 'pouw session end-reservation 31337-de75a151-1 --miner 0x45cc… --role miner';
  return by('client', withMiner(command), example).action(async (...args: Parameters<typeof endReservation>) =>
    (await import('./reserve.ts')).endReservation(...args),
  );
}

function join(): Command {
  const command = aboutSession('join', 'As a miner that was invited: be reserved for a session, for its fee.');
  return by('miner', command, 'pouw session join 31337-de75a151-1 --index 2').action(
    async (...args: Parameters<typeof joinSession>) => (await import('./join.ts')).joinSession(...args),
  );
}

function leave(): Command {
  const command = aboutSession('leave', 'As a miner that is reserved: go before its time, for nothing.');
  return by('miner', command, 'pouw session leave 31337-de75a151-1 --index 2').action(
    async (...args: Parameters<typeof leaveSession>) => (await import('./join.ts')).leaveSession(...args),
  );
}

function by(role: string, command: Command, example: string): Command {
  return withJson(withRequestId(withAccount(command, role)), example);
}
