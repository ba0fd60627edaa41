import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultCacheDir, localModels, modelKind, resolveModel } from './models.ts';
import { samplingDefaults } from './sampling-defaults.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pouw-models-'));
  for (const name of ['beta', 'alpha', 'empty']) {
    mkdirSync(join(directory, name));
    if (name !== 'empty') writeFileSync(join(directory, name, 'config.json'), '{}');
  }
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('resolveModel', () => {
  it('knows the folders that hold a model', () => {
    expect(localModels(directory)).toEqual(['alpha', 'beta']);
    expect(localModels(join(directory, 'nowhere'))).toEqual([]);
    expect(resolveModel('alpha', directory)).toEqual({ from: 'folder', id: 'alpha', folder: join(directory, 'alpha') });
  });

  it('takes a path, and calls the model by the folder’s name', () => {
    const folder = join(directory, 'beta');
    expect(resolveModel(folder, join(directory, 'nowhere'))).toEqual({ from: 'folder', id: 'beta', folder });
  });

  it('takes a hub id', () => {
    expect(resolveModel('Owner-1/model_2.5', directory)).toEqual({ from: 'hub', id: 'Owner-1/model_2.5' });
  });

  it.each(['gamma', './gamma', '/no/such/model', 'a/b/c', '../x', '', 'https://x/y'])(
    'refuses %j and names the ones there are',
    (name) => {
      expect(() => resolveModel(name, directory)).toThrow(
        expect.objectContaining({ code: 'model_not_found', class: 'not-found', details: { known: ['alpha', 'beta'] } }),
      );
    },
  );
});

describe('modelKind', () => {
  it.each([
    [{ architectures: ['LlamaForCausalLM'] }, 'chat'],
    [{ architectures: ['GPT2LMHeadModel'] }, 'chat'],
    [{ architectures: ['BertModel'] }, 'embedding'],
    [{ architectures: ['BertForMaskedLM'] }, 'embedding'],
    [{ architectures: ['T5ForConditionalGeneration'], is_encoder_decoder: true }, undefined],
    [{ architectures: ['ViTForImageClassification'] }, undefined],
    [{}, undefined],
  ])('%o is %s', (config, kind) => {
    expect(modelKind(config)).toBe(kind);
  });
});

describe('samplingDefaults', () => {
  it('is greedy unless the model asks to be sampled', () => {
    expect(samplingDefaults({ temperature: 0.7, top_p: 0.9 })).toEqual({ temperature: 0, topP: 1, topK: 0 });
    expect(samplingDefaults({ do_sample: true })).toEqual({ temperature: 1, topP: 1, topK: 50 });
    const stated = { do_sample: true, temperature: 0.6, top_p: 0.95, top_k: 20 };
    expect(samplingDefaults(stated)).toEqual({ temperature: 0.6, topP: 0.95, topK: 20 });
    expect(samplingDefaults({ ...stated, temperature: 9 }).temperature).toBe(2);
  });
});

describe('defaultCacheDir', () => {
  it('is where each system keeps caches', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'pouw', 'models'));
    expect(defaultCacheDir({}, 'darwin')).toContain(join('Library', 'Caches', 'pouw', 'models'));
    expect(defaultCacheDir({ LOCALAPPDATA: 'L' }, 'win32')).toBe(join('L', 'pouw', 'models'));
  });
});
