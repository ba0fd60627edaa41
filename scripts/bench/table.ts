import { append } from './append.ts';
import type { Figure } from './figure.ts';
import { replay } from './replay.ts';
import { similarity } from './similarity.ts';
import { tasks } from './tasks.ts';

/** Every figure, in the order in which they are printed. */
export const figures: readonly Figure[] = [append, replay, tasks, similarity];
