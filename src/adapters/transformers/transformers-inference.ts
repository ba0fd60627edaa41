import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { assert } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { checkRequest, checkTexts } from '../../ports/inference-request.ts';
import type {
  GenerateEvent,
  GenerateRequest,
  Inference,
  LoadProgress,
  ModelInfo,
  Prompt,
} from '../../ports/inference.ts';
import { type ChosenDevice, chooseDevice, type DeviceChoice } from './devices.ts';
import { EventChannel } from './event-channel.ts';
import type { Dtype, LoadedModel, WorkerSettings } from './messages.ts';
import { defaultCacheDir, modelNotFound, resolveModel } from './models.ts';
import { WorkerPool } from './pool.ts';
import type { SamplingDefaults } from './sampling-defaults.ts';
import { WorkerThread } from './worker-thread.ts';

/** How inference runs. */
export interface TransformersInferenceOptions {
  /** Default `auto`: the first device that really works, else the cpu. */
  readonly device?: DeviceChoice;
  /** Number format of the weights. Default `auto`: the first there is of q4, q8, fp32, fp16. */
  readonly dtype?: Dtype;
  /** Threads that run models, each with its own copy of the weights. Default 2, or 1 on a single core. */
  readonly workers?: number;
  /** Cores one forward pass may use. Default the cores shared out among the threads, 4 at most: small models gain nothing from more. */
  readonly coresPerWorker?: number;
  /** Generations one thread interleaves token by token. Default 8. */
  readonly generationsPerWorker?: number;
  /** Requests that may wait for a place. Default `limits.inferenceQueueMax`. */
  readonly queueMax?: number;
  /** Folder of folders of models. Default the project's `models/`. */
  readonly modelsDir?: string;
  /** Where downloaded models are kept. Default the user's cache folder. */
  readonly cacheDir?: string;
  /** Base address of the model hub. Default `https://huggingface.co/`. */
  readonly hubUrl?: string;
  /** Milliseconds the hub may take to begin an answer. Default 15,000. */
  readonly hubTimeoutMs?: number;
  /** Never ask the hub. Default false. */
  readonly offline?: boolean;
}

/** The port, and what the composition root tells its user. */
export interface TransformersInference extends Inference {
  /** One line saying which device runs the models and why. */
  readonly deviceLine: string;
  /** How a loaded model's makers would sample. @throws PouwError `model_not_found` */
  samplingDefaults(model: string): SamplingDefaults;
}

/**
 * Starts inference on ONNX models in worker threads.
 *
 * An aborted `signal` ends a generation with a `done` event whose reason is `cancelled`. Token ids include
 * those that complete a stop string, the text does not. `maxTokens` is cut to what the model can hold
 * beside the prompt. A text longer than an embedding model's context is embedded in windows, all of it.
 *
 * @throws PouwError `device_unavailable` where a device was asked for by name and does not work.
 * @example
 * const inference = await createTransformersInference({ device: 'auto' });
 * await inference.load('pebble-chat');
 * const sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${'0'.repeat(64)}` } as const;
 * const prompt = { messages: [{ role: 'user', content: 'What is a dog?' }] } as const;
 * for await (const event of inference.generate({ model: 'pebble-chat', prompt, maxTokens: 64, sampling, timeoutMs: 30_000 })) {
 *   process.stdout.write(event.text);
 * }
 * await inference.close();
 */
export async function createTransformersInference(
  options: TransformersInferenceOptions = {},
): Promise<TransformersInference> {
  const settings: WorkerSettings = {
    cacheDir: options.cacheDir ?? defaultCacheDir(),
    hubUrl: options.hubUrl ?? 'https://huggingface.co/',
    hubTimeoutMs: options.hubTimeoutMs ?? 15_000,
    offline: options.offline ?? false,
  };
  const workers = options.workers ?? Math.min(2, availableParallelism());
  const generationsPerWorker = options.generationsPerWorker ?? 8;
  assert(
    Number.isInteger(workers) && workers >= 1 && workers <= limits.inferenceWorkersMax,
    `workers must be 1 to ${limits.inferenceWorkersMax}`,
  );
  assert(
    Number.isInteger(generationsPerWorker) &&
      generationsPerWorker >= 1 &&
      generationsPerWorker <= limits.generationsPerWorkerMax,
    `generationsPerWorker must be 1 to ${limits.generationsPerWorkerMax}`,
  );
  const device = await chooseDevice(options.device ?? 'auto', (candidate) => probeInThread(candidate, settings));
  const pool = new WorkerPool({
    workers,
    generationsPerWorker,
    queueMax: options.queueMax ?? limits.inferenceQueueMax,
    settings,
  });
  return new PooledInference(pool, device, {
    modelsDir: options.modelsDir ?? fileURLToPath(new URL('../../../models', import.meta.url)),
    dtype: options.dtype ?? 'auto',
    threads: options.coresPerWorker ?? Math.min(4, Math.max(1, Math.floor(availableParallelism() / workers))),
  });
}

