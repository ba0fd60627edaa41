import { z } from 'zod';
import { PouwError } from '../../core/errors.ts';

/** Text that every store and hash of the network can hold: no lone surrogates. */
export const text = z.string().refine((value) => value.isWellFormed(), 'must be well-formed Unicode');

/**
 * A request's JSON as its schema reads it. Unknown fields are ignored, null stands for an absent one.
 *
 * @throws PouwError `invalid_request` naming the first field that is wrong.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const param = fieldName(issue?.path ?? []);
  const subject = param === '' ? 'The request' : `\`${param}\``;
  throw new PouwError('invalid_request', `${subject} is not valid: ${issue?.message ?? 'unknown reason'}.`, {
    class: 'invalid',
    hint: 'See docs/api.md for the fields of each request.',
    ...(param === '' ? {} : { param }),
  });
}

/** The body of a request as an object, so that single fields can be looked at before the schema. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject ? (body as Record<string, unknown>) : {};
}

function withoutNulls(body: unknown): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject ? Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) : body;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
}
