import type { NetworkContext, RoundContext, RoundValue } from '../../../actors/network/context.ts';
import type { NetworkCommand } from '../../../actors/network/decide.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { TaskId } from '../../core/ids.ts';
import { roundTask } from '../../core/round-draw.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { RoundsChain } from '../../ports/rounds.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { LatestState } from '../carry/latest-state.ts';
import type { NodeBase } from '../node-base.ts';
import type { IdleGate } from './idle-gate.ts';

/** What the parts of a node's idle work stand on. */
export interface RoundGround {
  readonly base: NodeBase;
  readonly rounds: RoundsChain;
  readonly gate: IdleGate;
  readonly latest: LatestState<NetworkContext>;
  /** How long a node waits for each that stands before it to act first, in milliseconds. */
  readonly turnMs: number;
  dispatch(command: NetworkCommand, cause: string): Promise<void>;
}

/** The round as the node knows it; undefined where it is over or another one is on. */
export function roundIn(
  { latest }: RoundGround,
  round: number,
  value: RoundValue,
  isWanted: (context: RoundContext) => boolean = () => true,
): RoundContext | undefined {
  const known = latest.state.context.round;
  if (known === null || known.context.round !== round || known.value !== value) return undefined;
  return isWanted(known.context) ? known.context : undefined;
}

/** The id of a round where a task's is asked for. */
export function taskOf({ base }: RoundGround, round: number): TaskId & Hex {
  const { chainId, network } = base.ports.chain.deployment;
  return roundTask(chainId, network, round) as TaskId;
}

/** Sends a step's call; what the contract refuses for good is noted, and the round goes on without it. */
export async function sendStep(
  ground: RoundGround,
  round: number,
  call: ChainCall,
  { id }: EffectContext,
): Promise<void> {
  try {
    await ground.base.send(call, id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    await failStep(ground, round, call.call, error, id);
  }
}

/** Notes that a step came to nothing. */
export function failStep(
  ground: RoundGround,
  round: number,
  step: string,
  error: unknown,
  cause: string,
): Promise<void> {
  const [code, reason] = [errorCode(error), errorMessage(error)];
  return ground.dispatch({ type: 'FailStep', round, step, code, reason }, cause);
}
