import { PouwError } from '../../core/errors.ts';
import { type Hex, keccakWords } from '../../core/hash.ts';
import type { Sampling } from '../../ports/inference.ts';

/**
 * The random number of one position of an answer, in [0, 1): the first 53 bits of
 * `keccak256(abi.encode(bytes32 seed, uint256 position))` over 2^53.
 *
 * A counter-based generator rather than a running one: draw i needs no draw before it, so a validator
 * recomputes any single position, a successor continues a dead miner's answer where it stopped, and
 * concurrent generations share no state. The library's own generator is one global for all of them.
 *
 * @param seed 32 bytes, from `samplingSeed`.
 * @param position index of the token in the answer, from 0, a delivered prefix included.
 */
export function draw(seed: Hex, position: number): number {
  const digits = keccakWords([seed, position]).slice(2, 16);
  return Number(BigInt(`0x${digits}`) >> 3n) / 2 ** 53;
}

/**
 * The token that `sampling` picks at a position.
 *
 * Temperature 0 is the arg-max, the lowest id on ties. Above it, in this order: weights
 * `exp((logit - max) / temperature)` in float64; the `topK` highest logits stay (lower ids first on
 * ties); of those the fewest, heaviest first, that together hold `topP` of the weight (lower ids first on
 * ties); then the first id, ascending, whose cumulated weight exceeds `draw * total`.
 *
 * @param logits one raw logit per token id.
 * @throws PouwError `inference_failed` where no logit is finite.
 */
export function pickToken(logits: Float32Array, sampling: Sampling, position: number): number {
  const best = argMax(logits);
  if (sampling.temperature === 0) return best;
  const max = logits[best] as number;
  const weights = new Float64Array(logits.length);
  for (let id = 0; id < logits.length; id++)
    weights[id] = Math.exp(((logits[id] as number) - max) / sampling.temperature);
  if (sampling.topK > 0 && sampling.topK < logits.length) keepTopK(weights, logits, sampling.topK);
  if (sampling.topP < 1) keepTopP(weights, sampling.topP);
  return inverseCdf(weights, draw(sampling.seed, position));
}

function argMax(logits: Float32Array): number {
  let best = -1;
  let max = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    if ((logits[id] as number) > max) {
      max = logits[id] as number;
      best = id;
    }
  }
  if (best >= 0 && Number.isFinite(max)) return best;
  throw new PouwError('inference_failed', 'The model gave no finite logit.', {
    why: 'Its weights are damaged, or its number format overflowed on this device.',
    hint: 'Load the model again with another dtype or on the cpu.',
  });
}

function keepTopK(weights: Float64Array, logits: Float32Array, topK: number): void {
  const threshold = kthLargest(logits, topK);
  let ties = topK;
  for (const logit of logits) if (logit > threshold) ties--;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit > threshold) continue;
    if (logit === threshold && ties > 0) ties--;
    else weights[id] = 0;
  }
}

/** The k-th largest value (k from 1) by Hoare's selection on a copy: linear, where a sort would cost the most of a token. */
function kthLargest(values: Float32Array, k: number): number {
  const copy = values.slice();
  for (let index = 0; index < copy.length; index++) if (Number.isNaN(copy[index])) copy[index] = -Infinity;
  let low = 0;
  let high = copy.length - 1;
  const target = k - 1;
  while (low < high) {
    const pivot = copy[(low + high) >> 1] as number;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((copy[left] as number) > pivot) left++;
      while ((copy[right] as number) < pivot) right--;
      if (left > right) break;
      const swap = copy[left] as number;
      copy[left++] = copy[right] as number;
      copy[right--] = swap;
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else break;
  }
  return copy[target] as number;
}

function keepTopP(weights: Float64Array, topP: number): void {
  const total = sum(weights);
  // All tokens below this bound together weigh less than 1 - topP, so none of them can be in the nucleus: not sorted.
  const floor = ((1 - topP) * total) / weights.length;
  const candidates: number[] = [];
  for (let id = 0; id < weights.length; id++) {
    const weight = weights[id] as number;
    if (weight > 0 && weight >= floor) candidates.push(id);
  }
  candidates.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
  const kept = new Float64Array(weights.length);
  let held = 0;
  for (const id of candidates) {
    kept[id] = weights[id] as number;
    held += kept[id];
    if (held >= topP * total) break;
  }
  weights.set(kept);
}

function inverseCdf(weights: Float64Array, uniform: number): number {
  const target = uniform * sum(weights);
  let cumulated = 0;
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    const weight = weights[id] as number;
    if (!(weight > 0)) continue;
    cumulated += weight;
    last = id;
    if (cumulated > target) return id;
  }
  return last;
}

function sum(weights: Float64Array): number {
  let total = 0;
  for (const weight of weights) if (weight > 0) total += weight;
  return total;
}
