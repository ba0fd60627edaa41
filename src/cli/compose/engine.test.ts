import { expect, test } from 'vitest';
import { openEngine } from './engine.ts';

test('a model of another kind than is needed is refused', async () => {
  const [chat, embedder] = ['pebble-chat', 'pebble-embed'];
  const twice = (model: string) => openEngine({ model, embedder: model, device: 'cpu', workers: 1 });
  await expect(twice(embedder)).rejects.toMatchObject({ code: 'wrong_model_kind', param: 'model' });
  await expect(twice(chat)).rejects.toMatchObject({ code: 'wrong_model_kind' });
});
