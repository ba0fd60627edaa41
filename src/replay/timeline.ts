import type { Event } from '../core/commit.ts';
import type { Address, StreamId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import { formatCor, type Wei } from '../core/wei.ts';
import type { StoredCommit } from '../ports/event-store.ts';

/** One event of a stream's history, ready to be shown. */
export interface TimelineEntry {
  readonly position: number;
  readonly stream: StreamId;
  readonly version: number;
  /** Milliseconds since 1970 on the author's clock. */
  readonly at: number;
  readonly author: Address;
  readonly cause: string;
  /** The event's type. */
  readonly type: string;
  /** The event's members as short text: its task first, its place on the chain last, the others in their order. */
  readonly fields: readonly TimelineField[];
}

/** A member of an event: its name without unit, and its value as short text with the unit. */
export interface TimelineField {
  readonly name: string;
  readonly text: string;
}

// Longer texts are cut: a line is for reading, `log show --json` has it all.
const textCharsMax = 48;
const listItemsShown = 3;
// Columns of a line: longer versions and types push the rest to the right.
const versionChars = 5;
const typeChars = 17;
/** Numbers from here on are taken for milliseconds since 1970 where the name says so: 2001-09-09. */
const firstMoment = 1e12;

/** A stream's history, one entry per event. Knows no event by name, so it shows those of the future too. */
export async function* timelineOf(commits: AsyncIterable<StoredCommit>): AsyncGenerator<TimelineEntry> {
  for await (const { position, commit } of commits) {
    const { stream, version, at, author, cause } = commit;
    for (const event of commit.events)
      yield { position, stream, version, at, author, cause, type: event.type, fields: fieldsOf(event) };
  }
}

/**
 * An entry as one line of text: time, version, event, fields.
 *
 * @example
 * 2026-11-22 12:47:03.120  v2     TaskSubmitted      task=0x1234…cdef  maxPrice=0.5 COR
 */
export function timelineLine(entry: TimelineEntry): string {
  const fields = entry.fields.map(({ name, text }) => `${name}=${text}`);
  const version = `v${entry.version}`.padEnd(versionChars);
  const type = nameText(entry.type).padEnd(typeChars);
  return [momentText(entry.at), version, type, ...fields].join('  ').trimEnd();
}

/** Shortens an address, hash, CID or any long word to its two ends. */
export function shorten(text: string): string {
  if (/^0x[0-9a-fA-F]{16,}$/.test(text)) return `${text.slice(0, 6)}…${text.slice(-4)}`;
  if (/^[0-9a-f]{32,}$/.test(text)) return `${text.slice(0, 6)}…${text.slice(-4)}`;
  if (/^b[a-z2-7]{40,}$/.test(text)) return `${text.slice(0, 4)}…${text.slice(-6)}`;
  return text;
}

function fieldsOf(event: Event): TimelineField[] {
  const fields: TimelineField[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (name !== 'type' && value !== undefined) fields.push(field(nameText(name), value));
  }
  return fields.toSorted((a, b) => rank(a.name) - rank(b.name));
}

/** Readers look for the task, and hardly ever for the place on the chain. */
function rank(name: string): number {
  if (name === 'task') return 0;
  return name === 'seen' ? 2 : 1;
}

function field(name: string, value: Json): TimelineField {
  if (name.endsWith('Wei') && typeof value === 'string' && /^\d+$/.test(value)) {
    return { name: name.slice(0, -3), text: `${formatCor(value as Wei)} COR` };
  }
  if (typeof value === 'number' && value >= firstMoment && /^at$|At$|By$/.test(name))
    return { name, text: momentText(value) };
  return { name, text: show(value, true) };
}

function show(value: Json, outermost: boolean): string {
  if (typeof value === 'string') return showText(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (!outermost && items.length > 0) return `[${items.length}]`;
    if (items.length > 1 && items.every(isObject)) return `${items.length} × ${show(items[0] ?? null, false)}`;
    const shown = items.slice(0, listItemsShown).map((item) => show(item, false));
    return `[${shown.join(', ')}${items.length > listItemsShown ? `, +${items.length - listItemsShown}` : ''}]`;
  }
  const members = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  if (isPlace(value)) return `block ${value.block}`;
  if (!outermost) return `{${members.map(([name]) => nameText(name)).join(', ')}}`;
  return `{${members.map(([name, member]) => `${nameText(name)}: ${show(member, false)}`).join(', ')}}`;
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where on the chain something was seen: the block tells a person enough. */
function isPlace(value: object): value is { readonly block: number } {
  return 'block' in value && typeof value.block === 'number' && 'blockHash' in value && 'txHash' in value;
}

function showText(text: string): string {
  const short = shorten(text);
  if (short !== text || /^[\w.:@/+-]+$/.test(text))
    return short.length > textCharsMax ? `${short.slice(0, textCharsMax)}…` : short;
  const cut = text.length > textCharsMax ? `${text.slice(0, textCharsMax).toWellFormed()}…` : text;
  return quote(cut);
}

function nameText(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : quote(name);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** In quotes, with everything escaped that could steer a terminal or turn the reading direction. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, escapeOf);
}

/** A time in milliseconds since 1970 as UTC text; a number that is no time as it stands. */
export function momentText(at: number): string {
  // A time no calendar has (a damaged or hostile commit) is still shown.
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15
    ? new Date(at).toISOString().replace('T', ' ').slice(0, -1)
    : String(at);
}
