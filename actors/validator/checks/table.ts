import type { Check } from './check.ts';
import { rootMatch } from './root-match.ts';
import { similarity } from './similarity.ts';
import { tokenCount } from './token-count.ts';

/** Every check, in the order in which they run; each sees only what passed the ones before. */
export const checks: readonly Check[] = [rootMatch, tokenCount, similarity];
