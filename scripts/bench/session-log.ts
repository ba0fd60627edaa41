import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionEvent } from '../../actors/session/events.ts';
import { foldSession } from '../../actors/session/machine.ts';
import { defaultTerms } from '../../src/cli/compose/settings.ts';
import { assert } from '../../src/core/assert.ts';
import { contentCid } from '../../src/core/cid.ts';
import { type Commit, genesisHash, sealCommit } from '../../src/core/commit.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type Hex, hexToBytes, keccak256 } from '../../src/core/hash.ts';
import { type Address, sessionId, type StreamId, streamId, type TaskId, taskId, toAddress } from '../../src/core/ids.ts';
import { subWei, timesWei, wei, oneCor } from '../../src/core/wei.ts';

const startedAt = 1_780_000_000_000;
const contract = addressOf('sessions');
const client = addressOf('client');
const router = addressOf('router');
const miners = Array.from({ length: 5 }, (_, index) => addressOf(`miner ${index}`));
const answerers = miners.slice(0, 3);
const validators = [addressOf('validator 0'), addressOf('validator 1')];
const signer = signerFromSeed(hexToBytes(keccak256('a router of the benchmarks')));
const escrowWei = oneCor;
const priceWei = timesWei(wei(10n ** 15n), 9);

function addressOf(name: string): Address {
  return toAddress(keccak256(name).slice(0, 42));
}

function seen(block: number): { block: number; blockHash: Hex; txHash: Hex } {
  return { block, blockHash: keccak256(`block ${block}`), txHash: keccak256(`transaction ${block}`) };
}

/** The stream of session `number` of the benchmarks. */
export function benchStream(number: number): StreamId {
  return streamId('session', sessionId(31_337, contract, number));
}

/** What a router writes for a session: each inner list is one commit. Every task goes well at k = 3. */
export function sessionHistory(number: number, tasks: number): SessionEvent[][] {
  const session = sessionId(31_337, contract, number);
  const terms = defaultTerms('pebble-chat', [router]);
  const ids = Array.from({ length: tasks }, (_, index) => taskId(session, keccak256(`request ${index}`)));
  return [
    [{ type: 'SessionOpened', session, client, terms, seen: seen(1) }],
    [{ type: 'SessionDeposited', from: client, amountWei: timesWei(oneCor, 100_000), seen: seen(1) }],
    [{ type: 'ApiKeyBound', keyHash: keccak256(session).slice(2) }],
    ...ids.flatMap((task, index) => taskHistory(task, keccak256(`request ${index}`), 10 + index * 14)),
  ];
}

function taskHistory(task: TaskId, requestId: Hex, block: number): SessionEvent[][] {
  const at = startedAt + block * 1_000;
  const cid = (kind: string) => contentCid({ kind, task });
  const candidates = miners.map((node) => ({ node, weight: 1 }));
  const validatorCandidates = validators.map((node) => ({ node, weight: 1 }));
  const last = (index: number): boolean => index === answerers.length - 1;
  const scores = answerers.map((miner) => ({ miner, similarity: 1, tokens: 18 }));
  return [
    [
      { type: 'TaskSubmitted', task, requestId, by: router, prompt: cid('prompt'), model: 'pebble-chat', maxTokens: 64, maxPriceWei: escrowWei, redundancy: 3, validators: 2, similarityBps: 5_000, level: 1, expiresAt: at + 60_000, seen: null },
      { type: 'TimerSet', task, timer: 'queue', at: at + 60_000 },
    ],
    [{ type: 'TaskQueuedOnChain', task, escrowWei, seen: seen(block) }],
    [{ type: 'MinersSelected', task, beaconBlock: block + 1, beacon: keccak256(`block ${block + 1}`), candidates, validatorCandidates, miners: answerers, validators, ranking: miners, proof: cid('selection') }],
    [{ type: 'MinersAssigned', task, miners: answerers, validators, ackBy: at + 5_000, seen: seen(block + 2) }],
    ...answerers.map((miner, index): SessionEvent[] => [{ type: 'TaskAcked', task, miner, precommitBy: at + 120_000, seen: seen(block + 3 + index) }]),
    ...answerers.map((miner, index): SessionEvent[] => {
      const precommitted: SessionEvent = { type: 'TaskPrecommitted', task, miner, hash: keccak256(`precommit ${miner}`), seen: seen(block + 6 + index) };
      return last(index) ? [precommitted, { type: 'AllPrecommitted', task, revealBy: at + 140_000, seen: seen(block + 6 + index) }] : [precommitted];
    }),
    ...answerers.map((miner, index): SessionEvent[] => {
      const committed: SessionEvent = { type: 'TaskCommitted', task, miner, resultRoot: keccak256(`root ${task}`), result: cid(`result ${index}`), streamed: 'match', seen: seen(block + 9 + index) };
      return last(index) ? [committed, { type: 'AllCommitted', task, attestBy: at + 170_000, seen: seen(block + 9 + index) }] : [committed];
    }),
    [{ type: 'ResultValidated', task, winner: answerers[0] ?? router, honest: answerers, outliers: [], scores, report: cid('report'), promptTokens: 9, outputTokens: 18, seen: seen(block + 12) }],
    [{ type: 'TaskSettled', task, priceWei, returnedWei: subWei(escrowWei, priceWei), payments: [], manifest: cid('manifest'), seen: seen(block + 13) }],
  ];
}

/** The state after a history; crashes where the machine does not take one of its events, so that nothing idle is measured. */
export function foldHistory(history: readonly (readonly SessionEvent[])[]): Folded<SessionContext> {
  let state = foldSession.initial;
  for (const event of history.flat()) {
    const step = foldSession.step(state, event);
    assert(step.handled, `the session takes ${event.type}`);
    state = step.state;
  }
  return state;
}

/** A history as signed commits of a stream. */
export function sealHistory(stream: StreamId, history: readonly (readonly SessionEvent[])[]): Commit[] {
  const commits: Commit[] = [];
  for (const [index, events] of history.entries()) {
    const prev = commits.at(-1)?.hash ?? genesisHash;
    commits.push(sealCommit({ stream, version: index + 1, at: startedAt + index, author: router, cause: `chain:${keccak256(`cause ${index}`)}:0`, events, prev }, signer));
  }
  return commits;
}
