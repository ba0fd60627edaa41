import { errorSites, type ErrorSite } from './error-codes.ts';
import type { SourceFile } from './source-file.ts';

/** The first line of every page that is written from the code. */
export const generated = '<!-- Written by `npm run docs` from the code. Change the code, not this page. -->';

/** The HTTP status of an error. */
export type StatusOf = (code: string, errorClass: string) => number;

/** `docs/errors.md`: every error code that the code can make, sorted. */
export function errorsPage(files: readonly SourceFile[], statusOf: StatusOf): string {
  const sites = Map.groupBy(errorSites(files), ({ code }) => code);
  const rows = [...sites]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, places]) => errorRow(code, places, statusOf));
  return [
    generated,
    '',
    '# Errors',
    '',
    'Every error that pouw reports has a stable code. The HTTP status, in brackets, follows from its class, but for a',
    'few codes; `…` stands for a value. A command that was refused has changed nothing.',
    '',
    '| code | class | what happened | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** `docs/limits.md`: every bound in `src/core/limits.ts` with its value and the comment above it. */
export function limitsPage(limits: Readonly<Record<string, number>>, limitsSource: string): string {
  const rows = Object.entries(limits).map(([name, value]) => {
    const text = commentAbove(limitsSource, name);
    return `| \`${name}\` | ${value.toLocaleString('en')} | ${escapeCell(text)} |`;
  });
  return [
    generated,
    '',
    '# Limits',
    '',
    'Every queue, buffer, body, prompt, stream and retry has a bound. The unit is the last word of the name, or the',
    'thing that is counted.',
    '',
    '| limit | value | what it bounds |',
    '|---|---:|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * The text of the comment above `name:`.
 *
 * @throws Error where there is none: a limit that nobody can read about is none.
 */
function commentAbove(source: string, name: string): string {
  const found = new RegExp(String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\s*${name}:`).exec(source)?.[1];
  if (found === undefined) throw new Error(`src/core/limits.ts: ${name} has no /** */ comment`);
  return found.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim();
}

function errorRow(code: string, places: readonly ErrorSite[], statusOf: StatusOf): string {
  const classes = cell(places.flatMap((place) => place.classes).map((name) => `${name} (${statusOf(code, name)})`));
  const messages = cell(places.map(({ message }) => message));
  const hints = cell(places.map(({ hint }) => hint));
  return `| \`${code}\` | ${classes} | ${messages} | ${hints} |`;
}

/** The first few different texts, one below the other. */
function cell(texts: readonly string[]): string {
  const different = [...new Set(texts.filter((text) => text !== ''))];
  return different.slice(0, 4).map(escapeCell).join('<br>');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
}
