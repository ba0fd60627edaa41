import type { Hex } from '../../src/core/hash.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { type Address, type EffectId, type SessionId, taskId, type TaskId } from '../../src/core/ids.ts';
import { precommitHash } from '../../src/core/precommit.ts';
import { plainTerms } from '../../src/core/session-terms.ts';
import { oneCor, timesWei, type Wei, wei } from '../../src/core/wei.ts';
import type { Chain, ChainCall, ChainCursor, ChainFact, ChainReceipt, SessionTerms } from '../../src/ports/chain.ts';
import type { Subscription } from '../../src/ports/event-store.ts';
import { type Disposable, eventually } from './feature.ts';

/** The accounts of a prepared chain: registered, staked, funded, with approvals for the sessions contract. */
export interface ChainCast {
  readonly deployer: Address;
  readonly client: Address;
  readonly router: Address;
  readonly miners: readonly [Address, Address, Address];
  readonly spareMiner: Address;
  readonly validators: readonly [Address, Address];
  readonly oracle: Address;
}

/** A prepared chain, and what a test may do to it that no port can. */
export interface ChainHarness extends Disposable {
  readonly chain: Chain;
  readonly cast: ChainCast;
  /** Closes the chain and opens it again on what it has stored. */
  reopen(): Promise<Chain>;
  /** Puts block time ahead. */
  passTime(seconds: number): Promise<void>;
  /** Replaces the newest blocks by as many empty ones. */
  reorg(blocks: number): Promise<void>;
  /** Takes the node away and brings it back. */
  stopNode(): Promise<void>;
  startNode(): Promise<void>;
  readonly patienceMs: number;
}

/** An effect id of its own for each call. */
export function effect(name: string): EffectId {
  return `test.${name}:1:0` as EffectId;
}

/** Some $COR. */
export function cor(amount: number): Wei {
  return timesWei(oneCor, amount);
}

/** 32 bytes that stand for a word. */
export function digest(word: string): Hex {
  return keccak256(word);
}

/** Terms that the cast can fulfil. */
export function someTerms(cast: ChainCast, change: Partial<SessionTerms> = {}): SessionTerms {
  return {
    ...plainTerms,
    model: 'pebble-chat',
    redundancy: 3,
    validators: 2,
    similarityBps: 8_500,
    level: 1,
    routerMaySubmit: true,
    maxTaskPriceWei: cor(10),
    promptTokenWei: wei(10n ** 15n),
    outputTokenWei: wei(2n * 10n ** 15n),
    queueTimeoutS: 60,
    ackTimeoutS: 10,
    executeTimeoutS: 60,
    revealTimeoutS: 30,
    validateTimeoutS: 30,
    routers: [cast.router],
    ...change,
  };
}

/** The one fact of a type that a transaction led to. */
export function factOf<Type extends ChainFact['type']>(
  receipt: ChainReceipt,
  type: Type,
): Extract<ChainFact, { type: Type }> {
  const fact = receipt.facts.find((candidate) => candidate.type === type);
  if (fact === undefined) throw new Error(`no ${type} among ${receipt.facts.map((other) => other.type).join(', ')}`);
  return fact as Extract<ChainFact, { type: Type }>;
}

/** Opens a session of the cast's client. */
export async function openSession(
  { chain, cast }: { readonly chain: Chain; readonly cast: ChainCast },
  name: string,
  change: Partial<SessionTerms> = {},
): Promise<SessionId> {
  const call: ChainCall = { call: 'openSession', terms: someTerms(cast, change), depositWei: cor(100) };
  return factOf(await chain.send(cast.client, call, effect(`open-${name}`)), 'SessionOpened').session;
}

/** What a follower was told, in the order in which it was told. */
export interface Heard {
  readonly facts: ChainFact[];
  readonly removed: ChainFact[];
  readonly outages: string[];
  /** All in one line: `+Type`, `-Type`, `down`, `up`. */
  readonly story: string[];
  cursor: ChainCursor | undefined;
}

