import { PouwError } from '../../core/errors.ts';
import type { Attack } from './attack.ts';
import { overcount } from './overcount.ts';
import { random } from './random.ts';
import { silent } from './silent.ts';

/** Every attack `pouw sim` knows. */
export const attacks: readonly Attack[] = [random, overcount, silent];

/** An attack and how many miners run it. */
export interface AttackSpec {
  readonly attack: Attack;
  readonly count: number;
}

/**
 * Reads `NAME@COUNT` (`NAME` alone is one miner).
 *
 * @throws PouwError `unknown_attack`, `invalid_attack`.
 */
export function parseAttack(text: string): AttackSpec {
  const [name = '', count = '1', ...rest] = text.split('@');
  const attack = attacks.find((one) => one.name === name);
  if (attack === undefined) {
    throw new PouwError('unknown_attack', `There is no attack named ${JSON.stringify(name)}.`, {
      class: 'invalid',
      hint: `Known: ${attacks.map((one) => one.name).join(', ')}.`,
      param: 'attack',
    });
  }
  if (!/^[1-9]\d{0,3}$/.test(count) || rest.length > 0) {
    throw new PouwError('invalid_attack', `${JSON.stringify(text)} is not NAME@COUNT.`, {
      class: 'invalid',
      hint: 'For example: --attack random@1.',
      param: 'attack',
    });
  }
  return { attack, count: Number(count) };
}
