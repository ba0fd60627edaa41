import { z } from 'zod';
import { canonicalJson } from '../core/canonical-json.ts';
import { type Signer, verifySignature } from '../core/ed25519.ts';
import { errorClasses, errorCode, errorMessage, PouwError } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import { type Address, isAddress } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';

/** The registered Ed25519 key of a node; undefined for one the registry does not know. */
export type KeyOf = (node: Address) => Hex | undefined;

/** A message that was read, with its sender proven. */
export interface Opened<Body> {
  /** The effect behind it, or a sequence number; receivers drop what they have seen. */
  readonly id: string;
  readonly from: Address;
  readonly body: Body;
}

const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

const envelope = z.object({
  v: z.literal(1),
  id: z.string().min(1).max(512),
  from: z.string().refine(isAddress),
  body: z.record(z.string(), z.unknown()),
  sig: z.string().regex(/^[0-9a-f]{128}$/),
});

/** The signature covers the subject too: a message cannot be moved to another one. */
function signedText(subject: string, id: string, from: string, body: unknown): string {
  return canonicalJson({ subject, id, from, body });
}

/** Encodes and signs a message for a subject. */
export function sealMessage(subject: string, id: string, from: Address, body: JsonObject, signer: Signer): Uint8Array {
  const sig = signer.sign(signedText(subject, id, from, body));
  return utf8.encode(JSON.stringify({ v: 1, id, from, body, sig }));
}

/**
 * Reads a message: JSON, envelope, schema, sender, signature, in this order.
 *
 * @throws PouwError `message_malformed`, `message_unknown_sender`, `message_wrong_signature`.
 */
export function openMessage<Body>(
  schema: z.ZodType<Body>,
  subject: string,
  data: Uint8Array,
  keyOf: KeyOf,
): Opened<Body> {
  return openEnvelope(schema, subject, parseJson(subject, data), keyOf);
}

/** A sealed message as JSON, to be handed on inside another. */
export function readEnvelope(sealed: Uint8Array): JsonObject {
  return JSON.parse(text.decode(sealed)) as JsonObject;
}

/** Reads a sealed message that came inside another one: like {@link openMessage}, from its JSON. */
export function openEnvelope<Body>(schema: z.ZodType<Body>, subject: string, raw: unknown, keyOf: KeyOf): Opened<Body> {
  const outer = envelope.safeParse(raw);
  if (!outer.success) throw malformed(subject, z.prettifyError(outer.error));
  const { id, sig } = outer.data;
  const from = outer.data.from.toLowerCase() as Address;
  const body = schema.safeParse(outer.data.body);
  if (!body.success) throw malformed(subject, z.prettifyError(body.error));
  const key = keyOf(from);
  if (key === undefined) {
    throw new PouwError(
      'message_unknown_sender',
      `A message on ${subject} comes from ${from}, which is not registered.`,
      { class: 'unauthorised' },
    );
  }
  if (!verifySignature(key, signedText(subject, id, outer.data.from, outer.data.body), sig)) {
    throw new PouwError('message_wrong_signature', `A message on ${subject} does not carry the signature of ${from}.`, {
      class: 'unauthorised',
    });
  }
  return { id, from, body: body.data };
}

function parseJson(subject: string, data: Uint8Array): unknown {
  try {
    return JSON.parse(text.decode(data));
  } catch (cause) {
    throw malformed(subject, 'it is not JSON in UTF-8', cause);
  }
}

function malformed(subject: string, why: string, cause?: unknown): PouwError {
  return new PouwError('message_malformed', `A message on ${subject} does not fit its schema.`, {
    class: 'invalid',
    why,
    cause,
  });
}

const refused = z.object({
  ok: z.literal(false),
  code: z.string().max(128),
  message: z.string().max(2_048),
  /** What else a `PouwError` says; an older node leaves it out. */
  class: z.enum(errorClasses).optional(),
  why: z.string().max(2_048).optional(),
  hint: z.string().max(2_048).optional(),
  param: z.string().max(256).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const reply = z.union([
  z.object({ ok: z.literal(true), value: z.record(z.string(), z.unknown()).optional() }),
  refused,
]);

/** The answer to a command. */
export type Reply = z.infer<typeof reply>;

/** The answer that refuses a command, with all that its error says to others. */
export function refusalOf(error: unknown): Reply {
  const clip = (value: string): string => value.slice(0, 2_048);
  const code = errorCode(error);
  const message = clip(errorMessage(error));
  if (!(error instanceof PouwError)) return { ok: false, code, message, class: 'internal' };
  const { why, hint, param, details } = error;
  return {
    ok: false,
    code,
    message,
    class: error.class,
    ...(why === undefined ? {} : { why: clip(why) }),
    ...(hint === undefined ? {} : { hint: clip(hint) }),
    ...(param === undefined ? {} : { param: param.slice(0, 256) }),
    ...(details === undefined ? {} : { details: { ...details } }),
  };
}

/** The error that a refusal stands for; one without a class, from an older node, is taken for passing. */
export function refusalError(answer: Extract<Reply, { ok: false }>): PouwError {
  const { code, message, class: kind = 'unavailable', why, hint, param, details } = answer;
  return new PouwError(code, message, {
    class: kind,
    ...(why === undefined ? {} : { why }),
    ...(hint === undefined ? {} : { hint }),
    ...(param === undefined ? {} : { param }),
    ...(details === undefined ? {} : { details }),
  });
}

/** Encodes an answer. */
export function encodeReply(answer: Reply): Uint8Array {
  return utf8.encode(JSON.stringify(answer));
}

/** Reads an answer. @throws PouwError `message_malformed`. */
export function decodeReply(subject: string, data: Uint8Array): Reply {
  const parsed = reply.safeParse(parseJson(subject, data));
  if (!parsed.success) throw malformed(subject, z.prettifyError(parsed.error));
  return parsed.data;
}
