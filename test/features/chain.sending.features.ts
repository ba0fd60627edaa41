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
      expect(factOf(settled, 'StakeSlashed')).toMatchObject({ node: cast.miners[2], ref: task, reason: 'outlier' });
      const deadline = heard.facts.find(({ type }) => type === 'MinersAssigned');
      expect(deadline).toMatchObject({ ackBy: (deadline?.place.blockAt ?? 0) + 10_000 });
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
