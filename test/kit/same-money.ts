import { expect } from 'vitest';
import { isConserved } from '../../actors/session/money.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { auditDeployment } from './chain-audit.ts';
import type { TestNetwork } from './local-network.ts';

/** Expects that the session's money is what the chain says, and that nothing of it is lost. */
export async function expectSameMoney({ network, demo }: TestNetwork): Promise<void> {
  const { chain } = network.ports;
  const { money } = await network.front.session(demo.session);
  const audit = await auditDeployment(network.rpcUrl, chain.deployment);
  expect(isConserved(money)).toBe(true);
  expect(isMoneyConserved(audit.money)).toBe(true);
  expect(await audit.session(demo.session)).toEqual({
    balanceWei: BigInt(money.balanceWei),
    escrowedWei: BigInt(money.escrowedWei),
    depositedWei: BigInt(money.depositedWei),
    paidWei: BigInt(money.paidWei),
  });
}
