import type { JoinPool, QuitPool } from '../../../actors/network/effects.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { RoundGround } from './round-ground.ts';

/** Gets into the pool once nothing is in hand: who was silent because it had to work comes back after that. */
export async function joinPool(ground: RoundGround, { role }: JoinPool, { id }: EffectContext): Promise<void> {
  const { base, latest, gate, rounds } = ground;
  const { address } = base.identity;
  await latest.refresh();
  if (latest.state.value !== 'joining') return;
  if (!gate.isIdle || !base.ports.directory.isActive(address, role)) {
    throw new NotYet('pool_not_joined', `${address} is at work, or not active.`, { class: 'busy' });
  }
  if (await rounds.isInPool(role, address)) return ground.dispatch({ type: 'SeeMembership', isMember: true }, id);
  try {
    await base.send({ call: 'joinPool', role }, id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    await ground.dispatch({ type: 'FailJoin', code: 'chain_reverted', reason: errorMessage(error) }, id);
  }
}

/** Gets out of the pool. While a draw is awaited nobody may go, so it is tried again. */
export async function quitPool(ground: RoundGround, { role }: QuitPool, { id }: EffectContext): Promise<void> {
  const { base, latest, rounds } = ground;
  const { address } = base.identity;
  await latest.refresh();
  if (latest.state.value !== 'leaving') return;
  if (!(await rounds.isInPool(role, address))) return ground.dispatch({ type: 'SeeMembership', isMember: false }, id);
  try {
    await base.send({ call: 'quitPool', role }, id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    throw new NotYet('pool_not_left', `${address} cannot leave the pool now.`, {
      class: 'busy',
      why: errorMessage(error),
    });
  }
}
