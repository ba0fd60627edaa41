import { expect, test } from 'vitest';
import { address, client, fact, session as one, terms } from '../../../test/actors/chain-facts.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { type SessionId, sessionId } from '../../core/ids.ts';
import { silentLog } from '../../ports/log.ts';
import type { NodeBase } from '../node-base.ts';
import { MissedFacts } from './missed-facts.ts';
import { sessionOf } from './session-facts.ts';

const broken = sessionId(31_337, address(0x99), 2);

/** Two sessions, one of which may not be readable, and a chain that tells of both. */
function world() {
  const facts: ChainFact[] = [];
  const seen: [SessionId, number][] = [];
  const unreadable = new Set<SessionId>([broken]);
  const stop = new AbortController();
  const sleeps: (() => void)[] = [];
  const owned = new Set<SessionId>([one, broken]);
  const say = (session: SessionId): ChainFact => {
    const said = fact(facts.length + 1, { type: 'SessionOpened', session, client, terms });
    facts.push(said);
    return said;
  };
  let onSee: () => void = () => {};
  const base = {
    stopping: stop.signal,
    ports: {
      log: silentLog,
      clock: { sleep: () => new Promise<void>((resolve) => sleeps.push(resolve)) },
      store: { head: async () => undefined },
      chain: {
        deployment: { fromBlock: 0 },
        block: async () => ({ number: facts.length }),
        facts: async () => [...facts],
      },
    },
  } as unknown as NodeBase;
  const see = async (told: readonly ChainFact[]): Promise<void> => {
    onSee();
    const session = told.map(sessionOf).find((id) => id !== undefined);
    if (session !== undefined && unreadable.has(session)) throw new TypeError('a forged history');
    for (const { place } of told) if (session !== undefined) seen.push([session, place.block]);
  };
  const missed = new MissedFacts({ base, owns: (session) => owned.has(session), see });
  return { missed, say, seen, unreadable, owned, sleeps, stop, meanwhile: (run: () => void) => void (onSee = run) };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
};

test('a session that cannot be told holds up no other one', async () => {
  const { missed, say, seen, sleeps } = world();
  say(one);
  say(broken);
  missed.tell([one, broken]);
  expect(await missed.told(broken)).toBe(false);
  await turns();
  sleeps.shift()?.();
  await turns();
  expect(await missed.told(one)).toBe(true);
  expect(seen.map(([session]) => session)).toContain(one);
  expect(seen.map(([session]) => session)).not.toContain(broken);
  expect(await missed.told(broken)).toBe(false);
});

test('once it can be told, it hears all that was passed over, also what came while it was told', async () => {
  const { missed, say, seen, sleeps, unreadable, meanwhile } = world();
  say(broken);
  missed.failed(broken, new Error('cannot be read'));
  say(broken);
  expect(await missed.told(broken)).toBe(false);
  unreadable.clear();
  let late = 1;
  meanwhile(() => {
    if (late === 0) return;
    late -= 1;
    say(broken);
    void missed.told(broken);
  });
  sleeps.shift()?.();
  await turns();
  expect(new Set(seen.map(([, block]) => block))).toEqual(new Set([1, 2, 3]));
  expect(await missed.told(broken)).toBe(true);
});

test('a session that is another’s by then is let go, and a router that stops ends its tries', async () => {
  const gone = world();
  gone.say(broken);
  gone.missed.failed(broken, new Error('cannot be read'));
  gone.owned.delete(broken);
  gone.sleeps.shift()?.();
  await turns();
  expect(await gone.missed.told(broken)).toBe(true);
  const stopped = world();
  stopped.missed.failed(broken, new Error('cannot be read'));
  stopped.stop.abort();
  stopped.sleeps.shift()?.();
  await turns();
  expect(stopped.sleeps).toEqual([]);
});
