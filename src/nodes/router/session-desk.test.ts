import { describe, expect, it } from 'vitest';
import { type Address, type SessionId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Json } from '../../core/json.ts';
import { SessionDesk, type SessionDeskOptions } from './session-desk.ts';

const session = '31337-abcdef01-1' as SessionId;
const sender = toAddress(`0x${'a'.repeat(40)}`);
/** As many as have all places together, and one more. */
const others = ['1', '2', '3', '4', '5'].map((digit) => toAddress(`0x${digit.repeat(40)}`));
const prompt = { kind: 'prompt', v: 1, model: 'm', prompt: { text: 'x' } };
const whole = { ...prompt, sampling: { temperature: 0, topP: 1, topK: 0 }, stop: [], topLogprobs: 0, maxTokens: 1 };

type Command = (message: { id: string; from: Address; body: object }) => Promise<unknown>;

/** A desk of a router that owns the session, and how other routers reach it. */
function desk(
  content: () => Promise<Json>,
  terms: object | null = null,
): { submit: Command; cancel: Command; kept: Json[]; taken: object[] } {
  const commands = new Map<string, Command>();
  const kept: Json[] = [];
  const taken: object[] = [];
  const options = {
    base: {
      identity: { address: toAddress(`0x${'b'.repeat(40)}`) },
      stopping: new AbortController().signal,
      ports: {
        clock: { now: () => 0 },
        chain: { grant: async (of: string, router: Address) => ({ of, router }) },
        content: { get: content, put: async (value: Json) => void kept.push(value), flush: async () => {} },
      },
      onCommand: (verb: string, _role: string, _schema: unknown, handle: Command) => commands.set(verb, handle),
    },
    index: { routersOf: () => [sender, ...others], task: () => undefined },
    owns: () => true,
    session: async () => ({ value: 'open', context: { tasks: {}, ended: [], terms } }),
    dispatch: async (_session: string, command: object) => {
      // What the log names is kept by then.
      expect({ command, kept }).toSatisfy(() => !('requestId' in command) || kept.length === 1);
      taken.push(command);
    },
  } as unknown as SessionDeskOptions;
  new SessionDesk(options).listen();
  const to =
    (verb: string): Command =>
    (message) =>
      commands.get(verb)!(message);
  return { submit: to('submit'), cancel: to('cancel'), kept, taken };
}

const requestId = `0x${'1'.repeat(64)}`;
const body = { session, requestId, prompt: 'b', promptTokens: 1, maxTokens: 1, model: 'm', maxPriceWei: null, at: 0 };

describe('a task from another router', () => {
  it('is taken with its prompt, which is kept before', async () => {
    const { submit, kept, taken } = desk(async () => whole);
    expect(await submit({ id: '1', from: sender, body })).toEqual({ created: true });
    expect(kept).toEqual([whole]);
    expect(taken).toMatchObject([{ type: 'SubmitTask', requestId, onChain: null, model: 'm' }]);
  });

  it('comes with what the router may still escrow, where it may within an allowance only', async () => {
    const closed = desk(async () => whole, { routerMaySubmit: false });
    await closed.submit({ id: '1', from: sender, body });
    expect(closed.taken).toMatchObject([{ grant: { of: session, router: `0x${'b'.repeat(40)}` } }]);
    const open = desk(async () => whole, { routerMaySubmit: true });
    await open.submit({ id: '1', from: sender, body });
    expect(open.taken[0]).not.toHaveProperty('grant');
  });

  it('is refused where its content is no prompt, or one for another model', async () => {
    for (const content of [{ kind: 'result' }, { ...whole, model: 'other' }]) {
      const { submit, taken } = desk(async () => content);
      await expect(submit({ id: '1', from: sender, body })).rejects.toMatchObject({ code: 'prompt_malformed' });
      expect(taken).toEqual([]);
    }
  });

  it('is refused while as many of its router are under way as may be, and those of others are taken', async () => {
    const prompts = Promise.withResolvers<Json>();
    const { submit, cancel } = desk(() => prompts.promise);
    const underWay = Array.from({ length: limits.forwardedWritesOfOneMax }, (_, at) =>
      submit({ id: `${at}`, from: sender, body }),
    );
    const refused = submit({ id: 'one more', from: sender, body });
    await expect(refused).rejects.toMatchObject({ code: 'router_busy', class: 'busy' });
    underWay.push(submit({ id: 'of another', from: others[0]!, body }));
    await cancel({ id: 'of another, too', from: others[0]!, body: { session, task: requestId, reason: 'x', at: 0 } });
    prompts.resolve({});
    for (const ended of await Promise.allSettled(underWay))
      expect(ended).toMatchObject({ reason: { code: 'prompt_malformed' } });
    await expect(submit({ id: 'one more', from: sender, body })).rejects.toMatchObject({ code: 'prompt_malformed' });
  });

  it('is refused while as many of all routers are under way as may be', async () => {
    const prompts = Promise.withResolvers<Json>();
    const { submit } = desk(() => prompts.promise);
    const senders = limits.forwardedWritesMax / limits.forwardedWritesOfOneMax;
    const underWay = others
      .slice(0, senders)
      .flatMap((from) =>
        Array.from({ length: limits.forwardedWritesOfOneMax }, (_, at) => submit({ id: `${at}`, from, body })),
      );
    const refused = submit({ id: 'one more', from: others[senders]!, body });
    await expect(refused).rejects.toMatchObject({ code: 'router_busy', class: 'busy' });
    prompts.resolve({});
    await Promise.allSettled(underWay);
  });
});
