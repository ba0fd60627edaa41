import { z } from 'zod';
import { limits } from '../core/limits.ts';
import { cidField, sessionField } from './fields.ts';

/** Router to another router of the session: have the prompts of these tasks too, and say when you do. */
export const keepBody = z.object({
  session: sessionField,
  prompts: z.array(cidField).min(1).max(limits.planStepsMax),
});
/** Prompts that are to be in two places. */
export type KeepBody = z.infer<typeof keepBody>;
