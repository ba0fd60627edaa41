import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { registerMember } from '../../src/cli/compose/register.ts';
import { claimCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { taskCommand } from '../../src/cli/task-command.ts';
import { present } from '../../src/core/assert.ts';
import type { Address, Role, SessionId, TaskId } from '../../src/core/ids.ts';
import { taskId } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { commitment, cor, digest, effect } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { inChainOf, runCommand } from './chain.cli.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const data = scratch.file('net');
const counts = { client: 1, router: 1, miner: 2, validator: 4, oracle: 1 } as const;
let anvil: AnvilProcess;
let keys: KeyRing;
let session: string;

type Answer = Record<string, unknown>;

const addressOf = (role: Role, index = 0): Address => member(keys, role, index).address;
const everybody = (Object.keys(counts) as Role[]).flatMap((role) =>
  Array.from({ length: counts[role] }, (_, index) => ({ role, index })),
);

/** Runs a command in this process; answers with what it printed. */
function run(...args: string[]): Promise<string> {
  return runCommand([sessionCommand(), taskCommand(), claimCommand(), chainCommand()], args);
}

const shown = (...args: string[]): Promise<string> => run(...args, '--data', data);

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await shown(...args, '--json')) as Answer;
}

/** Does something with the chain as the network's own processes would. */
function inChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const accounts = new Map(everybody.map(({ role, index }) => [addressOf(role, index), keys.account(role, index)]));
  return inChainOf({ rpcUrl: anvil.url, folder: scratch.file('net/chain'), accounts }, work);
}

async function passTime(seconds: number): Promise<void> {
  await rpc(anvil.url, 'evm_increaseTime', [seconds]);
  await rpc(anvil.url, 'evm_mine');
}

/** A task of two miners; its only validator calls the second an outlier. */
async function validated(name: string): Promise<TaskId> {
  return inChain(async (chain) => {
    const requestId = digest(`request-${name}`);
    const of = session as SessionId;
    const task = taskId(of, requestId);
    const router = addressOf('router');
    const miners = [addressOf('miner', 0), addressOf('miner', 1)];
    const submit = { call: 'submit', session: of, requestId, promptDigest: digest('prompt') } as const;
    const price = { maxTokens: 8, maxPriceWei: cor(2) };
    const { block } = await chain.send(router, { ...submit, ...price }, effect(`submit-${name}`));
    const beacon = await chain.block((await chain.waitForBlock(block + 1)).number);
    const selection = { beaconBlock: beacon.number, beacon: beacon.hash, selectionDigest: digest('selection') };
    const weighed = (nodes: readonly Address[]) => nodes.map((node) => ({ node, weight: 1_000_000 }));
    const nodes = { miners: weighed(miners), validators: weighed([addressOf('validator')]), lane: 0 };
    await chain.send(
      router,
      { call: 'assign', task, scheme: 'first-come', ...nodes, ...selection },
      effect(`assign-${name}`),
    );
    const all = miners.map((miner) => ({ miner, ...commitment(chain, { session: of, task }, miner) }));
    for (const { miner } of all) await chain.send(miner, { call: 'ack', task }, effect(`ack-${name}`));
    for (const { miner, hash } of all)
      await chain.send(miner, { call: 'precommit', task, hash }, effect(`pre-${name}`));
    for (const { miner, resultRoot, salt, resultDigest } of all)
      await chain.send(miner, { call: 'reveal', task, resultRoot, salt, resultDigest }, effect(`reveal-${name}`));
    const found = { winner: addressOf('miner'), honest: [addressOf('miner')], promptTokens: 4, outputTokens: 8 };
    const attest = { call: 'attest', task, ...found, reportDigest: digest('report') } as const;
    await chain.send(addressOf('validator'), attest, effect(`attest-${name}`));
    return task;
  });
}

/** Has validators of the draw attest what stands. */
async function attestOnAppeal(task: TaskId, count: number): Promise<readonly Address[]> {
  return inChain(async (chain) => {
    const outcome = present((await chain.task(task))?.outcome, 'an outcome');
    const places = present(await chain.appeal(task), 'an appeal').validators.slice(0, count);
    for (const [place, { validator }] of places.entries()) {
      const said = { task, step: 0, outcome, reportDigest: digest('second report') } as const;
      const signature = await chain.sign(validator, { is: 'AppealAttestation', ...said });
      const carried = [{ validator: place, reportDigest: said.reportDigest, signature }];
      await chain.send(validator, { call: 'attestAppeal', task, outcome, carried }, effect(`appeal-${place}`));
    }
    return places.map(({ validator }) => validator);
  });
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const funded = everybody.map(({ role, index }) => addressOf(role, index));
  await run('chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--fund', ...funded, '--json');
  await inChain(async (chain) => {
    for (const { role, index } of everybody) {
      if (role !== 'client') await registerMember(chain, member(keys, role, index), cor(2_000));
    }
    // All it has beside its stake goes to another.
    const poor = addressOf('miner', 1);
    const amountWei = await chain.corBalance(poor);
    await chain.send(poor, { call: 'transfer', to: addressOf('oracle'), amountWei }, effect('poor'));
  });
}, 120_000);
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

