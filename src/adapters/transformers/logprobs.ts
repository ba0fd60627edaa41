/** A token id and its natural-log probability. */
export interface ScoredToken {
  readonly id: number;
  readonly logprob: number;
}

/**
 * Log-probabilities from the raw log-softmax, before temperature and cuts: what the model thinks rather
 * than what the sampler made of it, so that a validator's prefill gives the same numbers.
 *
 * @param logits one raw logit per token id.
 * @param chosen the token that was picked.
 * @param count how many of the best to name, best first, lower ids first on ties.
 */
export function scoreTokens(
  logits: Float32Array,
  chosen: number,
  count: number,
): { readonly chosen: ScoredToken; readonly top: readonly ScoredToken[] } {
  let max = -Infinity;
  for (const logit of logits) if (logit > max) max = logit;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - max);
  const normaliser = max + Math.log(total);
  const top: ScoredToken[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logprob = (logits[id] as number) - normaliser;
    if (top.length === count && logprob <= (top[count - 1]?.logprob ?? -Infinity)) continue;
    let place = top.length;
    while (place > 0 && logprob > (top[place - 1]?.logprob ?? Infinity)) place--;
    top.splice(place, 0, { id, logprob });
    if (top.length > count) top.pop();
  }
  return { chosen: { id: chosen, logprob: (logits[chosen] as number) - normaliser }, top };
}
