import type { Payment } from './chain-fact.ts';
import { demandPpmOne, taskPrice } from './price.ts';
import { subWei, timesWei, type Wei, wei } from './wei.ts';

/** The published shares of a price in basis points, as a deployment starts with them (`contracts/script/Defaults.sol`); the treasury gets the rest. */
export const shareBps = { miner: 8_000, validator: 800, router: 700, oracle: 200 } as const;

/** The parts of a price that go to each role, in ten-thousandths; the treasury gets the rest. */
export type ShareBps = { readonly [Role in keyof typeof shareBps]: number };

/** What a task is billed by. */
export interface TaskBill {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly promptTokenWei: Wei;
  readonly outputTokenWei: Wei;
  /** What was set aside for it: the price is never more. */
  readonly escrowWei: Wei;
}

/** The price of delivered tokens, as the contracts compute it, at a multiplier in millionths. */
export function priceWei(
  { promptTokens, outputTokens, promptTokenWei, outputTokenWei, escrowWei }: TaskBill,
  demandPpm: number = demandPpmOne,
): Wei {
  const tokens = { prompt: BigInt(promptTokens), output: BigInt(outputTokens) };
  const prices = { promptTokenWei: BigInt(promptTokenWei), outputTokenWei: BigInt(outputTokenWei) };
  return wei(taskPrice(tokens, prices, demandPpm, BigInt(escrowWei)));
}

/** Who takes part in a price. */
export interface Takers {
  readonly miners: number;
  readonly validators: number;
  /** Whether an oracle had to act. */
  readonly oracle: boolean;
}

/** One share of a price: what each of so many gets. */
export interface PriceShare {
  readonly role: Payment['role'];
  readonly count: number;
  readonly eachWei: Wei;
}

/** How a price is split: equally among those of a kind, rounded down; the treasury gets what nobody else does. */
export function splitPrice(
  price: Wei,
  { miners, validators, oracle }: Takers,
  parts: ShareBps = shareBps,
): PriceShare[] {
  const counts = { miner: miners, validator: validators, router: 1, oracle: oracle ? 1 : 0 } as const;
  let left = price;
  const shares = (['miner', 'validator', 'router', 'oracle'] as const).flatMap((role): PriceShare[] => {
    const count = counts[role];
    if (count === 0) return [];
    const eachWei = wei((BigInt(price) * BigInt(parts[role])) / 10_000n / BigInt(count));
    left = subWei(left, timesWei(eachWei, count));
    return [{ role, count, eachWei }];
  });
  return [...shares, { role: 'treasury', count: 1, eachWei: left }];
}
