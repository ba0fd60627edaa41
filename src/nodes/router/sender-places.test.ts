import { expect, test } from 'vitest';
import { type Address, toAddress } from '../../core/ids.ts';
import { SenderPlaces } from './sender-places.ts';

const [a, b, c] = ['a', 'b', 'c'].map((digit) => toAddress(`0x${digit.repeat(40)}`)) as [Address, Address, Address];
const busy = { code: 'router_busy', class: 'busy' };

/** Work that goes on until it is ended. */
function going() {
  const end = Promise.withResolvers<string>();
  return { work: () => end.promise, end };
}

test('one sender has as many places as its bound says, and one more is refused while others have theirs', async () => {
  const places = new SenderPlaces({ max: 4, ofOneMax: 2 });
  const { work, end } = going();
  const held = [places.hold(a, 1, work), places.hold(a, 1, work)];
  await expect(places.hold(a, 1, work)).rejects.toMatchObject({
    ...busy,
    message: `The router has 2 requests of ${a} under way.`,
  });
  held.push(places.hold(b, 2, work));
  await expect(places.hold(c, 1, work)).rejects.toMatchObject({
    ...busy,
    message: 'The router has 4 requests of other routers under way.',
  });
  end.resolve('done');
  expect(await Promise.all(held)).toEqual(['done', 'done', 'done']);
  expect(await places.hold(a, 2, async () => 'again')).toBe('again');
  await expect(places.hold(a, 3, work)).rejects.toMatchObject(busy);
});

test('what fails gives its places back, too', async () => {
  const places = new SenderPlaces({ max: 2, ofOneMax: 2 });
  const fail = (): Promise<void> => Promise.reject(new Error('it failed'));
  await expect(places.hold(a, 2, fail)).rejects.toThrow('it failed');
  expect(await places.hold(b, 2, async () => 'all of them')).toBe('all of them');
});
