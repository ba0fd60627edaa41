import type { DriveRound, RequestRound } from '../../../actors/network/effects.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { RoundsState } from '../../ports/rounds.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { RoundGround } from './round-ground.ts';

/** What is to be done now: a call, nothing yet, or nothing any more. */
type Due = ChainCall | 'later' | 'over';

/** Blocks whose hashes the chain can still tell. */
const hashesKept = 255;

/** How far this process has come with something that is due. */
interface Waited {
  /** Since when it is due; undefined while it is not. */
  since: number | undefined;
  /** How often the chain has refused it. */
  refusals: number;
}

/**
 * An oracle's part in rounds: it asks for them, draws, and uses deadlines. Oracles take turns from round to round, by
 * address, and each waits for those before it; two that act at once cost one refused transaction. Nothing of it is
 * remembered over a restart: what is to be done is read from the chain.
 */
export class RoundDriver {
  readonly #ground: RoundGround;
  readonly #waited = new Map<EffectId, Waited>();

  constructor(ground: RoundGround) {
    this.#ground = ground;
  }

  /** Asks for the round of a slot, where the pools have enough for one. */
  requestRound({ slot }: RequestRound, { id }: EffectContext): Promise<void> {
    return this.#look(slot, id, ({ slot: now, newest, pools }) => {
      if (now > slot || (newest?.round ?? 0) >= slot) return 'over';
      // Who asks for a round that cannot end well wastes gas, its own and that of those who are drawn.
      if (pools.miner < limits.roundMinersMin || pools.validator === 0) return 'later';
      const isFree = newest === undefined || newest.state === 'ended' || newest.state === 'failed';
      return now === slot && isFree ? { call: 'requestRound' } : 'later';
    });
  }

  /** Draws once the beacon is known, and uses the deadline of a phase that is late. */
  driveRound({ round, phase, phaseBy, beaconBlock }: DriveRound, { id }: EffectContext): Promise<void> {
    return this.#look(round, id, ({ at, block, newest }) => {
      // Where somebody stands in, the phase begins again with another deadline, which is another effect.
      if (newest?.round !== round || newest.state !== phase || newest.phaseBy !== phaseBy) return 'over';
      if (beaconBlock > 0 && block <= beaconBlock) return 'later';
      if (beaconBlock > 0 && block - beaconBlock <= hashesKept)
        return { call: phase === 'requested' ? 'drawCrew' : 'startRound', round };
      return at > phaseBy ? { call: 'advanceRound', round } : 'later';
    });
  }

  /** Looks at the chain once and does what is due, where it is this oracle's turn; it comes back until nothing is. */
  async #look(round: number, id: EffectId, dueIn: (state: RoundsState) => Due): Promise<void> {
    const { base, rounds } = this.#ground;
    const due = dueIn(await rounds.state());
    if (due === 'over') {
      this.#waited.delete(id);
      return;
    }
    const waited = this.#waited.get(id) ?? { since: undefined, refusals: 0 };
    this.#waited.set(id, waited);
    waited.since = due === 'later' ? undefined : (waited.since ?? base.ports.clock.now());
    if (due !== 'later' && this.#isOwnTurn(round, waited.since ?? 0)) await this.#send(due, id, waited);
    throw new NotYet('round_not_due', `Round ${round} goes on.`, { class: 'busy' });
  }

  #isOwnTurn(round: number, since: number): boolean {
    const { base, turnMs } = this.#ground;
    const { clock, directory } = base.ports;
    const oracles = directory.active('oracle').map(({ node }) => node);
    const own = oracles.indexOf(base.identity.address);
    const turn = own < 0 ? oracles.length : (own - (round % oracles.length) + oracles.length) % oracles.length;
    return clock.now() >= since + turn * turnMs;
  }

  async #send(call: ChainCall, id: EffectId, waited: Waited): Promise<void> {
    const { base } = this.#ground;
    try {
      await base.send(call, `${id}/${waited.refusals}` as EffectId);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      base.ports.log.debug('a step of a round was refused', { call: call.call, error: errorMessage(error) });
      // What was refused has come to nothing: a later attempt is another transaction.
      waited.refusals += 1;
    }
  }
}
