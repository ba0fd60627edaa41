import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createTransformersInference,
  type TransformersInference,
  type TransformersInferenceOptions,
} from '../../src/adapters/transformers/transformers-inference.ts';
import { serveFolder } from './folder-server.ts';
import { answer, dogRequest as request, failsWith } from './inference-requests.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));

describe('transformers: where models come from', () => {
  let scratch: ScratchDirectory;
  let opened: TransformersInference[] = [];
  beforeEach(() => {
    scratch = scratchDirectory();
  });
  afterEach(async () => {
    await Promise.all(opened.map((inference) => inference.close()));
    opened = [];
    scratch.remove();
  });
  async function open(options: TransformersInferenceOptions): Promise<TransformersInference> {
    const inference = await createTransformersInference({
      device: 'cpu',
      workers: 2,
      cacheDir: scratch.path,
      ...options,
    });
    opened.push(inference);
    return inference;
  }

  it('loads a folder by its path and calls it by its name', async () => {
    cpSync(`${modelsDir}/pebble-mini`, scratch.file('my-model'), { recursive: true });
    const inference = await open({});
    expect(await inference.load(scratch.file('my-model'))).toMatchObject({
      id: 'my-model',
      kind: 'chat',
      contextTokens: 512,
    });
    expect((await answer(inference, { ...request, model: 'my-model', maxTokens: 2 })).done.outputTokens).toBe(2);
    expect(inference.samplingDefaults('my-model')).toEqual({ temperature: 0, topP: 1, topK: 0 });
    await expect(inference.load(scratch.file('nowhere'))).rejects.toEqual(failsWith('model_not_found'));
  });

  it('names what a broken folder lacks', async () => {
    cpSync(`${modelsDir}/pebble-mini`, scratch.file('half'), {
      recursive: true,
      filter: (path) => !path.endsWith('.onnx'),
    });
    const inference = await open({});
    await expect(inference.load(scratch.file('half'))).rejects.toEqual(failsWith('model_not_found'));
  });

  it('fetches a hub model once, with progress, and then needs no hub', async () => {
    const hub = await serveFolder(modelsDir, (path) =>
      path.replace(/^\/someone\//, '/').replace('/resolve/main/', '/'),
    );
    const files = new Set<string>();
    const first = await open({ hubUrl: hub.url });
    const info = await first.load('someone/pebble-mini', ({ model, file, loadedBytes, totalBytes }) => {
      expect(model).toBe('someone/pebble-mini');
      expect(loadedBytes).toBeLessThanOrEqual(totalBytes);
      files.add(file);
    });
    expect(info).toMatchObject({ id: 'someone/pebble-mini', kind: 'chat' });
    expect([...files]).toEqual(expect.arrayContaining(['config.json', 'tokenizer.json', 'onnx/model.onnx']));
    expect(hub.requests.filter((path) => path.endsWith('/model.onnx')).length).toBeLessThanOrEqual(2);
    await expect(first.load('someone/no-such-model')).rejects.toEqual(failsWith('model_not_found'));
    await hub.close();
    const second = await open({ hubUrl: hub.url });
    await second.load('someone/pebble-mini');
    const third = await open({ offline: true });
    await third.load('someone/pebble-mini');
  });

  it('names both ways out when the hub is out of reach, silent, failing or forbidden', async () => {
    const gone = await serveFolder(modelsDir, (path) => path);
    await gone.close();
    const silent = await serveFolder(modelsDir, () => 'never');
    const failing = await serveFolder(modelsDir, () => 503);
    const ways: readonly TransformersInferenceOptions[] = [
      { hubUrl: gone.url },
      { hubUrl: silent.url, hubTimeoutMs: 50 },
      { hubUrl: failing.url },
      { offline: true },
    ];
    for (const options of ways) {
      const inference = await open({ workers: 1, ...options });
      const refused = inference.load('HuggingFaceTB/SmolLM2-135M-Instruct');
      const hint = expect.stringMatching(/folder.*or load it once on a machine with network and copy/) as string;
      await expect(refused).rejects.toEqual(failsWith('model_unreachable', { class: 'unavailable', hint }));
    }
    await silent.close();
    await failing.close();
  });
});
