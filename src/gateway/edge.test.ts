import { expect, test } from 'vitest';
import type { ModelInfo } from '../ports/inference.ts';
import { findModel } from './edge.ts';
import { errorReply, shownError } from './error-status.ts';

const chat = { id: 'pebble-chat', kind: 'chat' } as ModelInfo;

function replyFor(id: string, live: readonly ModelInfo[]) {
  try {
    findModel({ models: () => live, knowsModel: (known) => known === chat.id }, id);
    return undefined;
  } catch (error) {
    return errorReply(shownError(error));
  }
}

test('a model whose miners are away for the moment is worth another try, one that nobody knows is not', () => {
  expect(replyFor('pebble-chat', [chat])).toBeUndefined();
  const away = replyFor('pebble-chat', []);
  expect(away).toMatchObject({ status: 503, body: { error: { code: 'model_unavailable', param: 'model' } } });
  expect(away?.headers).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '2' });
  const unknown = replyFor('pebble-huge', [chat]);
  expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'model_not_found', param: 'model' } } });
  expect(unknown?.headers).toMatchObject({ 'x-should-retry': 'false' });
});
