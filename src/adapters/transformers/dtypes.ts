import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelRegistry } from '@huggingface/transformers';
import { PouwError } from '../../core/errors.ts';
import type { Dtype } from './messages.ts';
import type { ModelSource } from './models.ts';

/**
 * What `auto` tries, in order: the smallest first, since a CPU's decoding speed is its memory's. The order
 * does not depend on the device, because miners of one model must run the same weights to agree.
 */
const preference = ['q4', 'q8', 'fp32', 'fp16'] as const satisfies readonly Dtype[];

const fileSuffix: Readonly<Partial<Record<Dtype, string>>> = { q4: '_q4', q8: '_quantized', fp32: '', fp16: '_fp16' };

/**
 * Picks the number format of a model: the one asked for, or for `auto` the first that is on disk, or the
 * first the hub offers.
 *
 * @throws PouwError `model_not_found` where the model has no ONNX weights this adapter can run.
 */
export async function chooseDtype(source: ModelSource, wanted: Dtype, cacheDir: string): Promise<Dtype> {
  if (wanted !== 'auto') return wanted;
  const folder = source.from === 'folder' ? source.folder : join(cacheDir, source.id);
  const onDisk = preference.find((dtype) => existsSync(join(folder, 'onnx', `model${fileSuffix[dtype]}.onnx`)));
  if (onDisk !== undefined) return onDisk;
  const offered: readonly string[] =
    source.from === 'hub' ? await ModelRegistry.get_available_dtypes(source.id, { cache_dir: cacheDir }) : [];
  const best = preference.find((dtype) => offered.includes(dtype));
  if (best !== undefined) return best;
  throw new PouwError('model_not_found', `Model ${JSON.stringify(source.id)} has no ONNX weights.`, {
    class: 'not-found',
    why: `Its onnx/ folder holds none of ${preference.map((dtype) => `model${fileSuffix[dtype]}.onnx`).join(', ')}.`,
    hint: 'Use a model exported to ONNX; on the hub, search for the library "transformers.js".',
    param: 'model',
  });
}
