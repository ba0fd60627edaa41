import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionEvent } from '../../actors/session/events.ts';
import type { SeenAt } from '../../actors/task/events.ts';
import { foldSession } from '../../actors/session/machine.ts';
import { defaultTerms } from '../../src/cli/compose/settings.ts';
import { assert, present } from '../../src/core/assert.ts';
import { contentCid } from '../../src/core/cid.ts';
import { type Commit, genesisHash, sealCommit } from '../../src/core/commit.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type Hex, hexToBytes, keccak256 } from '../../src/core/hash.ts';
import {
  type Address,
  type Cid,
  sessionId,
  type StreamId,
  streamId,
  type TaskId,
  taskId,
  toAddress,
} from '../../src/core/ids.ts';
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

function seen(block: number): SeenAt {
  return { block, blockHash: keccak256(`block ${block}`), txHash: keccak256(`transaction ${block}`) };
}

/** The router that has written the histories, as a registry has it. */
export const benchAuthor = { node: router, roles: ['router'], key: signer.publicKey } as const;

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
  return [...untilAssigned(task, requestId, block), ...untilRevealed(task, block), ...untilSettled(task, block)];
}

/** A session in which so many tasks wait on chain for their miners and so many others have ended, newest in its state. */
export function busySession(unfinished: number, ended: number): Folded<SessionContext> {
  const open = (name: string, of: (task: TaskId, requestId: Hex, index: number) => SessionEvent[][], count: number) =>
    Array.from({ length: count }, (_, index) => {
      const requestId = keccak256(`${name} ${index}`);
      return of(taskId(sessionId(31_337, contract, 1), requestId), requestId, index);
    }).flat();
  return foldHistory([
    ...sessionHistory(1, 0),
    ...open('ended', (task, requestId, index) => taskHistory(task, requestId, 10 + index * 14), ended),
    ...open('open', (task, requestId, index) => untilAssigned(task, requestId, 10 + index).slice(0, 2), unfinished),
  ]);
}

/** The events of one more task of that session, from its submission to its settlement. */
export function oneMoreTask(): SessionEvent[] {
  const requestId = keccak256('one more');
  return taskHistory(taskId(sessionId(31_337, contract, 1), requestId), requestId, 100_000).flat();
}

function contentOf(task: TaskId, kind: string): Cid {
  return contentCid({ kind, task });
}

function untilAssigned(task: TaskId, requestId: Hex, block: number): SessionEvent[][] {
  const at = startedAt + block * 1_000;
  const submitted = {
    type: 'TaskSubmitted',
    task,
    requestId,
    by: router,
    prompt: contentOf(task, 'prompt'),
    model: 'pebble-chat',
    maxTokens: 64,
    maxPriceWei: escrowWei,
    redundancy: 3,
    validators: 2,
    similarityBps: 5_000,
    level: 1,
    expiresAt: at + 60_000,
    seen: null,
  } as const;
  const selected = {
    type: 'MinersSelected',
    task,
    beaconBlock: block + 1,
    beacon: keccak256(`block ${block + 1}`),
    candidates: miners.map((node) => ({ node, weight: 1 })),
    validatorCandidates: validators.map((node) => ({ node, weight: 1 })),
    miners: answerers,
    validators,
    ranking: miners,
    proof: contentOf(task, 'selection'),
  } as const;
  return [
    [submitted, { type: 'TimerSet', task, timer: 'queue', at: at + 60_000 }],
    [{ type: 'TaskQueuedOnChain', task, escrowWei, seen: seen(block) }],
    [selected],
    [{ type: 'MinersAssigned', task, miners: answerers, validators, ackBy: at + 5_000, seen: seen(block + 2) }],
  ];
}

/** Each miner in turn acknowledges, then precommits, then reveals; the last of a phase ends it. */
function untilRevealed(task: TaskId, block: number): SessionEvent[][] {
  const at = startedAt + block * 1_000;
  const resultRoot = keccak256(`root ${task}`);
  const phase = (
    first: number,
    event: (miner: Address, place: SeenAt) => SessionEvent,
    end?: (place: SeenAt) => SessionEvent,
  ): SessionEvent[][] =>
    answerers.map((miner, index) => {
      const place = seen(block + first + index);
      const isLast = end !== undefined && index === answerers.length - 1;
      return [event(miner, place), ...(isLast ? [end(place)] : [])];
    });
  return [
    ...phase(3, (miner, place) => ({ type: 'TaskAcked', task, miner, precommitBy: at + 120_000, seen: place })),
    ...phase(
      6,
      (miner, place) => ({ type: 'TaskPrecommitted', task, miner, hash: keccak256(`precommit ${miner}`), seen: place }),
      (place) => ({ type: 'AllPrecommitted', task, revealBy: at + 140_000, seen: place }),
    ),
    ...phase(
      9,
      (miner, place) => ({
        type: 'TaskCommitted',
        task,
        miner,
        resultRoot,
        result: contentOf(task, miner),
        streamed: 'match',
        seen: place,
      }),
      (place) => ({ type: 'AllCommitted', task, attestBy: at + 170_000, seen: place }),
    ),
  ];
}

function untilSettled(task: TaskId, block: number): SessionEvent[][] {
  const verdict = {
    type: 'ResultValidated',
    task,
    winner: present(answerers[0], 'a winner'),
    honest: answerers,
    outliers: [],
    scores: answerers.map((miner) => ({ miner, similarity: 1, tokens: 18 })),
    report: contentOf(task, 'report'),
    promptTokens: 9,
    outputTokens: 18,
    seen: seen(block + 12),
  } as const;
  const returnedWei = subWei(escrowWei, priceWei);
  const manifest = contentOf(task, 'manifest');
  return [
    [verdict],
    [{ type: 'TaskSettled', task, priceWei, returnedWei, payments: [], manifest, seen: seen(block + 13) }],
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
    commits.push(
      sealCommit(
        {
          stream,
          version: index + 1,
          at: startedAt + index,
          author: router,
          cause: `chain:${keccak256(`cause ${index}`)}:0`,
          events,
          prev,
        },
        signer,
      ),
    );
  }
  return commits;
}
