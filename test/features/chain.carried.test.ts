import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Address } from '../../src/core/ids.ts';
import { taskId } from '../../src/core/ids.ts';
import { boundedCandidates, rankByRendezvous } from '../../src/core/selection.ts';
import type { CompactSignature, QueueMessage } from '../../src/ports/queue-messages.ts';
import { type ChainHarness, commitment, cor, digest, effect, factOf, openSession } from './chain.harness.ts';
import { startLocalChain } from './chain.local-chain.ts';
import { pouwError } from './pouw-error.ts';

let harness: ChainHarness;
beforeEach(async () => {
  harness = await startLocalChain();
}, 120_000);
afterEach(() => harness.close());

const sign = (by: Address, message: QueueMessage): Promise<CompactSignature> => harness.chain.sign(by, message);

/** Submits a task and draws its nodes here; the contract is left to draw the same. */
async function drawn(name: string) {
  const { chain, cast } = harness;
  const session = await openSession(harness, name);
  const requestId = digest(`request-${name}`);
  const task = taskId(session, requestId);
  const request = { requestId, promptDigest: digest('prompt'), maxTokens: 64, maxPriceWei: cor(5) };
  const submitted = await chain.send(cast.router, { call: 'submit', session, ...request }, effect(`submit-${name}`));
  const { number: beaconBlock, hash: beacon } = await chain.waitForBlock(submitted.block + 1);
  const weighed = (nodes: readonly Address[]) =>
    boundedCandidates(
      beacon,
      task,
      nodes.map((node, index) => ({ node, weight: 400_000 * (index + 1) })),
    );
  const miners = weighed([...cast.miners, cast.spareMiner]);
  const validators = weighed(cast.validators);
  const draw = { miners, validators, beaconBlock, beacon, selectionDigest: digest('selection'), lane: 0 } as const;
  return {
    session,
    task,
    draw,
    miners: rankByRendezvous(beacon, task, miners).slice(0, 3),
    validators: rankByRendezvous(beacon, task, validators),
  };
}

test('a router carries a task that others have signed, and the contract draws who we draw', async () => {
  const { chain, cast } = harness;
  const { session, task, draw, miners, validators } = await drawn('carried');
  const of = { task, step: 0 } as const;
  const acceptances = await Promise.all(
    miners.map((miner) => sign(miner, { is: 'Acceptance', ...of, attempt: 0, beaconBlock: draw.beaconBlock })),
  );
  const assigned = await chain.send(
    cast.router,
    { call: 'assign', task, scheme: 'drawn', ...draw, acceptances },
    effect('carry-assign'),
  );
  expect(factOf(assigned, 'MinersAssigned')).toMatchObject({ miners, validators });
  expect(assigned.facts.filter(({ type }) => type === 'TaskAcked')).toHaveLength(3);

  const made = miners.map((miner) => commitment(chain, { session, task }, miner));
  const precommits = await Promise.all(
    made.map(async ({ hash }, slot) => ({
      slot,
      hash,
      signature: await sign(miners[slot] as Address, { is: 'Precommit', ...of, attempt: 0, precommit: hash }),
    })),
  );
  const bound = await chain.send(cast.router, { call: 'precommitMany', task, carried: precommits }, effect('carry-p'));
  expect(factOf(bound, 'AllPrecommitted')).toMatchObject({ task });

  const reveals = made.map(({ hash: _, ...shown }, slot) => ({ slot, ...shown }));
  const shown = await chain.send(cast.router, { call: 'revealMany', task, carried: reveals }, effect('carry-r'));
  expect(factOf(shown, 'AllRevealed')).toMatchObject({ task });

  const outcome = { winner: 2, honest: 0b101, promptTokens: 100, outputTokens: 50 };
  const reportDigest = digest('report');
  const carried = await Promise.all(
    validators.map(async (node, validator) => ({
      validator,
      reportDigest,
      signature: await sign(node, { is: 'Attestation', ...of, outcome, reportDigest }),
    })),
  );
  const call = { call: 'settleWith', task, outcome, carried, manifestDigest: digest('manifest') } as const;
  const settled = await chain.send(cast.router, call, effect('carry-s'));
  expect(factOf(settled, 'ResultValidated')).toMatchObject({ winner: miners[2], honest: [miners[0], miners[2]] });
  expect(factOf(settled, 'StakeSlashed')).toMatchObject({ node: miners[1], reason: 'outlier' });
  expect(factOf(settled, 'TaskSettled')).toMatchObject({ task, priceWei: '200000000000000000' });
});

