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
  if (body === undefined) {
    throw new PouwError('invalid_request', 'The request has no body.', {
      class: 'invalid',
      hint: 'Send one JSON object; docs/api.md has the fields of each request.',
    });
  }
  const parsed = schema.safeParse(withoutNulls(body));
  if (parsed.success) return parsed.data;
  const issue = meantIssue(parsed.error.issues[0]);
  throw invalidField(fieldName(issue?.path ?? []), issue?.message ?? 'unknown reason');
}

/** The error for a field whose value is none; for the whole request where `param` is empty. */
export function invalidField(param: string, why: string): PouwError {
  const subject = param === '' ? 'The request' : `\`${param}\``;
  return new PouwError('invalid_request', `${subject} is not valid: ${why}.`, {
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

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'>;

/** Where a field may have several forms, what is wrong with the one that was meant: the one whose type is right. */
function meantIssue(issue: z.core.$ZodIssue | undefined): Issue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const firsts = issue.errors.flatMap(([first]) => (first === undefined ? [] : [first]));
  const meant = meantIssue(firsts.find((first) => first.code !== 'invalid_type' || first.path.length > 0));
  if (meant !== undefined) return { path: [...issue.path, ...meant.path], message: meant.message };
  const forms = firsts.flatMap((first) => (first.code === 'invalid_type' ? [first.expected] : []));
  return { path: issue.path, message: `Invalid input: expected ${forms.join(' or ')}` };
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
}
