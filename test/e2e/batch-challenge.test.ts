import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildOutcomes, buildPrecommits, buildReveals } from '../../src/core/batch/build.ts';
import { type BatchOutcomes, lineOf, taskRecords } from '../../src/core/batch/content.ts';
import { batchAnswerS, type BatchOnChain, batchesIn } from '../../src/core/batch/fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { type Hex, keccakWords } from '../../src/core/hash.ts';
import { type Address, type EffectId, sessionNumber, taskId } from '../../src/core/ids.ts';
import { precommitHash } from '../../src/core/precommit.ts';
import { limits } from '../../src/core/limits.ts';
import { oneCor, type Wei, wei } from '../../src/core/wei.ts';
import type { ChainFact } from '../../src/ports/chain.ts';
import type { BatchCall } from '../../src/ports/chain-batches.ts';
import { rpc } from '../kit/rpc.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('batch-challenge');
const withinMs = 30_000;

/** How a batch of one task is wrong. */
interface Lie {
  /** The salt that is shown, where it is not the one that was precommitted. */
  readonly salt?: Hex;
  /** The slots that are said to be honest; default the one that there is. */
  readonly honest?: number;
  /** What the miner is said to have had from the line before. */
  readonly invented?: Wei;
  /** The root of outcomes that is posted, where it is not that of the content. */
  readonly outcomeRoot?: Hex;
  /** Whether the content of the outcomes is kept from everybody. */
  readonly isHidden?: true;
}

