import { expect, it } from 'vitest';
import { withoutSettings } from './node-child.ts';

it('a node of a cluster is not told by the environment what its file says otherwise', () => {
  const environment = { PATH: '/bin', POUW_DATA: 'mine', POUW_NATS: 'nats://there', POUW_CACHE: 'cache' };
  expect(withoutSettings(environment)).toEqual({ PATH: '/bin', POUW_CACHE: 'cache' });
});
