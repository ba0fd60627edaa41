import { env, LogLevel, ModelFileNotFoundError } from '@huggingface/transformers';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { WorkerSettings } from './messages.ts';
import type { ModelSource } from './models.ts';

/**
 * Points the library of this thread at our cache folder and hub. The library's settings are one global for
 * each thread.
 *
 * @param signal ends every download under way.
 */
export function configureLibrary(settings: WorkerSettings, signal: AbortSignal): void {
  env.logLevel = LogLevel.NONE;
  env.cacheDir = settings.cacheDir;
  env.remoteHost = settings.hubUrl.endsWith('/') ? settings.hubUrl : `${settings.hubUrl}/`;
  env.allowRemoteModels = !settings.offline;
  // A hub id must never be read as a path relative to wherever the library is installed.
  env.localModelPath = settings.cacheDir;
  env.fetch = (input, init: RequestInit = {}) => fetchWithin(settings.hubTimeoutMs, signal, input, init);
}

/** The hub did not answer, or answered that it cannot: unlike a missing file, trying again later may help. */
class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable';
}

/** A fetch whose answer must begin within `timeoutMs`; the body may then take as long as it flows. */
async function fetchWithin(
  timeoutMs: number,
  signal: AbortSignal,
  input: string | URL,
  init: RequestInit,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  let response: Response;
  try {
    response = await fetch(input, { ...init, signal: AbortSignal.any([signal, late.signal]) });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${errorMessage(error.cause)}` : '';
    throw new HubUnreachable(`${errorMessage(error)}${cause}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (response.status >= 500 || response.status === 429 || response.status === 408) {
    await response.body?.cancel();
    throw new HubUnreachable(`it answered with status ${response.status}`);
  }
  return response;
}

/** Says in our words why a model did not load: not there, or there but out of reach. */
export function loadError(error: unknown, source: ModelSource, settings: WorkerSettings): PouwError {
  if (error instanceof PouwError) return error;
  const name = JSON.stringify(source.id);
  if (source.from === 'folder') return folderError(error, source.id, source.folder);
  const missing = error instanceof ModelFileNotFoundError;
  if (error instanceof HubUnreachable || (missing && settings.offline))
    return modelUnreachable(source.id, error, settings);
  if (missing) {
    return new PouwError('model_not_found', `The hub has no model ${name} that this machine may read.`, {
      class: 'not-found',
      why: errorMessage(error),
      hint: 'Check the id; for a private or gated model set HF_TOKEN; the model must be exported to ONNX.',
      param: 'model',
    });
  }
  return new PouwError('inference_failed', `Model ${name} was found but could not be loaded.`, {
    why: errorMessage(error),
    hint: `Delete ${settings.cacheDir}/${source.id} to fetch it again, or choose another dtype or device.`,
    param: 'model',
  });
}

function modelUnreachable(id: string, error: unknown, settings: WorkerSettings): PouwError {
  return new PouwError(
    'model_unreachable',
    `Model ${JSON.stringify(id)} is not on this machine and the hub at ${settings.hubUrl} cannot be reached.`,
    {
      class: 'unavailable',
      why: settings.offline ? 'Downloads are turned off.' : errorMessage(error),
      hint: `Either give a folder that holds the model instead of its id, or load it once on a machine with network and copy ${settings.cacheDir}/${id} to the same place here.`,
      param: 'model',
    },
  );
}

function folderError(error: unknown, id: string, folder: string): PouwError {
  if (error instanceof ModelFileNotFoundError) {
    return new PouwError('model_not_found', `The folder ${folder} of model ${JSON.stringify(id)} is not complete.`, {
      class: 'not-found',
      why: errorMessage(error),
      hint: 'It needs config.json, tokenizer.json, tokenizer_config.json and onnx/model*.onnx.',
      param: 'model',
    });
  }
  return new PouwError('inference_failed', `Model ${JSON.stringify(id)} could not be loaded from ${folder}.`, {
    why: errorMessage(error),
    hint: 'Copy the files again, or choose another dtype or device.',
    param: 'model',
  });
}
