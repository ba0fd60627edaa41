import { expect } from 'vitest';
import { isConserved } from '../../actors/session/money.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import type { TestNetwork } from './local-network.ts';

/** The session's money is what the chain says, and nothing of it is lost. */
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

/** Waits until the session's money is what the chain says: after a reorg, lost assignments are given up first. */
export async function untilSameMoney(on: TestNetwork): Promise<void> {
  await expect
    .poll(
      async () => {
        const { money } = await on.network.front.session(on.demo.session);
        const audit = await auditDeployment(on.network.rpcUrl, on.network.ports.chain.deployment);
        const { balanceWei, escrowedWei, paidWei } = await audit.session(on.demo.session);
        const here = [money.balanceWei, money.escrowedWei, money.paidWei].map(BigInt);
        return money.escrowedWei === '0' && String(here) === String([balanceWei, escrowedWei, paidWei]);
      },
      { timeout: 30_000, interval: 250 },
    )
    .toBe(true);
  await expectSameMoney(on);
}
