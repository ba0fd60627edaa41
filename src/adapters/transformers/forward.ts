import type { PreTrainedModel, Tensor } from '@huggingface/transformers';
import { PouwError } from '../../core/errors.ts';

/** Runs a model once; the library leaves the type of its outputs open, here it is stated. */
export async function forward(
  model: PreTrainedModel,
  inputs: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, Tensor>>> {
  return (await model.forward(inputs)) as Readonly<Record<string, Tensor>>;
}

/** The values of a tensor as float32; models in half precision are widened. */
export function floats(tensor: Tensor): Float32Array {
  const { data } = tensor.type === 'float32' ? tensor : tensor.to('float32');
  if (data instanceof Float32Array) return data;
  throw new PouwError('inference_failed', `An output of type ${tensor.type} cannot be read.`);
}
