import type { DeviceChoice } from '../../adapters/transformers/devices.ts';
import { createTransformersInference } from '../../adapters/transformers/transformers-inference.ts';
import { PouwError } from '../../core/errors.ts';
import type { Inference, LoadProgress } from '../../ports/inference.ts';

/** An engine with its models loaded. */
export interface Engine {
  readonly inference: Inference;
  /** The loaded chat model's id. */
  readonly model: string;
  /** The loaded embedding model's id. */
  readonly embedder: string;
  /** One line saying where the models run. */
  readonly deviceLine: string;
}

/** How to open an engine. */
export interface EngineOptions {
  readonly model: string;
  readonly embedder: string;
  readonly device: DeviceChoice;
  readonly workers?: number | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/**
 * Starts inference and loads both models.
 *
 * @throws PouwError `device_unavailable`, `model_not_found`, `model_unreachable`, `wrong_model_kind`.
 */
export async function openEngine({ model, embedder, device, workers, onProgress }: EngineOptions): Promise<Engine> {
  const inference = await createTransformersInference({ device, ...(workers === undefined ? {} : { workers }) });
  try {
    const [chat, embedding] = await Promise.all([
      inference.load(model, onProgress),
      inference.load(embedder, onProgress),
    ]);
    if (chat.kind !== 'chat') throw wrongKind(chat.id, 'a chat model');
    if (embedding.kind !== 'embedding') throw wrongKind(embedding.id, 'an embedding model');
    return { inference, model: chat.id, embedder: embedding.id, deviceLine: inference.deviceLine };
  } catch (error) {
    await inference.close();
    throw error;
  }
}

function wrongKind(model: string, wanted: string): PouwError {
  return new PouwError('wrong_model_kind', `${model} is not ${wanted}.`, {
    class: 'invalid',
    param: 'model',
    hint: 'Use --model with a text-generation model.',
  });
}
