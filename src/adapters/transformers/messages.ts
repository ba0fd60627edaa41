import { type ErrorClass, PouwError, errorMessage } from '../../core/errors.ts';
import type { GenerateEvent, GenerateRequest, LoadProgress, ModelInfo, Prompt } from '../../ports/inference.ts';
import type { Device } from './devices.ts';
import type { ModelSource } from './models.ts';
import type { SamplingDefaults } from './sampling-defaults.ts';

/** Number formats of model weights, named as the library names them. */
export const dtypes = ['auto', 'q4', 'q8', 'fp16', 'fp32', 'q4f16', 'int8', 'uint8', 'bnb4'] as const;
/** One of {@link dtypes}; `auto` lets the adapter choose. */
export type Dtype = (typeof dtypes)[number];

/** What a worker needs to load a model. */
export interface LoadInput {
  readonly source: ModelSource;
  readonly device: Device;
  readonly dtype: Dtype;
  /** Threads one forward pass may use. */
  readonly threads: number;
}

/** A loaded model: what the port shows and what the adapter adds. */
export interface LoadedModel {
  readonly info: ModelInfo;
  readonly dtype: Dtype;
  readonly samplingDefaults: SamplingDefaults;
}

/** A generation as a worker gets it: the request without what cannot cross a thread. */
export type GenerateInput = Omit<GenerateRequest, 'signal' | 'timeoutMs'>;

/** Embeddings of one request, row after row. */
export interface Embeddings {
  readonly rows: Float32Array;
  readonly dimensions: number;
  readonly tokens: number;
}

/** What a worker can be asked: the input, the items it streams meanwhile, and the result at the end. */
export interface Calls {
  readonly probe: { readonly input: { readonly device: Device }; readonly item: never; readonly result: null };
  readonly load: { readonly input: LoadInput; readonly item: LoadProgress; readonly result: LoadedModel };
  readonly count: {
    readonly input: { readonly model: string; readonly prompt: Prompt };
    readonly item: never;
    readonly result: number;
  };
  readonly generate: { readonly input: GenerateInput; readonly item: GenerateEvent; readonly result: null };
  readonly embed: {
    readonly input: { readonly model: string; readonly texts: readonly string[] };
    readonly item: never;
    readonly result: Embeddings;
  };
  readonly decode: {
    readonly input: { readonly model: string; readonly lists: readonly (readonly number[])[] };
    readonly item: never;
    readonly result: readonly string[];
  };
}
/** The name of a call. */
export type CallName = keyof Calls;

/** Settings of a worker, given when it starts. */
export interface WorkerSettings {
  /** Where downloaded models are kept. */
  readonly cacheDir: string;
  /** Base address of the model hub. */
  readonly hubUrl: string;
  /** Milliseconds the hub may take to begin an answer. */
  readonly hubTimeoutMs: number;
  /** Whether the hub may be asked at all. */
  readonly offline: boolean;
}

/** One call as it is sent. */
export type CallMessage = {
  readonly [Name in CallName]: {
    readonly type: 'call';
    readonly call: number;
    readonly name: Name;
    readonly input: Calls[Name]['input'];
  };
}[CallName];

/** What a worker is started with. */
export interface WorkerStart extends WorkerSettings {
  /** The shared part of the thread's gate. */
  readonly gate: SharedArrayBuffer;
}

/** From the pool to a worker. */
export type ToWorker = CallMessage | { readonly type: 'cancel'; readonly call: number } | { readonly type: 'close' };

/** From a worker to the pool: any number of items, then one end or error for each call. */
export type FromWorker =
  | { readonly type: 'item'; readonly call: number; readonly item: unknown }
  | { readonly type: 'end'; readonly call: number; readonly result: unknown }
  | { readonly type: 'error'; readonly call: number; readonly error: WireError };

/** An error as it crosses a thread, where a class would be lost. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly class: ErrorClass;
  readonly why?: string | undefined;
  readonly hint?: string | undefined;
  readonly param?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes any thrown thing sendable; what is not ours becomes `inference_failed`. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof PouwError)) {
    return {
      code: 'inference_failed',
      message: 'The model could not be run.',
      class: 'internal',
      why: errorMessage(error),
    };
  }
  const { code, message, why, hint, param, details } = error;
  return { code, message, class: error.class, why, hint, param, details };
}

/** The error that {@link toWireError} took apart. */
export function fromWireError(error: WireError): PouwError {
  return new PouwError(error.code, error.message, {
    class: error.class,
    ...(error.why !== undefined && { why: error.why }),
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.param !== undefined && { param: error.param }),
    ...(error.details !== undefined && { details: error.details }),
  });
}
