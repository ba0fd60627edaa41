import { mkdirSync } from 'node:fs';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parametersAbi, registryAbi } from '../../src/adapters/chain/abi.ts';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';
import { defaultEconomy } from '../../src/adapters/chain/economy.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { claimCommand, registryCommand } from '../../src/cli/registry-command.ts';
import { present } from '../../src/core/assert.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Role } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { Deployment } from '../../src/ports/chain.ts';
import { cor, digest } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { runCommand } from './chain.cli.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const data = scratch.file('net');
let anvil: AnvilProcess;
let keys: KeyRing;
let deployment: Deployment;
let faults = 0;

type Answer = Record<string, unknown>;
const addressOf = (role: Role): Address => member(keys, role, 0).address;
const run = (...args: string[]) => runCommand([registryCommand(), claimCommand(), chainCommand()], args);

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await run(...args, '--data', data, '--json')) as Answer;
}

/** A transaction in the name of a contract, as it would make it. */
async function as(contract: Address, to: Address, call: Hex): Promise<void> {
  await rpc(anvil.url, 'anvil_setBalance', [contract, '0xde0b6b3a7640000']);
  await rpc(anvil.url, 'anvil_impersonateAccount', [contract]);
  await rpc(anvil.url, 'eth_sendTransaction', [{ from: contract, to, data: call }]);
  await rpc(anvil.url, 'evm_mine');
}

/** The miner loses 10 $COR, of which the oracle that proved it has 4. */
async function slash(): Promise<void> {
  const { queue, registry } = deployment;
  const args = [
    addressOf('miner'),
    BigInt(cor(10)),
    digest(`${(faults += 1)}`),
    0,
    addressOf('oracle'),
    4_000,
  ] as const;
  await as(queue, registry, encodeFunctionData({ abi: registryAbi, functionName: 'slash', args }));
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const funded = (['client', 'router', 'oracle', 'miner'] as const).map((role) => addressOf(role));
  const deploy = ['chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--json'];
  await run(...deploy, '--treasury', addressOf('client'), '--fund', ...funded);
  deployment = present(await readDeploymentRecord(scratch.file('net/chain')), 'the deployment').deployment;
  for (const role of ['miner', 'oracle']) await json('node', 'register', '--role', role);
});
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

test('who proves a fault claims its part, and the treasury the rest, each as often as there is some', async () => {
  for (const _ of ['once', 'twice']) {
    await slash();
    expect(await json('chain', 'show')).toMatchObject({ conserved: true });
    const claimed = await json('node', 'claim', '--role', 'oracle');
    expect(claimed).toMatchObject({ claimed: [{ what: 'faults', amountWei: cor(4) }] });
    expect(await json('claim', '--role', 'oracle')).toMatchObject({ claimed: [] });
    expect(await json('claim', '--role', 'client')).toMatchObject({
      claimed: [{ what: 'slashed', amountWei: cor(6) }],
    });
    expect(await json('claim', '--role', 'client')).toMatchObject({ claimed: [] });
  }
  expect(await json('chain', 'show')).toMatchObject({ conserved: true });
});

test('any account has the treasury sent what is its own', async () => {
  const treasury = addressOf('client');
  const sweep = ['chain', 'sweep-slashed', '--role', 'router'];
  expect(await json(...sweep)).toEqual({ treasury, amountWei: '0', before: true });
  await slash();
  expect(await json(...sweep)).toMatchObject({ treasury, amountWei: cor(6), before: false });
  await slash();
  expect(await run(...sweep, '--data', data)).toContain('6 $COR were sent to the treasury.');
  expect(await run(...sweep, '--data', data)).toContain('The treasury has no part of what was slashed.');
});

test('any account stops a node that may not work any longer, as often as that happens', async () => {
  const node = addressOf('miner');
  const stop = ['node', 'stop-unfit', node, '--role', 'router'];
  const raise = async (minerWei: bigint): Promise<void> => {
    const stakes = { ...defaultEconomy(addressOf('client')).stakes, minerWei };
    const args = [stakes, digest(`raise ${minerWei}`)] as const;
    const { timelock, parameters } = deployment;
    await as(timelock, parameters, encodeFunctionData({ abi: parametersAbi, functionName: 'setStakes', args }));
  };
  const refused = (code: string, ...args: string[]) =>
    expect(run(...args, '--data', data), args.join(' ')).rejects.toEqual(pouwError(code));
  await refused('node_not_registered', 'node', 'stop-unfit', addressOf('router'), '--role', 'router');
  for (const minimum of [2_000, 3_000]) {
    await refused('node_fit', ...stop);
    await raise(BigInt(cor(minimum)));
    expect(await json(...stop)).toMatchObject({ node, active: false, before: false });
    expect(await json(...stop)).toMatchObject({ node, active: false, before: true });
    await json('node', 'stake', String(minimum), '--role', 'miner');
    expect(await json('node', 'activate', '--role', 'miner')).toMatchObject({ active: true });
  }
});
