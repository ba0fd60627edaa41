import { PouwError } from '../../core/errors.ts';

/** A field that a server has not taken as it was asked for. */
export interface IgnoredField {
  /** Its place, such as `metadata.layout` or `subjects.0`. */
  readonly field: string;
  readonly asked: unknown;
  readonly got: unknown;
}

/**
 * Compares what was asked for with what the server says it has made: servers leave out what they do not know without
 * a word. Fields that were not asked for may be anything; one that was asked for as zero, false or empty may be left
 * out of the answer.
 */
export function ignoredFields(asked: unknown, got: unknown, field = ''): readonly IgnoredField[] {
  if (asked === undefined) return [];
  if (typeof asked === 'object' && asked !== null && (typeof got === 'object' || got === undefined) && got !== null) {
    const answer: Readonly<Record<string, unknown>> = { ...got };
    const fields = Object.entries(asked).flatMap(([name, value]) =>
      ignoredFields(value, answer[name], field === '' ? name : `${field}.${name}`),
    );
    return fields.length === 0 && isLonger(got, asked) ? [{ field, asked, got }] : fields;
  }
  const isSame = asked === got || (isNothing(asked) && isNothing(got));
  return isSame ? [] : [{ field, asked, got }];
}

/** A list with more entries than were asked for is another list. */
function isLonger(got: unknown, asked: unknown): boolean {
  return Array.isArray(got) && Array.isArray(asked) && got.length > asked.length;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === 0 || value === false || value === '';
}

/**
 * Refuses a server that has made something else than was asked for.
 *
 * @param what what was made, such as `the stream pouw-evt`.
 * @throws PouwError `nats_config_ignored` naming the fields.
 */
export function requireEcho(what: string, asked: object, got: object): void {
  const ignored = ignoredFields(asked, got);
  if (ignored.length === 0) return;
  const fields = ignored.map(({ field }) => field);
  throw new PouwError('nats_config_ignored', `The NATS server has not made ${what} as it was asked to.`, {
    class: 'unavailable',
    why: `It differs in ${fields.join(', ')}: somebody made it otherwise, or the server is too old for that.`,
    hint: 'Update the server; where it was made by another version of pouw, see docs/node-operator.md.',
    details: { what, fields, ignored },
  });
}
