import { z } from 'zod';
import { limits } from '../core/limits.ts';
import { addressField, bytes32Field, cidField, countField, sessionField, taskField, weiField } from './fields.ts';

/** Router to miner: a batch on chain binds your precommit, so that you may show your result. */
export const showBody = z.object({
  session: sessionField,
  task: taskField,
  attempt: countField,
  batch: countField,
  /** The block that has the root. */
  block: countField,
  /** What the leaf has of the task. */
  position: countField.max(limits.batchTasksMax - 1),
  maxPriceWei: weiField,
  slots: z
    .array(z.object({ miner: addressField, attempt: countField, hash: bytes32Field }))
    .min(1)
    .max(limits.redundancyMax),
  validators: z.array(addressField).max(limits.validatorsMax),
  proof: z.array(bytes32Field).max(16),
  revealBy: countField,
});
export type ShowBody = z.infer<typeof showBody>;

const taskRecord = z.object({
  session: sessionField,
  number: countField,
  task: taskField,
  step: countField,
  maxPriceWei: weiField,
  slots: z.array(z.object({ miner: addressField, attempt: countField, precommit: bytes32Field })),
  validators: z.array(addressField),
});

/** The content that the precommits of a batch name: its tasks in the order of their positions. */
export const batchTasksContent = z.object({
  kind: z.literal('batch-tasks'),
  v: z.literal(1),
  tasks: z.array(taskRecord).min(1).max(limits.batchTasksMax),
});
export type BatchTasksContent = z.infer<typeof batchTasksContent>;

/** The content that the reveals of a batch name. */
export const batchRevealsContent = z.object({
  kind: z.literal('batch-reveals'),
  v: z.literal(1),
  tasks: cidField,
  /** By task and slot; null where a miner showed nothing. */
  shown: z.array(z.array(z.object({ resultRoot: bytes32Field, salt: bytes32Field }).nullable())),
});
export type BatchRevealsContent = z.infer<typeof batchRevealsContent>;

const signature = z.object({ r: bytes32Field, vs: bytes32Field });

/** The content that the outcomes of a batch name: enough to make both trees again, and to show them. */
export const batchOutcomesContent = z.object({
  kind: z.literal('batch-outcomes'),
  v: z.literal(1),
  reveals: cidField,
  /** By task; null where it failed. */
  verdicts: z.array(
    z
      .object({
        winner: countField,
        honest: countField,
        voters: countField,
        promptTokens: countField,
        outputTokens: countField,
        /** Those of the voters, in their order. */
        signatures: z.array(signature),
      })
      .nullable(),
  ),
  /** What accounts had earned by the poster's line before: total and the batch that paid last. */
  line: z.array(z.tuple([addressField, weiField, countField])),
});
export type BatchOutcomesContent = z.infer<typeof batchOutcomesContent>;
