import { expect } from 'vitest';
import { toAddress } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import {
  assignTask,
  type ChainHarness,
  cor,
  digest,
  effect,
  factOf,
  listen,
  openSession,
  workOn,
} from './chain.harness.ts';
import { eventually, type Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/** The contract's unbonding delay, `Limits.UNBONDING_S`. */
const sevenDaysS = 7 * 86_400;

/** What a chain promises to those who send. */
export const sendingFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'carries a task from its session to its settlement and tells every fact in order',
    check: async (harness) => {
      const { chain, cast } = harness;
      const heard = listen(chain);
      const session = await openSession(harness, 'life');
      const top = { call: 'deposit', session, amountWei: cor(1) } as const;
      await chain.send(cast.client, top, effect('deposit'));
      const running = await assignTask(harness, session, 'life');
      await workOn(harness, running, 'life');
      const { task } = running;
      const [winner, second] = cast.miners;
      const verdict = { winner, honest: [winner, second], promptTokens: 100, outputTokens: 50 };
      const attest = { call: 'attest', task, ...verdict, reportDigest: digest('report') } as const;
      for (const validator of cast.validators) await chain.send(validator, attest, effect(`attest-${validator}`));
      const settle = { call: 'settle', task, manifestDigest: digest('manifest') } as const;
      const settled = await chain.send(cast.router, settle, effect('settle'));
      await eventually('the settlement', () => heard.story.includes('+TaskSettled'), harness.patienceMs);
      const story = heard.facts.filter((fact) => 'session' in fact && fact.session === session).map(({ type }) => type);
      expect(story).toEqual([
        'SessionOpened',
        'SessionDeposited',
        'SessionDeposited',
        'TaskSubmitted',
        'MinersAssigned',
        ...Array.from({ length: 3 }, () => 'TaskAcked'),
        ...Array.from({ length: 3 }, () => 'TaskPrecommitted'),
        'AllPrecommitted',
        ...Array.from({ length: 3 }, () => 'TaskRevealed'),
        'AllRevealed',
        'ResultAttested',
        'ResultAttested',
        'ResultValidated',
        'TaskSettled',
      ]);
      // 100 prompt tokens at 0.001 and 50 output tokens at 0.002.
      const fact = factOf(settled, 'TaskSettled');
      expect(fact).toMatchObject({ session, task, priceWei: wei(2n * 10n ** 17n), manifestDigest: digest('manifest') });
      expect(fact.returnedWei).toBe(wei(BigInt(cor(5)) - 2n * 10n ** 17n));
      expect(fact.payments.map(({ role }) => role)).toEqual(
        expect.arrayContaining(['miner', 'miner', 'validator', 'validator', 'router', 'treasury']),
      );
      expect(fact.payments.reduce((sum, { amountWei }) => sum + BigInt(amountWei), 0n)).toBe(2n * 10n ** 17n);
      expect(await chain.earnings(winner)).toBe(fact.payments.find(({ to }) => to === winner)?.amountWei);
      const claimed = await chain.send(winner, { call: 'withdrawEarnings' }, effect('claim'));
      const mine = fact.payments.find(({ to }) => to === winner)?.amountWei;
      expect(factOf(claimed, 'EarningsWithdrawn')).toMatchObject({ account: winner, amountWei: mine });
      expect(await chain.earnings(winner)).toBe('0');
      expect(factOf(settled, 'StakeSlashed')).toMatchObject({ node: cast.miners[2], ref: task, reason: 'outlier' });
      const deadline = heard.facts.find(({ type }) => type === 'MinersAssigned');
      expect(deadline).toMatchObject({ ackBy: (deadline?.place.blockAt ?? 0) + 10_000 });
    },
  },
  {
    name: 'lets a node stake more, ask for its stake, and take it once it is unbonded, not before',
    check: async (harness) => {
      const { chain, cast } = harness;
      const node = cast.oracle;
      const before = BigInt(await chain.corBalance(node));
      await chain.send(node, { call: 'approve', spender: 'registry', amountWei: cor(50) }, effect('approve-more'));
      const add = { call: 'addStake', amountWei: cor(50) } as const;
      expect(factOf(await chain.send(node, add, effect('add')), 'StakeAdded')).toMatchObject({
        node,
        amountWei: cor(50),
      });
      expect(await chain.node(node)).toMatchObject({ stakeWei: cor(250), active: true });
      const asked = await chain.send(node, { call: 'requestUnstake' }, effect('ask'));
      expect(asked.facts.map(({ type }) => type)).toEqual(['UnstakeRequested', 'NodeActiveSet']);
      const { unbondsAt, place } = factOf(asked, 'UnstakeRequested');
      expect(unbondsAt).toBe(place.blockAt + sevenDaysS * 1_000);
      expect(await chain.node(node)).toMatchObject({ active: false, unbondsAt });
      const take = { call: 'withdrawStake' } as const;
      await expect(chain.send(node, take, effect('take'))).rejects.toEqual(
        pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'StillBonded' }) as unknown }),
      );
      await harness.passTime(sevenDaysS + 1);
      const taken = await chain.send(node, take, effect('take'));
      expect(factOf(taken, 'StakeWithdrawn')).toMatchObject({ node, amountWei: cor(250) });
      expect(await chain.node(node)).toMatchObject({ stakeWei: '0' });
      expect(BigInt(await chain.corBalance(node)) - before).toBe(BigInt(cor(200)));
    },
  },
  {
    name: 'deposits by a signed permit in one transaction, once for each effect',
    check: async (harness) => {
      const { chain, cast } = harness;
      const session = await openSession(harness, 'permit');
      const from = cast.oracle;
      const plain = { call: 'deposit', session, amountWei: cor(3) } as const;
      // It has approved nothing, so that the permit alone lets the contract take the money.
      await expect(chain.send(from, plain, effect('unpermitted'))).rejects.toEqual(pouwError('chain_reverted'));
      const permitBy = (await chain.block()).at + 600_000;
      const call = { call: 'depositWithPermit', session, amountWei: cor(3), permitBy } as const;
      const receipt = await chain.send(from, call, effect('permitted'));
      expect(factOf(receipt, 'SessionDeposited')).toMatchObject({ session, from, amountWei: cor(3) });
      expect(await chain.send(from, call, effect('permitted'))).toEqual(receipt);
      const [second, third] = await Promise.all(['b', 'c'].map((name) => chain.send(from, call, effect(name))));
      expect(factOf(third as typeof receipt, 'SessionDeposited').amountWei).toBe(cor(3));
      expect(second?.txHash).not.toBe(third?.txHash);
      const late = { ...call, permitBy: (await chain.block()).at - 1_000 };
      await expect(chain.send(from, late, effect('late'))).rejects.toEqual(
        pouwError('chain_reverted', {
          details: expect.objectContaining({ reason: 'ERC20InsufficientAllowance' }) as unknown,
        }),
      );
    },
  },
  {
    name: 'sends what is asked for at once by one account in order, each once',
    check: async ({ chain, cast }) => {
      const calls = Array.from({ length: 25 }, (_, index) =>
        chain.send(cast.client, { call: 'transfer', to: cast.oracle, amountWei: wei(index + 1) }, effect(`t-${index}`)),
      );
      const before = await chain.corBalance(cast.oracle);
      const receipts = await Promise.all(calls);
      const blocks = receipts.map(({ block }) => block);
      expect(blocks).toEqual(blocks.toSorted((a, b) => a - b));
      expect(new Set(receipts.map(({ txHash }) => txHash)).size).toBe(25);
      expect(BigInt(await chain.corBalance(cast.oracle)) - BigInt(before)).toBe(325n);
    },
  },
  {
    name: 'sends for many accounts at the same time',
    check: async ({ chain, cast }) => {
      const senders = [cast.client, cast.router, ...cast.miners, ...cast.validators];
      const sent = senders.flatMap((from) =>
        Array.from({ length: 8 }, (_, index) =>
          chain.send(
            from,
            { call: 'approve', spender: 'registry', amountWei: wei(index) },
            effect(`a-${from}-${index}`),
          ),
        ),
      );
      expect(new Set((await Promise.all(sent)).map(({ txHash }) => txHash)).size).toBe(senders.length * 8);
    },
  },
  {
    name: 'carries an effect out once, however often it is asked for',
    check: async (harness) => {
      const { chain, cast } = harness;
      const before = await chain.corBalance(cast.oracle);
      const call = { call: 'transfer', to: cast.oracle, amountWei: wei(7) } as const;
      const [first, second] = await Promise.all([1, 2].map(() => chain.send(cast.client, call, effect('once'))));
      const third = await (await harness.reopen()).send(cast.client, call, effect('once'));
      expect([second, third]).toEqual([first, first]);
      expect(BigInt(await harness.chain.corBalance(cast.oracle)) - BigInt(before)).toBe(7n);
    },
  },
  {
    name: 'says which error of the contract a call reverts with, and goes on afterwards',
    check: async (harness) => {
      const { chain, cast } = harness;
      const session = await openSession(harness, 'poor');
      const close = { call: 'closeSession', session } as const;
      await expect(chain.send(cast.router, close, effect('not-mine'))).rejects.toEqual(
        pouwError('chain_reverted', {
          class: 'conflict',
          details: expect.objectContaining({ reason: 'NotSessionOwner', call: 'closeSession' }) as unknown,
        }),
      );
      const empty = { call: 'deposit', session, amountWei: wei(0) } as const;
      await expect(chain.send(cast.client, empty, effect('empty'))).rejects.toEqual(
        pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'EmptyDeposit' }) as unknown }),
      );
      const closed = await chain.send(cast.client, close, effect('mine'));
      expect(factOf(closed, 'SessionClosed')).toMatchObject({ session, refundedWei: cor(100) });
    },
  },
  {
    name: 'tries an effect that reverted again when it is asked for again',
    check: async ({ chain, cast }) => {
      const withdraw = { call: 'setActive', active: false } as const;
      const again = effect('try-again');
      await expect(chain.send(cast.client, withdraw, again)).rejects.toEqual(pouwError('chain_reverted'));
      const key = digest('a client key');
      const register = {
        call: 'register',
        roles: ['client'],
        key,
        stakeWei: wei(0),
        metadataUri: '',
        models: [],
      } as const;
      const joined = factOf(await chain.send(cast.client, register, effect('register')), 'NodeRegistered');
      expect(joined).toMatchObject({ node: cast.client, roles: ['client'], key, metadataUri: '' });
      const models = Array.from({ length: 17 }, (_, index) => `model ${index}`);
      await expect(chain.send(cast.client, { call: 'serveModels', models }, effect('serve'))).rejects.toEqual(
        pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'TooManyModels' }) as unknown }),
      );
      await chain.send(cast.client, { call: 'serveModels', models: models.slice(1) }, effect('serve'));
      const receipt = await chain.send(cast.client, withdraw, again);
      expect(factOf(receipt, 'NodeActiveSet')).toMatchObject({ node: cast.client, active: false });
    },
  },
  {
    name: 'lets an oracle replace a miner once its deadline has passed, and not before',
    check: async (harness) => {
      const { chain, cast } = harness;
      const { task } = await assignTask(harness, await openSession(harness, 'late'), 'late');
      const late = cast.miners[0];
      const reassign = { call: 'reassign', task, miner: late, replacement: cast.spareMiner } as const;
      await expect(chain.send(cast.oracle, reassign, effect('early'))).rejects.toEqual(
        pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'NotDue' }) as unknown }),
      );
      await harness.passTime(11);
      const receipt = await chain.send(cast.oracle, reassign, effect('due'));
      expect(factOf(receipt, 'MinerReassigned')).toMatchObject({
        miner: late,
        replacement: cast.spareMiner,
        attempt: 1,
        oracle: cast.oracle,
      });
      await harness.passTime(11);
      const drop = { call: 'reassign', task, miner: cast.miners[1], replacement: null } as const;
      const dropped = factOf(await chain.send(cast.oracle, drop, effect('drop')), 'MinerReassigned');
      expect(dropped).toMatchObject({ replacement: null, ackBy: 0 });
    },
  },
  {
    name: 'refuses to send for an account it has no key of',
    check: async ({ chain }) => {
      const stranger = toAddress(`0x${'12'.repeat(20)}`);
      await expect(chain.send(stranger, { call: 'withdrawEarnings' }, effect('stranger'))).rejects.toEqual(
        pouwError('unknown_account', { class: 'not-found' }),
      );
    },
  },
];