describe('a batch that is wrong', () => {
  let on: TestNetwork;
  let liar: Address;
  let posts = 0;

  beforeAll(async () => {
    on = await startTestNetwork(place.path, {}, { settlement: 'batched' });
    const { network, demo } = on;
    liar = network.routers.find((router) => !router.owns(demo.session))?.address ?? ('0x' as Address);
  }, 120_000);

  afterAll(async () => {
    await on.network.stop(2_000);
    place.remove();
  });

  const facts = async (): Promise<readonly ChainFact[]> => {
    const { chain } = on.network.ports;
    return chain.facts(chain.deployment.fromBlock, (await chain.block()).number);
  };

  const batch = async (id: number): Promise<BatchOnChain> => {
    const found = batchesIn(await facts()).get(id);
    if (found === undefined) throw new Error(`there is no batch ${id}`);
    return found;
  };

  async function until(id: number, isThere: (found: BatchOnChain) => boolean): Promise<BatchOnChain> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      const found = await batch(id);
      if (isThere(found) || performance.now() > giveUpAt) return found;
      await on.network.ports.clock.sleep(50);
    }
  }

  /** Posts a batch of one task that nobody was given, as a router with a bond can. */
  async function post(lie: Lie): Promise<number> {
    const { network, demo } = on;
    const { chain, content } = network.ports;
    const { chainId, batches: contract } = chain.deployment;
    const number = posts++;
    const [miner] = network.miners.map(({ address }) => address) as [Address];
    const task = taskId(demo.session, keccakWords([number, 4_711]));
    const of = { session: demo.session, task, step: 0, attempt: 0, miner };
    const [resultRoot, salt] = [keccakWords([1, number]), keccakWords([2, number])];
    const precommit = precommitHash({ chainId, queueContract: contract, ...of, resultRoot, salt });
    const tasks = {
      kind: 'batch-tasks',
      v: 1,
      tasks: [
        {
          session: demo.session,
          number: Number(sessionNumber(demo.session)),
          task,
          step: 0,
          maxPriceWei: oneCor,
          slots: [{ miner, attempt: 0, precommit }],
          validators: network.validators.map(({ address }) => address),
        },
      ],
    } as const;
    const send = async (call: BatchCall, name: string): Promise<void> => {
      await chain.send(liar, call, `test.${name}:${liar}:${number}` as EffectId);
    };
    const bound = buildPrecommits(taskRecords({ tasks }));
    const leaves = await content.put(tasks);
    const first = { number, root: bound.tree.root, manifestDigest: cidToDigest(leaves), shares: bound.shares };
    await send({ call: 'postPrecommits', ...first }, 'precommits');
    const id = Math.max(...batchesIn(await facts()).keys());

    const reveals = {
      kind: 'batch-reveals',
      v: 1,
      tasks: leaves,
      shown: [[{ resultRoot, salt: lie.salt ?? salt }]],
    } as const;
    const { root } = buildReveals(buildPrecommits(taskRecords({ tasks, reveals })));
    const shown = await content.put(reveals);
    const { header } = await batch(id);
    await send({ call: 'postReveals', batch: id, header, root, manifestDigest: cidToDigest(shown) }, 'reveals');

    const verdict = { winner: 0, honest: lie.honest ?? 1, voters: 3, promptTokens: 5, outputTokens: 9, signatures: [] };
    const line: BatchOutcomes['line'] = lie.invented === undefined ? [] : [[miner, lie.invented, 0]];
    const outcomes: BatchOutcomes = { kind: 'batch-outcomes', v: 1, reveals: shown, verdicts: [verdict], line };
    const revealed = (await batch(id)).header;
    const all = buildPrecommits(taskRecords({ tasks, reveals, outcomes }));
    const made = buildOutcomes(id, revealed, all, lineOf(line));
    const roots = { outcomeRoot: lie.outcomeRoot ?? made.outcomes.root, paymentRoot: made.payments.root };
    const counts = { payments: made.payments.count, drawnWei: made.drawnWei };
    const manifestDigest = cidToDigest(lie.isHidden ? content.cidOf(outcomes) : await content.put(outcomes));
    await send({ call: 'postOutcomes', batch: id, header: revealed, ...roots, ...counts, manifestDigest }, 'outcomes');
    return id;
  }

  const oracles = async (): Promise<bigint> => {
    const { chain } = on.network.ports;
    const held = await Promise.all(on.network.oracles.map(({ address }) => chain.corBalance(address)));
    return held.reduce((sum, one) => sum + BigInt(one), 0n);
  };

  const lies: readonly (Lie & { readonly what: string; readonly fault: string })[] = [
    { what: 'whose reveal is not what was precommitted', salt: keccakWords([3]), fault: 'WrongReveal' },
    { what: 'whose outcome pays somebody that has shown nothing', honest: 3, fault: 'WrongOutcome' },
    { what: 'whose payments add up to what nobody has earned', invented: wei(5n * 10n ** 18n), fault: 'WrongEarnings' },
  ];

  it.each(lies)('$what is voided by an oracle, which has half of the bond', async ({ fault, ...lie }) => {
    const before = await oracles();
    const id = await post(lie);
    const ended = await until(id, ({ state }) => state === 'void');
    expect(ended).toMatchObject({ state: 'void', fault, poster: liar });
    expect((await oracles()) - before).toBe(50n * 10n ** 18n);
  });

  const withheld: readonly (Lie & { readonly what: string; readonly laterS: number })[] = [
    { what: 'whose content is not what was posted', outcomeRoot: keccakWords([4]), laterS: 0 },
    { what: 'whose content nobody can have', isHidden: true, laterS: limits.batchContentPatienceMs / 1_000 + 1 },
  ];

  it.each(withheld)('$what is voided where its poster does not show a leaf that is demanded', async (lie) => {
    const { rpcUrl, ports } = on.network;
    const before = await oracles();
    const id = await post(lie);
    if (lie.laterS > 0) await rpc(rpcUrl, 'evm_increaseTime', [lie.laterS]);
    const demanded = async (): Promise<boolean> =>
      (await facts()).some((fact) => fact.type === 'LeafDemanded' && fact.batch === id);
    await expect.poll(demanded, { timeout: withinMs }).toBe(true);
    expect((await batch(id)).state).toBe('posted');
    await rpc(rpcUrl, 'evm_increaseTime', [batchAnswerS + 1]);
    const ended = await until(id, ({ state }) => state === 'void');
    expect(ended).toMatchObject({ state: 'void', fault: 'Withheld', poster: liar });
    // Half of the bond goes to whoever has asked first; what both put down comes back.
    await expect.poll(async () => (await oracles()) - before, { timeout: withinMs }).toBe(50n * 10n ** 18n);
    expect((await ports.chain.money()).escrowedWei).toBe('0');
  });

  it('gives its session all of its money back', async () => {
    const { escrowedWei } = await on.network.ports.chain.money();
    expect(escrowedWei).toBe('0');
  });

  it('is told from one that is right: that one stands, and shows a leaf that is demanded', async () => {
    const { network } = on;
    const { chain } = network.ports;
    const { view } = await ask(on, 'What is a dog?');
    expect(view.state).toBe('settled');
    const id = Math.max(...batchesIn(await facts()).keys());
    const posted = await batch(id);
    expect(posted.state).toBe('posted');
    const asker = network.client.address;
    const amountWei = oneCor;
    await chain.send(
      asker,
      { call: 'approve', spender: 'batchDemands', amountWei },
      `test.approve:${asker}:0` as EffectId,
    );
    const before = BigInt(await chain.corBalance(posted.poster));
    const call = { call: 'demand', batch: id, header: posted.header, kind: 'outcome', position: 0 } as const;
    await chain.send(asker, call, `test.demand:${asker}:0` as EffectId);
    const giveUpAt = performance.now() + withinMs;
    while (BigInt(await chain.corBalance(posted.poster)) === before && performance.now() < giveUpAt) {
      await network.ports.clock.sleep(50);
    }
    expect(BigInt(await chain.corBalance(posted.poster)) - before).toBe(BigInt(oneCor));
    expect((await batch(id)).state).toBe('posted');
  });
});
