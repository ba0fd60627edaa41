import { expect, test } from 'vitest';
import { pouwError } from '../../../../test/features/pouw-error.ts';
import {
  compareNatsVersions,
  isNatsVersionEnough,
  natsFeatures,
  natsVersionFloor,
  parseNatsVersion,
  requireNatsVersion,
} from './server-version.ts';

test.each([
  { text: '2.10.27', version: [2, 10, 27] },
  { text: 'v2.15.1', version: [2, 15, 1] },
  { text: ' 2.11.0-RC.2\n', version: [2, 11, 0] },
  { text: '2.12.0+build', version: [2, 12, 0] },
  { text: '2.10', version: undefined },
  { text: 'newest', version: undefined },
  { text: '', version: undefined },
])('$text is read as $version', ({ text, version }) => {
  expect(parseNatsVersion(text)).toEqual(version);
});

test('versions are in the order of their numbers, and what is none comes first', () => {
  const sorted = ['2.12.0', '2.9.10', 'x', '2.10.0', '2.9.9', '10.0.0'].toSorted(compareNatsVersions);
  expect(sorted).toEqual(['x', '2.9.9', '2.9.10', '2.10.0', '2.12.0', '10.0.0']);
});

test('the floor is the newest version among those that what we use needs', () => {
  for (const version of Object.values(natsFeatures)) expect(isNatsVersionEnough(natsVersionFloor, version)).toBe(true);
  expect(Object.values(natsFeatures)).toContain(natsVersionFloor);
});

test('a server at the floor is taken and an older one refused, with both versions', () => {
  expect(() => requireNatsVersion(natsVersionFloor, 'here')).not.toThrow();
  const refusal = pouwError('nats_too_old', { details: { version: '2.9.10', floor: natsVersionFloor } });
  expect(() => requireNatsVersion('2.9.10', 'here')).toThrow(refusal);
});
