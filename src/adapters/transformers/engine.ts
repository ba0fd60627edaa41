import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutoConfig,
  AutoModel,
  AutoModelForCausalLM,
  AutoTokenizer,
  ModelFileNotFoundError,
  type ProgressInfo,
} from '@huggingface/transformers';
import { PouwError } from '../../core/errors.ts';
import type { LoadProgress, ModelInfo } from '../../ports/inference.ts';
import { ChatModel } from './chat-model.ts';
import type { Device } from './devices.ts';
import { chooseDtype } from './dtypes.ts';
import { EmbeddingModel } from './embedding-model.ts';
import { configureLibrary, loadError } from './hub.ts';
import type { Dtype, LoadedModel, LoadInput, WorkerSettings } from './messages.ts';
import { modelKind, modelNotFound } from './models.ts';
import { samplingDefaults } from './sampling-defaults.ts';

type Config = Readonly<Record<string, unknown>>;
type FileOptions = {
  readonly cache_dir: string;
  readonly local_files_only: boolean;
  readonly progress_callback: (info: ProgressInfo) => void;
};
type Loaded = { readonly model: ChatModel | EmbeddingModel; readonly loaded: LoadedModel };

/** The context of a model whose files do not state one. */
const contextTokensDefault = 2_048;

/** The models of one thread: loads them through the library and hands them out. */
export class Engine {
  readonly #settings: WorkerSettings;
  readonly #models = new Map<string, Loaded>();
  readonly #closing = new AbortController();

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    configureLibrary(settings, this.#closing.signal);
  }

  /**
   * Loads a model unless it is loaded.
   *
   * @throws PouwError `model_not_found`, `model_unreachable`, `model_not_supported`, `inference_failed`.
   */
  async load(input: LoadInput, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel> {
    const known = this.#models.get(input.source.id);
    if (known !== undefined) return known.loaded;
    try {
      const entry = await this.#read(input, onProgress);
      this.#models.set(input.source.id, entry);
      return entry.loaded;
    } catch (error) {
      throw loadError(error, input.source, this.#settings);
    }
  }

  /** @throws PouwError `model_not_found` where it is not loaded as a chat model. */
  chatModel(id: string): ChatModel {
    const model = this.#models.get(id)?.model;
    if (model instanceof ChatModel) return model;
    throw modelNotFound(id, [...this.#models.keys()], 'No chat model of this name is loaded.');
  }

  /** @throws PouwError `model_not_found` where it is not loaded as an embedding model. */
  embeddingModel(id: string): EmbeddingModel {
    const model = this.#models.get(id)?.model;
    if (model instanceof EmbeddingModel) return model;
    throw modelNotFound(id, [...this.#models.keys()], 'No embedding model of this name is loaded.');
  }

  /** Ends downloads and frees the sessions, without which the thread's native memory would outlive it. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('inference was closed'));
    for (const { model } of this.#models.values()) await model.dispose();
    this.#models.clear();
  }

  /** Files on disk first, and alone if they suffice: a filled cache then works without network. */
  async #read(input: LoadInput, onProgress: (progress: LoadProgress) => void): Promise<Loaded> {
    const { source } = input;
    const files: FileOptions = {
      cache_dir: this.#settings.cacheDir,
      local_files_only: source.from === 'folder' || existsSync(join(this.#settings.cacheDir, source.id, 'config.json')),
      progress_callback: (info) => {
        if (info.status === 'progress')
          onProgress({ model: source.id, file: info.file, loadedBytes: info.loaded, totalBytes: info.total });
      },
    };
    try {
      return await this.#open(input, files);
    } catch (error) {
      const mayDownload = source.from === 'hub' && files.local_files_only && !this.#settings.offline;
      if (!(mayDownload && error instanceof ModelFileNotFoundError)) throw error;
      return this.#open(input, { ...files, local_files_only: false });
    }
  }

  async #open(input: LoadInput, files: FileOptions): Promise<Loaded> {
    const { source, device, threads } = input;
    const place = source.from === 'folder' ? source.folder : source.id;
    const config = await AutoConfig.from_pretrained(place, files);
    const kind = modelKind(asRecord(config));
    if (kind === undefined) throw notSupported(source.id, asRecord(config));
    const dtype = await chooseDtype(source, input.dtype, this.#settings.cacheDir);
    const tokenizer = await AutoTokenizer.from_pretrained(place, files);
    const family = kind === 'chat' ? AutoModelForCausalLM : AutoModel;
    const model = await family.from_pretrained(place, {
      ...files,
      config,
      device,
      dtype,
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    });
    const contextTokens = contextOf(kind, asRecord(config), tokenizer.model_max_length);
    const dimensions =
      kind === 'embedding' ? (numberAt(asRecord(config), ['hidden_size', 'dim', 'd_model', 'n_embd']) ?? 0) : 0;
    const loaded = describe(
      { id: source.id, kind, contextTokens, dimensions, device },
      dtype,
      asRecord(model.generation_config ?? {}),
    );
    if (kind === 'chat') return { model: new ChatModel(source.id, model, tokenizer, contextTokens), loaded };
    return { model: new EmbeddingModel(source.id, model, tokenizer, contextTokens, dimensions), loaded };
  }
}

/** Runs a tiny model on a device once; rejects with the driver's reason where it does not work. */
export async function probeDevice(device: Device, folder: string): Promise<void> {
  const files = { local_files_only: true };
  const model = await AutoModelForCausalLM.from_pretrained(folder, { ...files, device, dtype: 'fp32' });
  try {
    const probe = new ChatModel('probe', model, await AutoTokenizer.from_pretrained(folder, files), 2);
    const { state } = await probe.forward([0], undefined);
    await state.cache.dispose();
  } finally {
    await model.dispose();
  }
}

function describe(info: ModelInfo, dtype: Dtype, generationConfig: Config): LoadedModel {
  return { info, dtype, samplingDefaults: samplingDefaults(generationConfig) };
}

/** Prompt and answer together. Tokenizers of embedding models often state a smaller context, the one they were trained on. */
function contextOf(kind: ModelInfo['kind'], config: Config, tokenizerMax: unknown): number {
  const positions = numberAt(config, ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_seq_len']);
  const stated =
    typeof tokenizerMax === 'number' && tokenizerMax > 0 && tokenizerMax < 10_000_000 ? tokenizerMax : undefined;
  if (kind === 'chat') return positions ?? stated ?? contextTokensDefault;
  return Math.min(positions ?? contextTokensDefault, stated ?? contextTokensDefault);
}

function numberAt(config: Config, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = config[name];
    if (typeof value === 'number' && value > 0) return value;
  }
  return undefined;
}

/** The library types its configurations by the few fields it uses itself; they hold the whole JSON file. */
function asRecord(config: object): Config {
  return config as Config;
}

function notSupported(id: string, config: Config): PouwError {
  return new PouwError(
    'model_not_supported',
    `Model ${JSON.stringify(id)} is neither a causal language model nor a sentence encoder.`,
    {
      class: 'invalid',
      why: `Its config.json says ${JSON.stringify({ architectures: config['architectures'], model_type: config['model_type'] })}.`,
      hint: 'Use a text-generation or a sentence-embedding model.',
      param: 'model',
    },
  );
}
