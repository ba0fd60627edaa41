import { type Hex, keccakWords } from './hash.ts';
import type { Address, TaskId } from './ids.ts';

/** What is known of an appeal's draw. */
export interface AppealDraw {
  readonly task: TaskId;
  readonly beacon: Hex;
  /** How many are drawn where there are as many. */
  readonly wanted: number;
  /** Who is drawn so far. */
  readonly drawn: readonly Address[];
}

/** By what the contract draws validators for an appeal: the smallest keys are drawn, whoever was named. */
export function appealKey(beacon: Hex, task: TaskId, node: Address): bigint {
  return BigInt(keccakWords([beacon, task, node]));
}

/** Of all that may be drawn those whose keys are the smallest, in the order of their keys. */
export function drawForAppeal(
  { task, beacon, wanted }: AppealDraw,
  mayBeDrawn: readonly Address[],
): readonly Address[] {
  return mayBeDrawn
    .map((node) => ({ node, key: appealKey(beacon, task, node) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, wanted)
    .map(({ node }) => node);
}

/** Who has to be named so that the draw is one among all that may be drawn; nobody where it is that already. */
export function missingFromDraw(draw: AppealDraw, mayBeDrawn: readonly Address[]): readonly Address[] {
  return drawForAppeal(draw, mayBeDrawn).filter((node) => !draw.drawn.includes(node));
}