describe('pouw session create --appeal-window', () => {
  const create = ['session', 'create', '--redundancy', '2', '--validators', '1'];

  test('opens a session whose outcomes may be appealed', async () => {
    session = String((await json(...create, '--appeal-window', '600'))['session']);
    expect(await json('session', 'show', session)).toMatchObject({ terms: { appealWindowS: 600 } });
    expect(await shown('session', 'show', session)).toMatch(/appeals +for 600 s/);
  });

  test('says what it may be before anything is sent', async () => {
    await expect(shown(...create, '--appeal-window', '3601')).rejects.toEqual(
      pouwError('appeal_window_out_of_bounds', { details: { windowMaxS: 3_600 } }),
    );
    await expect(json(...create, '--appeal-window', '3600', '--deposit', '3')).resolves.toMatchObject({
      before: false,
    });
    for (const never of [
      ['--settlement', 'batched'],
      ['--level', '0'],
    ])
      await expect(shown(...create, '--appeal-window', '60', ...never)).rejects.toEqual(
        pouwError('appeal_window_impossible', { class: 'invalid' }),
      );
    await expect(shown(...create, '--appeal-window', '86401')).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });
});

describe('pouw task', () => {
  test('appeals an outcome once, for a party that has the bond', async () => {
    const task = await validated('decided');
    const never = taskId(session as SessionId, digest('never'));
    await expect(shown('task', 'appeal', never)).rejects.toEqual(pouwError('task_not_found', { class: 'not-found' }));
    await expect(shown('task', 'appeal', 'x')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
    await expect(shown('task', 'appeal', task, '--role', 'oracle')).rejects.toEqual(
      pouwError('not_a_party', { class: 'forbidden' }),
    );
    await expect(shown('task', 'appeal', task, '--role', 'miner')).rejects.toEqual(pouwError('not_a_party'));
    await expect(shown('task', 'appeal', task, '--role', 'miner', '--index', '1')).rejects.toEqual(
      pouwError('insufficient_cor', { class: 'payment' }),
    );
    await expect(shown('task', 'nominate', task)).rejects.toEqual(pouwError('no_open_appeal', { class: 'conflict' }));
    expect(await shown('task', 'show', task)).toMatch(/The task is validated\.[^]*outlier[^]*outcome +appealable/);
    const allowed = await inChain((chain) => chain.appealAllowance(addressOf('oracle')));
    expect(allowed, 'who is refused has allowed nothing').toBe('0');
    const first = await json('task', 'appeal', task);
    expect(first).toMatchObject({ task, session, appellant: addressOf('client'), bondWei: cor(10), state: 'open' });
    expect(await json('task', 'appeal', task)).toMatchObject({ txHash: first['txHash'], before: true });
    await expect(shown('task', 'appeal', task, '--role', 'miner', '--index', '1')).rejects.toEqual(
      pouwError('already_appealed', { class: 'conflict' }),
    );
    expect(await shown('task', 'show', task)).toMatch(/appeal +open[^]*2 alike decide/);
  });

  test('nominates whoever is missing, and the word of enough of them is the end of it', async () => {
    const { task } = await json('task', 'appeal', await validated('named'));
    const id = String(task) as TaskId;
    await inChain(async (chain) => chain.waitForBlock((await chain.block()).number + 2));
    const others = [1, 2, 3].map((index) => addressOf('validator', index));
    const first = await json('task', 'nominate', id, '--role', 'oracle');
    expect((first['named'] as string[]).toSorted()).toEqual(others.toSorted());
    expect(first['drawn']).toEqual(first['named']);
    expect(await json('task', 'nominate', id)).toMatchObject({ named: [], drawn: first['drawn'] });
    await expect(shown('task', 'end-appeal', id)).rejects.toEqual(pouwError('appeal_not_due', { class: 'conflict' }));
    await passTime(21);
    await expect(shown('task', 'nominate', id)).rejects.toEqual(pouwError('nominations_over', { class: 'conflict' }));
    await expect(shown('task', 'end-appeal', id)).rejects.toEqual(pouwError('appeal_not_due'));
    const [asked] = await attestOnAppeal(id, 2);
    expect(await json('task', 'show', id)).toMatchObject({ finality: 'ruled', appeal: { state: 'upheld' } });
    await expect(shown('task', 'end-appeal', id)).rejects.toEqual(pouwError('no_open_appeal'));
    const index = String(others.indexOf(present(asked, 'a validator')) + 1);
    const third = String((10n * 10n ** 18n) / 3n);
    expect(await json('claim', '--role', 'validator', '--index', index)).toMatchObject({
      claimed: [{ what: 'appeals', amountWei: third }],
    });
    expect(await json('claim', '--role', 'validator', '--index', index)).toMatchObject({ claimed: [] });
    expect(await json('chain', 'show')).toMatchObject({ conserved: true });
  });

  test('ends an appeal for which too few were drawn, and the bond is taken back with pouw claim', async () => {
    const task = await validated('undecided');
    await json('task', 'appeal', task);
    await passTime(21);
    expect(await json('task', 'end-appeal', task, '--role', 'oracle')).toMatchObject({
      state: 'undecided',
      appellant: addressOf('client'),
    });
    const before = await inChain(async (chain) => BigInt(await chain.corBalance(addressOf('client'))));
    expect(await json('claim', '--role', 'client')).toMatchObject({
      claimed: [{ what: 'appeals', amountWei: cor(10) }],
    });
    const after = await inChain(async (chain) => BigInt(await chain.corBalance(addressOf('client'))));
    expect(after - before).toBe(BigInt(cor(10)));
  });

  test('comes too late once the window is over', async () => {
    const task = await validated('late');
    await passTime(601);
    await expect(shown('task', 'appeal', task)).rejects.toEqual(pouwError('appeal_too_late', { class: 'conflict' }));
    await inChain((chain) =>
      chain.send(addressOf('router'), { call: 'settle', task, manifestDigest: digest('manifest') }, effect('settle')),
    );
    await expect(shown('task', 'appeal', task)).rejects.toEqual(pouwError('not_appealable', { class: 'conflict' }));
    expect(await shown('task', 'show', task)).toContain('The task is settled.');
  });
});
