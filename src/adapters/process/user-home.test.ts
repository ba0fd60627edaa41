import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { pouwError } from '../../../test/features/pouw-error.ts';
import { userHome } from './user-home.ts';

const unlisted = (): string => {
  throw new Error('no such user');
};

test.each([
  { named: '/named', home: '/named' },
  { named: '', home: '/listed' },
  { named: 'relative/named', home: '/listed' },
])('where the environment names "$named" it is $home', ({ named, home }) => {
  expect(userHome({ homedir: () => named, listed: () => '/listed' })).toBe(home);
});

test('it is the system’s', () => {
  expect(userHome()).toBe(homedir());
});

test.each(['', '.'])('where neither knows it, that is said', (named) => {
  expect(() => userHome({ homedir: () => named, listed: unlisted })).toThrow(pouwError('home_unknown'));
});
