import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalBus } from '../../adapters/local/local-bus.ts';
import { type LocalStores, openLocalStores } from '../../adapters/local/local-stores.ts';
import { systemRandom } from '../../adapters/local/system-clock.ts';
import { signerFromSeed } from '../../core/ed25519.ts';
import { type Address, sessionId, type TaskId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { tokenSubject } from '../../messages/subjects.ts';
import type { RegisteredNode } from '../../ports/chain.ts';
import { silentLog } from '../../ports/log.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { NodeDirectory } from '../directory.ts';
import { NodeBase } from '../node-base.ts';
import { Feeds } from './feeds.ts';
import { hearTokens } from './hear-tokens.ts';

const task = `0x${'7'.repeat(64)}` as TaskId;
const session = sessionId(31_337, toAddress(`0x${'c'.repeat(40)}`), 7);
const [router, miner, rival] = [1, 2, 3].map((digit) => ({
  address: toAddress(`0x${String(digit).repeat(40)}`),
  signer: signerFromSeed(new Uint8Array(32).fill(digit)),
})) as [Who, Who, Who];
interface Who {
  readonly address: Address;
  readonly signer: ReturnType<typeof signerFromSeed>;
}

let stores: LocalStores;
let clock: VirtualClock;
let warned: string[];
let nodes: Record<'router' | 'miner' | 'rival', NodeBase>;
let feeds: Feeds;

/** A feed whose task has these miners, each at an attempt. */
function assign(...slots: readonly (readonly [Who, number])[]): void {
  const context = {
    primary: slots[0]?.[0].address ?? null,
    joins: [],
    slots: slots.map(([who, attempt]) => ({ miner: who.address, attempt })),
  };
  feeds.update(session, task, { value: slots.length === 0 ? 'queued' : 'assigned', context } as never);
}

function send(who: 'miner' | 'rival', seq: number, attempt = 0, text = ` ${seq}`): void {
  const { address } = nodes[who].identity;
  const body = { task, attempt, seq, index: seq, ids: [seq], text };
  nodes[who].publish(tokenSubject(session, task, address), `${task}:${attempt}:${seq}`, body);
}

async function say(...words: Parameters<typeof send>): Promise<void> {
  send(...words);
  await clock.advance(1);
}

const read = (): string =>
  feeds
    .get(task)
    ?.stream.delivered.map(({ text }) => text)
    .join('') ?? '';
const dropped = (): number => nodes.router.dropped.get('token_not_expected') ?? 0;

beforeEach(() => {
  stores = openLocalStores({ path: ':memory:' });
  clock = new VirtualClock({ settle: () => new Promise((resolve) => setTimeout(resolve, 2)) });
  warned = [];
  const directory = new NodeDirectory();
  directory.load(
    [miner, rival].map(({ address, signer }): RegisteredNode => ({
      node: address,
      roles: ['miner'],
      key: signer.publicKey,
      stakeWei: '0' as RegisteredNode['stakeWei'],
      active: true,
    })),
  );
  const bus = createLocalBus();
  const { events: store, snapshots, journal, leases } = stores;
  const unused = undefined as never;
  const log = { ...silentLog, warn: (message: string) => void warned.push(message) };
  const ports = { store, snapshots, journal, leases, clock, random: systemRandom, log, bus, chain: unused };
  const node = (role: 'router' | 'miner', who: Who): NodeBase =>
    new NodeBase({ role, ...who }, { ...ports, content: unused, directory }, { actors: [], handlers: {} });
  nodes = { router: node('router', router), miner: node('miner', miner), rival: node('miner', rival) };
  feeds = new Feeds({ ended: () => undefined });
});
afterEach(() => stores.close());

describe('words that come before the log says whose they are', () => {
  it('are read once it does, in their order, and nothing is said of them', async () => {
    const heard = hearTokens(nodes.router, feeds, tokenSubject(session, task, '*'));
    await say('miner', 0);
    assign();
    await say('miner', 1);
    await clock.advance(limits.earlyChunkMs / 2);
    assign([miner, 0]);
    await say('miner', 2);
    expect(read()).toBe(' 0 1 2');
    await clock.advance(2 * limits.earlyChunkMs);
    expect([dropped(), warned]).toEqual([0, []]);
    await heard.close();
  });

  it('are read where they are of a later attempt than the log has yet', async () => {
    const heard = hearTokens(nodes.router, feeds, tokenSubject(session, '*', '*'));
    assign([miner, 0]);
    await say('miner', 0, 1, ' anew');
    expect([read(), dropped()]).toEqual(['', 0]);
    assign([miner, 1]);
    await clock.advance(1);
    expect([read(), dropped()]).toEqual([' anew', 0]);
    await heard.close();
  });

  it('are dropped and counted where it never does', async () => {
    const heard = hearTokens(nodes.router, feeds, tokenSubject(session, '*', '*'));
    assign([miner, 0]);
    await say('rival', 0);
    await say('miner', 0);
    expect([read(), dropped()]).toEqual([' 0', 0]);
    await clock.advance(limits.earlyChunkMs);
    expect([read(), dropped(), warned]).toEqual([' 0', 1, ['a message was dropped']]);
    await heard.close();
  });

  it('of a task that has ended are dropped at once', async () => {
    const heard = hearTokens(nodes.router, feeds, tokenSubject(session, '*', '*'));
    feeds.update(session, task, { value: 'settled', context: { primary: null, joins: [], slots: [] } } as never);
    await say('rival', 0);
    expect(dropped()).toBe(1);
    await heard.close();
  });

  it('are kept up to a bound, of one miner and of all', async () => {
    const heard = hearTokens(nodes.router, feeds, tokenSubject(session, '*', '*'));
    for (let seq = 0; seq <= limits.earlyChunksOfOneMax; seq += 1) send('rival', seq);
    await expect.poll(dropped).toBe(1);
    await say('miner', 0);
    expect(dropped()).toBe(1);
    await heard.close();
    await clock.advance(limits.earlyChunkMs);
    expect(dropped()).toBe(1);
  });
});
