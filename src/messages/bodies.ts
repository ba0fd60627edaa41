import { z } from 'zod';
import { limits } from '../core/limits.ts';
import { placeholdersIn, stepNamePattern } from '../core/step-template.ts';
import {
  addressField,
  bytes32Field,
  cidField,
  countField,
  sessionField,
  taskField,
  tokenIdsField,
  weiField,
} from './fields.ts';

const model = z.string().min(1).max(256);

/** Router to miner: do this part of this task. */
export const jobBody = z.object({
  session: sessionField,
  task: taskField,
  step: countField,
  attempt: countField,
  prompt: cidField,
  model,
  maxTokens: z.number().int().min(1).max(limits.outputTokensMax),
  /** Tokens the client already has from a miner that died; the answer continues them. */
  prefix: tokenIdsField.max(limits.outputTokensMax),
  /** Where a batch settles the task: the miner tells the router each step, and not the chain. */
  batched: z.literal(true).optional(),
});
export type JobBody = z.infer<typeof jobBody>;

/** Router to miner: this part is not wanted any more. */
export const cancelBody = z.object({ task: taskField, attempt: countField });
export type CancelBody = z.infer<typeof cancelBody>;

/** What a verdict for a batch is signed about, beside the task. */
const batchPart = z.object({
  poster: addressField,
  slots: z
    .array(z.object({ miner: addressField, attempt: countField, hash: bytes32Field }))
    .min(1)
    .max(limits.redundancyMax),
});

/** Router to validator: compare these results. */
export const validationBody = z.object({
  session: sessionField,
  task: taskField,
  prompt: cidField,
  similarityBps: z.number().int().min(0).max(10_000),
  level: z.number().int().min(0).max(3),
  attestBy: countField,
  results: z
    .array(z.object({ miner: addressField, attempt: countField, resultRoot: bytes32Field, result: cidField }))
    .min(1)
    .max(limits.redundancyMax),
  batch: batchPart.optional(),
});
export type ValidationBody = z.infer<typeof validationBody>;

const claimedPlace = {
  session: sessionField,
  task: taskField,
  /** Which of the task's miners it is about, from 0. */
  place: countField.max(limits.redundancyMax - 1),
};

/** Router to the queue of a model: a place in a task, for a miner that has room. */
export const offerBody = z.object({
  ...claimedPlace,
  /** Where to claim it: the router that offers it, then those that may have taken over its session. */
  routers: z.array(addressField).min(1).max(limits.sessionRoutersMax),
  /** When it is over unless it was claimed, in milliseconds since 1970: by then its router has made another. */
  until: countField,
});
export type OfferBody = z.infer<typeof offerBody>;

/** Miner to the router that owns the session: it takes the place, in its own name. */
export const claimBody = z.object({
  ...claimedPlace,
  offer: z.string().min(1).max(limits.jobIdCharsMax),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});
export type ClaimBody = z.infer<typeof claimBody>;

/** Client to the router that owns its session: whoever has the HTTP key of this hash may use it. */
export const bindKeyBody = z.object({ session: sessionField, keyHash: z.string().regex(/^[0-9a-f]{64}$/) });
export type BindKeyBody = z.infer<typeof bindKeyBody>;

/** When a command was sent, milliseconds since 1970: an old one is not carried out. */
const sentAt = countField;

/** Router to the router that owns a session: put this task into its log. The owner fetches the prompt by its CID. */
export const submitBody = z.object({
  session: sessionField,
  requestId: bytes32Field,
  prompt: cidField,
  promptTokens: countField,
  maxTokens: z.number().int().min(1).max(limits.outputTokensMax),
  model,
  maxPriceWei: weiField.nullable(),
  at: sentAt,
});
export type SubmitBody = z.infer<typeof submitBody>;

/** Router to the router that owns a session: put all of these tasks into its log, or none. */
export const submitPlanBody = z.object({
  session: sessionField,
  plan: bytes32Field,
  steps: z
    .array(
      z.object({
        name: z.string().regex(stepNamePattern),
        requestId: bytes32Field,
        prompt: cidField,
        promptTokens: countField,
        maxTokens: z.number().int().min(1).max(limits.outputTokensMax),
        maxPriceWei: weiField.nullable(),
        after: z
          .array(z.object({ name: z.string().regex(stepNamePattern), task: taskField }))
          .max(limits.stepParentsMax),
      }),
    )
    .min(1)
    .max(limits.planStepsMax),
  at: sentAt,
});
export type SubmitPlanBody = z.infer<typeof submitPlanBody>;

/** What the owner answers to a submission. */
export const submitReply = z.object({ created: z.boolean() });

/** Router to the router that owns a session: end this task. */
export const cancelTaskBody = z.object({
  session: sessionField,
  task: taskField,
  reason: z.string().max(1_024),
  at: sentAt,
});
export type CancelTaskBody = z.infer<typeof cancelTaskBody>;

/** What the owner answers where there is nothing to tell but that it is done. */
export const doneReply = z.object({});

/** Router to miner: what you have said of this part of this task, from chunk `from` on. */
export const resendBody = z.object({
  task: taskField,
  attempt: countField,
  from: countField,
  /** The making that `from` counts in; of another one all is sent. */
  run: z.string().min(1).max(64).optional(),
});
export type ResendBody = z.infer<typeof resendBody>;

/** A miner's answer: chunks as it signed and sent them, in order, and whether it has more. */
export const resendReply = z.object({
  chunks: z.array(z.record(z.string(), z.unknown())).max(limits.resendChunksMax),
  more: z.boolean(),
});
export type ResendReply = z.infer<typeof resendReply>;