test('attestations can be carried without a settlement', async () => {
  const { chain, cast } = harness;
  const { session, task, draw, miners, validators } = await drawn('attested');
  await chain.send(cast.router, { call: 'assign', task, scheme: 'drawn', ...draw }, effect('attested-assign'));
  for (const miner of miners) {
    const { hash } = commitment(chain, { session, task }, miner);
    await chain.send(miner, { call: 'precommit', task, hash }, effect(`attested-p-${miner}`));
  }
  for (const miner of miners) {
    const { hash: _, ...shown } = commitment(chain, { session, task }, miner);
    await chain.send(miner, { call: 'reveal', task, ...shown }, effect(`attested-r-${miner}`));
  }
  const outcome = { winner: 0, honest: 0b111, promptTokens: 1, outputTokens: 1 };
  const reportDigest = digest('report');
  const carried = await Promise.all(
    validators.map(async (node, validator) => ({
      validator,
      reportDigest,
      signature: await sign(node, { is: 'Attestation', task, step: 0, outcome, reportDigest }),
    })),
  );
  const forged = carried.toReversed().map((one, validator) => ({ ...one, validator }));
  await expect(
    chain.send(cast.router, { call: 'attestMany', task, outcome, carried: forged }, effect('forged')),
  ).rejects.toEqual(
    pouwError('chain_reverted', { details: expect.objectContaining({ reason: 'BadSignature' }) as unknown }),
  );
  const receipt = await chain.send(cast.router, { call: 'attestMany', task, outcome, carried }, effect('attested'));
  expect(factOf(receipt, 'ResultValidated')).toMatchObject({ task, winner: miners[0] });
});

test('a task is read as it stands on chain, and signatures are judged as the contract does', async () => {
  const { chain, cast } = harness;
  const { session, task, draw, miners, validators } = await drawn('read');
  expect(await chain.task(digest('none') as never)).toBeUndefined();
  expect(await chain.task(task)).toMatchObject({ session, state: 'queued', step: 0, slots: [], validators: [] });
  const accepted = { is: 'Acceptance', task, step: 0, attempt: 0, beaconBlock: draw.beaconBlock } as const;
  const acceptance = await sign(miners[0] as Address, accepted);
  await chain.send(
    cast.router,
    { call: 'assign', task, scheme: 'drawn', ...draw, acceptances: [acceptance, null, null] },
    effect('read-assign'),
  );
  const { hash } = commitment(chain, { session, task }, miners[1] as Address);
  await chain.send(miners[1] as Address, { call: 'precommit', task, hash }, effect('read-p'));
  const record = await chain.task(task);
  expect(record).toMatchObject({ session, state: 'executing', step: 0 });
  expect(record?.slots.map(({ miner, attempt, state }) => [miner, attempt, state])).toEqual([
    [miners[0], 0, 'acked'],
    [miners[1], 0, 'precommitted'],
    [miners[2], 0, 'assigned'],
  ]);
  expect(record?.slots[1]?.precommit).toBe(hash);
  expect(record?.validators).toEqual(validators.map((validator) => ({ validator, hasAttested: false })));
  const { at } = await chain.block();
  for (const { dueBy } of record?.slots ?? []) expect(dueBy).toBeGreaterThan(at);

  const message = { is: 'Precommit', task, step: 0, attempt: 0, precommit: hash } as const;
  const signature = await sign(miners[0] as Address, message);
  expect(await chain.isSigned(miners[0] as Address, message, signature)).toBe(true);
  expect(await chain.isSigned(miners[1] as Address, message, signature)).toBe(false);
  expect(await chain.isSigned(miners[0] as Address, { ...message, attempt: 1 }, signature)).toBe(false);
  expect(await chain.isSigned(miners[0] as Address, message, { r: signature.r, vs: digest('other') })).toBe(false);
  await expect(chain.sign(digest('stranger').slice(0, 42) as Address, message)).rejects.toEqual(
    pouwError('unknown_account'),
  );
});