/** Follows a chain and remembers all it hears. */
export function listen(chain: Chain, cursor?: ChainCursor): Heard & { readonly subscription: Subscription } {
  const heard: Heard = { facts: [], removed: [], outages: [], story: [], cursor };
  const subscription = chain.follow(cursor, {
    onFacts: async (facts, at) => {
      heard.facts.push(...facts);
      heard.story.push(...facts.map(({ type }) => `+${type}`));
      heard.cursor = at;
    },
    onRemoved: async (facts, at) => {
      heard.removed.push(...facts);
      heard.story.push(...facts.map(({ type }) => `-${type}`));
      heard.cursor = at;
    },
    onOutage: (state) => {
      heard.outages.push(state);
      heard.story.push(state);
    },
  });
  return Object.assign(heard, { subscription });
}

/** Waits until a follower has heard of a transaction. */
export function heardOf(heard: Heard, txHash: Hex, patienceMs: number): Promise<void> {
  return eventually(
    `the fact of ${txHash}`,
    () => heard.facts.some(({ place }) => place.txHash === txHash),
    patienceMs,
  );
}

/** A task on its way: submitted by the router and ready for its miners. */
export interface RunningTask {
  readonly session: SessionId;
  readonly task: TaskId;
}

/** Submits a task and gives it to the cast's miners and validators, under a beacon of the chain. */
export async function assignTask(harness: ChainHarness, session: SessionId, name: string): Promise<RunningTask> {
  const { chain, cast } = harness;
  const requestId = digest(`request-${name}`);
  const task = taskId(session, requestId);
  const submit = { call: 'submit', session, requestId, promptDigest: digest('prompt') } as const;
  const submitted = await chain.send(
    cast.router,
    { ...submit, maxTokens: 64, maxPriceWei: cor(5) },
    effect(`submit-${name}`),
  );
  const beacon = await chain.block((await chain.waitForBlock(submitted.block + 1)).number);
  const selection = { beaconBlock: beacon.number, beacon: beacon.hash, selectionDigest: digest('selection') };
  const weighed = (nodes: readonly Address[]) => nodes.map((node) => ({ node, weight: 1_000_000 }));
  const call: ChainCall = {
    call: 'assign',
    task,
    // In this order, as if they had come by themselves.
    scheme: 'first-come',
    miners: weighed(cast.miners),
    validators: weighed(cast.validators.toSorted()),
    lane: 0,
    ...selection,
  };
  await chain.send(cast.router, call, effect(`assign-${name}`));
  return { session, task };
}

/** What a miner of a test commits to. */
export function commitment(chain: Chain, { session, task }: RunningTask, miner: Address) {
  const resultRoot = digest(`root-${miner}`);
  const salt = digest(`salt-${miner}`);
  const { chainId, queue } = chain.deployment;
  const hash = precommitHash({
    chainId,
    queueContract: queue,
    session,
    task,
    step: 0,
    attempt: 0,
    miner,
    resultRoot,
    salt,
  });
  return { hash, resultRoot, salt, resultDigest: digest(`result-${miner}`) };
}

/** Lets the cast's miners acknowledge, precommit and reveal, all at once in each phase. */
export async function workOn({ chain, cast }: ChainHarness, running: RunningTask, name: string): Promise<void> {
  const { task } = running;
  const all = (phase: string, call: (miner: Address) => ChainCall): Promise<unknown> =>
    Promise.all(cast.miners.map((miner) => chain.send(miner, call(miner), effect(`${phase}-${miner}-${name}`))));
  await all('ack', () => ({ call: 'ack', task }));
  await all('precommit', (miner) => ({ call: 'precommit', task, hash: commitment(chain, running, miner).hash }));
  await all('reveal', (miner) => {
    const { resultRoot, salt, resultDigest } = commitment(chain, running, miner);
    return { call: 'reveal', task, resultRoot, salt, resultDigest };
  });
}