const logprob = z.object({ id: countField, text: z.string().max(1_024), logprob: z.number() });

/** Miner to router: the next tokens of its answer, numbered; `done` with the last. */
export const tokenBody = z.object({
  task: taskField,
  attempt: countField,
  /** 0 for the first chunk of this attempt, one more each. */
  seq: countField,
  /** The place of the first of `ids` in the answer, a prefix included. */
  index: countField,
  ids: tokenIdsField,
  text: z.string().max(65_536),
  /** The text that each of `ids` completes, where there are several: the prefix that an answer continues. */
  texts: z.array(z.string().max(65_536)).max(limits.outputTokensMax).optional(),
  /** Names this making of the answer: a miner that begins anew, after a crash, has another. */
  run: z.string().min(1).max(64).optional(),
  logprob: logprob.optional(),
  top: z.array(logprob).max(32).optional(),
  done: z
    .object({
      finishReason: z.enum(['stop', 'length', 'cancelled']),
      promptTokens: countField,
      outputTokens: countField,
    })
    .optional(),
});
export type TokenBody = z.infer<typeof tokenBody>;

/** A node to all: it lives, and what it can do. */
export const heartbeatBody = z.object({
  role: z.enum(['router', 'miner', 'validator', 'oracle']),
  models: z.array(model).max(256),
  /** Jobs under way and the most it takes. */
  load: countField,
  capacity: countField,
  draining: z.boolean(),
  at: countField,
});
export type HeartbeatBody = z.infer<typeof heartbeatBody>;

/** The content a task's `prompt` CID names. */
export const promptContent = z.object({
  kind: z.literal('prompt'),
  v: z.literal(1),
  model,
  prompt: z.union([
    z.object({
      messages: z
        .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
        .min(1)
        .max(limits.promptMessagesMax),
    }),
    z.object({ text: z.string() }),
  ]),
  sampling: z.object({ temperature: z.number().min(0).max(2), topP: z.number().min(0).max(1), topK: countField }),
  stop: z.array(z.string().min(1).max(limits.stopStringCharsMax)).max(limits.stopStringsMax),
  topLogprobs: z.number().int().min(0).max(20),
  maxTokens: z.number().int().min(1).max(limits.outputTokensMax),
  /** The submitter's own bound on the price, where it gave one: so that another bound is another request. */
  maxPriceWei: weiField.optional(),
});
export type PromptContent = z.infer<typeof promptContent>;

/** A task that a step comes after, and what the template calls it. */
const stepParent = z.object({ name: z.string().regex(stepNamePattern), task: taskField });

/** The content a step's `prompt` CID names: a prompt with `{{name}}` where the text of a task before it goes. */
export const stepContent = promptContent
  .extend({ kind: z.literal('step'), after: z.array(stepParent).min(1).max(limits.stepParentsMax) })
  .refine(({ after }) => isOnce(after.map(({ name }) => name)) && isOnce(after.map(({ task }) => task)), {
    message: 'a task or a name stands twice',
    path: ['after'],
  })
  .refine(({ after, prompt }) => placeholdersIn(prompt).every((name) => after.some((one) => one.name === name)), {
    message: 'a placeholder names no task that the step comes after',
    path: ['prompt'],
  });
export type StepContent = z.infer<typeof stepContent>;

function isOnce(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

/** The content an embedding task's `prompt` CID names. */
export const embedContent = z.object({
  kind: z.literal('embed'),
  v: z.literal(1),
  model,
  texts: z.array(z.string()).min(1).max(limits.embedTaskInputsMax),
  /** Where these are a part of a longer list, that list's hash: so that a part of another list is another request. */
  list: bytes32Field.optional(),
});
export type EmbedContent = z.infer<typeof embedContent>;

/** What a task asks for: an answer to a prompt, or the embeddings of texts. */
export const taskContent = z.discriminatedUnion('kind', [promptContent, embedContent]);
export type TaskContent = z.infer<typeof taskContent>;

/** What a submission names: what a task asks for, or the template of that. */
export const askedContent = z.union([taskContent, stepContent]);
export type AskedContent = z.infer<typeof askedContent>;

/** The content a result's CID names. An embedding task's text is its vectors, as `core/vectors.ts` writes them. */
export const resultContent = z.object({
  kind: z.literal('result'),
  v: z.literal(1),
  task: taskField,
  attempt: countField,
  miner: addressField,
  model,
  text: z.string(),
  tokens: tokenIdsField,
  finishReason: z.enum(['stop', 'length', 'cancelled']),
  promptTokens: countField,
  outputTokens: countField,
  prefixTokens: countField,
});
export type ResultContentBody = z.infer<typeof resultContent>;

/** The content a validator's report digest names. */
export const reportContent = z.looseObject({
  kind: z.literal('report'),
  v: z.literal(1),
  task: taskField,
  validator: addressField,
  winner: addressField.nullable(),
  honest: z.array(addressField),
  scores: z.array(z.object({ miner: addressField, similarity: z.number(), tokens: countField })),
});
export type ReportContent = z.infer<typeof reportContent>;

/** The content a selection's digest names: enough to recompute it. */
export const selectionContent = z.object({
  kind: z.literal('selection'),
  v: z.literal(1),
  /** How the miners were chosen: drawn where it is left out. */
  scheme: z.literal('first-come').optional(),
  task: taskField,
  beaconBlock: countField,
  beacon: bytes32Field,
  candidates: z.array(z.object({ node: addressField, weight: z.number().positive() })),
  validatorCandidates: z.array(z.object({ node: addressField, weight: z.number().positive() })),
  ranking: z.array(addressField),
});
export type SelectionContent = z.infer<typeof selectionContent>;