/** Probes in a thread of its own: what a failed driver leaves behind ends with it. */
async function probeInThread(device: ChosenDevice['device'], settings: WorkerSettings): Promise<void> {
  const thread = new WorkerThread(settings, () => {});
  try {
    await thread.call('probe', { device }).result;
  } finally {
    await thread.close();
  }
}

interface LoadSettings {
  readonly modelsDir: string;
  readonly dtype: Dtype;
  readonly threads: number;
}

class PooledInference implements TransformersInference {
  readonly deviceLine: string;
  readonly #pool: WorkerPool;
  readonly #device: ChosenDevice;
  readonly #settings: LoadSettings;
  readonly #loading = new Map<string, Promise<LoadedModel>>();
  readonly #loaded = new Map<string, LoadedModel>();
  #closing: Promise<void> | undefined;

  constructor(pool: WorkerPool, device: ChosenDevice, settings: LoadSettings) {
    this.deviceLine = device.line;
    this.#pool = pool;
    this.#device = device;
    this.#settings = settings;
  }

  async load(model: string, onProgress: (progress: LoadProgress) => void = () => {}): Promise<ModelInfo> {
    const known = this.#loaded.get(model);
    if (known !== undefined) return known.info;
    const source = resolveModel(model, this.#settings.modelsDir);
    const { dtype, threads } = this.#settings;
    const loading =
      this.#loading.get(source.id) ??
      this.#pool.load({ source, device: this.#device.device, dtype, threads }, onProgress);
    this.#loading.set(source.id, loading);
    try {
      const loaded = await loading;
      this.#loaded.set(source.id, loaded);
      return loaded.info;
    } finally {
      this.#loading.delete(source.id);
    }
  }

  models(): readonly ModelInfo[] {
    return [...this.#loaded.values()].map((loaded) => loaded.info);
  }

  samplingDefaults(model: string): SamplingDefaults {
    return this.#require(model).samplingDefaults;
  }

  async countTokens(model: string, prompt: Prompt): Promise<number> {
    this.#require(model, 'chat');
    return this.#pool.ask('count', { model, prompt });
  }

  generate(request: GenerateRequest): AsyncIterable<GenerateEvent> {
    return { [Symbol.asyncIterator]: () => this.#stream(request) };
  }

  async embed(
    model: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number }> {
    this.#require(model, 'embedding');
    checkTexts(texts);
    signal?.throwIfAborted();
    const running = this.#pool.run('embed', { model, texts }, signal ?? new AbortController().signal);
    const { rows, dimensions, tokens } = await running.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
    return { vectors: texts.map((_, row) => rows.slice(row * dimensions, (row + 1) * dimensions)), tokens };
  }

  async decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]> {
    this.#require(model, 'embedding');
    return this.#pool.ask('decode', { model, lists });
  }

  occupancy(): { readonly running: number; readonly waiting: number } {
    return this.#pool.occupancy();
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.close();
    return this.#closing;
  }

  #stream(request: GenerateRequest): AsyncIterator<GenerateEvent> {
    const abort = new AbortController();
    const channel = new EventChannel<GenerateEvent>(() => abort.abort());
    void this.#produce(request, channel, abort).then(
      () => channel.end(),
      (error: unknown) => channel.fail(error),
    );
    return channel;
  }

  async #produce(
    request: GenerateRequest,
    channel: EventChannel<GenerateEvent>,
    abort: AbortController,
  ): Promise<void> {
    checkRequest(request);
    this.#require(request.model, 'chat');
    const { signal, timeoutMs, ...input } = request;
    const cancel = (): void => abort.abort(signal?.reason);
    const timer = setTimeout(() => {
      channel.fail(timedOut(timeoutMs));
      abort.abort();
    }, timeoutMs);
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      await this.#pool.run('generate', input, abort.signal, (event) => channel.push(event));
    } catch (error) {
      if (!abort.signal.aborted || error !== abort.signal.reason) throw error;
      // It was cancelled while it waited for a place: nothing was read or made.
      channel.push({
        type: 'done',
        prefixText: '',
        text: '',
        finishReason: 'cancelled',
        tokens: request.prefix ?? [],
        promptTokens: 0,
        outputTokens: request.prefix?.length ?? 0,
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  #require(model: string, kind?: ModelInfo['kind']): LoadedModel {
    const loaded = this.#loaded.get(model);
    if (loaded === undefined) throw modelNotFound(model, [...this.#loaded.keys()], 'It is not loaded.');
    if (kind === undefined || loaded.info.kind === kind) return loaded;
    throw new PouwError(
      'model_kind_mismatch',
      `Model ${JSON.stringify(model)} is ${loaded.info.kind === 'chat' ? 'a chat' : 'an embedding'} model.`,
      {
        class: 'invalid',
        hint: `Use one of ${
          this.models()
            .filter((info) => info.kind === kind)
            .map((info) => info.id)
            .join(', ') || `a loaded ${kind} model`
        }.`,
        param: 'model',
      },
    );
  }
}

function timedOut(timeoutMs: number): PouwError {
  return new PouwError('generation_timeout', `The generation took longer than ${timeoutMs} ms.`, {
    class: 'timeout',
    hint: 'Ask for fewer tokens, allow more time, or run more miners.',
    details: { timeoutMs, retryable: true },
  });
}
