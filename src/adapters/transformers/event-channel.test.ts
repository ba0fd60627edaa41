import { describe, expect, it, vi } from 'vitest';
import { EventChannel } from './event-channel.ts';

describe('EventChannel', () => {
  it('hands over what was pushed before and while the consumer waits', async () => {
    const channel = new EventChannel<number>(() => undefined);
    channel.push(1);
    expect(await channel.next()).toEqual({ done: false, value: 1 });
    const waiting = channel.next();
    channel.push(2);
    expect(await waiting).toEqual({ done: false, value: 2 });
  });

  it('ends after the last item', async () => {
    const channel = new EventChannel<number>(() => undefined);
    channel.push(1);
    channel.end();
    channel.push(2);
    expect(await channel.next()).toEqual({ done: false, value: 1 });
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  it('fails at once, once', async () => {
    const channel = new EventChannel<number>(() => undefined);
    channel.push(1);
    channel.fail(new Error('broken'));
    await expect(channel.next()).rejects.toThrow('broken');
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  it('fails a waiting consumer', async () => {
    const channel = new EventChannel<number>(() => undefined);
    const waiting = channel.next();
    channel.fail(new Error('broken'));
    await expect(waiting).rejects.toThrow('broken');
  });

  it('tells its producer, once, that the consumer has left, even while it waits', async () => {
    const left = vi.fn<() => void>();
    const channel = new EventChannel<number>(left);
    const waiting = channel.next();
    await channel.return();
    await channel.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('does not disturb a producer that had ended', async () => {
    const left = vi.fn<() => void>();
    const channel = new EventChannel<number>(left);
    channel.end();
    await channel.return();
    expect(left).not.toHaveBeenCalled();
  });
});
