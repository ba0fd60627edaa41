import { JetStreamError } from '@nats-io/jetstream';
import { errors } from 'nats';
import { expect, test } from 'vitest';
import { mayPass } from './nats-errors.ts';

test.each([
  ['nobody answers', new errors.TimeoutError(), true],
  ['a server has gone quiet in the middle', new JetStreamError('heartbeats missed'), true],
  ['the client says something else', new JetStreamError('consumer deleted'), false],
  ['it is no error of NATS', new Error('heartbeats missed'), false],
])('where %s another try may help, or not', (_, error, expected) => {
  expect(mayPass(error)).toBe(expected);
});
