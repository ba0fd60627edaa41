import { describe, expect, it } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { type SessionId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { ReplayGuard } from './replay-guard.ts';
import { SessionWrites, type SessionWritesOptions } from './session-writes.ts';

const session = '31337-abcdef01-1' as SessionId;
const [self, owner, stranger] = ['a', 'b', 'c'].map((digit) => toAddress(`0x${digit.repeat(40)}`)) as [
  ReturnType<typeof toAddress>,
  ReturnType<typeof toAddress>,
  ReturnType<typeof toAddress>,
];
const never = new AbortController().signal;
const asked = { session } as Parameters<SessionWrites['submit']>[0];

/** What happens at each try: who owns the session, and what the owner answers. */
interface Try {
  readonly owner?: typeof self | undefined;
  readonly refusal?: PouwError;
}

/** A router whose session goes through these hands; the last try stays. */
function router(
  tries: readonly Try[],
  routers = [self, owner],
): { writes: SessionWrites; sent: string[]; now: () => number } {
  let now = 0;
  let at = -1;
  const sent: string[] = [];
  const current = (): Try => tries[Math.min(Math.max(at, 0), tries.length - 1)] ?? {};
  const answer = <Answer>(who: string, value: Answer): Answer => {
    sent.push(who);
    const { refusal } = current();
    if (refusal !== undefined) throw refusal;
    return value;
  };
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const options = {
    base: {
      identity: { address: self },
      stopping: never,
      ports: { clock, random: { bytes32: () => `0x${sent.length}` } },
      ask: async (_role: string, node: string) => answer(node, { created: true }),
    },
    index: { routersOf: () => routers },
    ownership: {
      owns: () => {
        at += 1;
        return current().owner === self;
      },
      ownerOf: async () => current().owner,
    },
    desk: { submit: async () => answer(self, false) },
  } as unknown as SessionWritesOptions;
  return { writes: new SessionWrites(options), sent, now: clock.now };
}

const refusal = (code: string, kind: 'unavailable' | 'payment'): PouwError =>
  new PouwError(code, code, { class: kind });

describe('a task for a session', () => {
  it('is taken here where the session is owned here, else sent to its owner', async () => {
    const own = router([{ owner: self }]);
    expect(await own.writes.submit(asked, never)).toBe(false);
    expect(own.sent).toEqual([self]);
    const others = router([{ owner }]);
    expect(await others.writes.submit(asked, never)).toBe(true);
    expect(others.sent).toEqual([owner]);
    expect(others.now()).toBe(0);
  });

  it('waits while the session changes hands, whoever has it in the end', async () => {
    const tries = [{}, { owner, refusal: refusal('no_responders', 'unavailable') }, {}, { owner: self }];
    const late = router(tries);
    expect(await late.writes.submit(asked, never)).toBe(false);
    expect(late.sent).toEqual([owner, self]);
    expect(late.now()).toBeGreaterThan(0);
  });

  it('is refused for a moment where nobody owns the session for long', async () => {
    for (const tries of [[{}], [{ owner, refusal: refusal('request_timeout', 'unavailable') }]]) {
      const nobody = router(tries);
      await expect(nobody.writes.submit(asked, never)).rejects.toMatchObject({
        code: 'not_owner',
        class: 'unavailable',
      });
      expect(nobody.now()).toBeLessThanOrEqual(limits.ownerWaitMsMax);
      expect(nobody.now()).toBeGreaterThan(limits.ownerWaitMsMax - 1_000);
    }
  });

  it('is sent again to an owner that is busy, and refused as that one does where it stays so', async () => {
    const busy = new PouwError('router_busy', 'busy', { class: 'busy' });
    const soon = router([{ owner, refusal: busy }, { owner, refusal: busy }, { owner }]);
    expect(await soon.writes.submit(asked, never)).toBe(true);
    expect(soon.sent).toEqual([owner, owner, owner]);
    const always = router([{ owner, refusal: busy }]);
    await expect(always.writes.submit(asked, never)).rejects.toBe(busy);
    expect(always.now()).toBeGreaterThan(limits.ownerWaitMsMax - 1_000);
    expect(always.now()).toBeLessThanOrEqual(limits.ownerWaitMsMax);
  });

  it('is refused at once where the owner refuses it for good', async () => {
    const poor = router([{ owner, refusal: refusal('insufficient_balance', 'payment') }]);
    await expect(poor.writes.submit(asked, never)).rejects.toMatchObject({ code: 'insufficient_balance' });
    expect(poor.sent).toEqual([owner]);
  });

  it('is refused by a router that the terms do not name, which says who they name', async () => {
    const { writes, sent } = router([{ owner }], [owner, stranger]);
    const failure = writes.submit(asked, never);
    await expect(failure).rejects.toMatchObject({ code: 'router_not_listed', class: 'forbidden' });
    await expect(failure).rejects.toMatchObject({ hint: `Ask one of ${owner}, ${stranger}.` });
    expect(sent).toEqual([]);
  });
});

describe('a command that is sent again by somebody', () => {
  it('is taken once, and only while it is fresh', () => {
    const guard = new ReplayGuard();
    guard.take('a', 1_000, 1_000);
    expect(() => guard.take('a', 1_000, 2_000)).toThrow(expect.objectContaining({ code: 'command_repeated' }));
    guard.take('b', 1_000, 1_000 + limits.forwardedWriteAgeMsMax);
    for (const now of [1_001 + limits.forwardedWriteAgeMsMax, 999 - limits.forwardedWriteAgeMsMax])
      expect(() => guard.take('c', 1_000, now)).toThrow(expect.objectContaining({ code: 'command_expired' }));
  });
});
