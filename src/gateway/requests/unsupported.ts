import { PouwError } from '../../core/errors.ts';
import { fieldsOf } from './parse.ts';

/** A field of OpenAI's API, or one within it (`text.format`), that changes the answer and that this network cannot honour. */
interface Refusal {
  readonly field: string;
  /** Whether this value asks for what is not there; a value that asks for nothing passes. */
  readonly asks: (value: unknown) => boolean;
  readonly why: string;
  /** What to do instead; to leave it out where nothing else is said. */
  readonly hint?: string;
}

const notEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : Object.keys(fieldsOf(value)).length > 0;
const given = (): boolean => true;
const notZero = (value: unknown): boolean => value !== 0;
const isOn = (value: unknown): boolean => value !== false;
const notOne = (value: unknown): boolean => value !== 1;

const ofEvery: readonly Refusal[] = [
  { field: 'n', asks: notOne, why: 'One request is one task, and a task has one answer.' },
  { field: 'frequency_penalty', asks: notZero, why: 'Miners sample without penalties.' },
  { field: 'presence_penalty', asks: notZero, why: 'Miners sample without penalties.' },
  { field: 'logit_bias', asks: notEmpty, why: 'Miners sample without a bias.' },
];

/** What `/v1/chat/completions` refuses. */
export const chatRefusals: readonly Refusal[] = [
  ...ofEvery,
  { field: 'tools', asks: notEmpty, why: 'The models of this network call no tools.' },
  { field: 'functions', asks: notEmpty, why: 'The models of this network call no functions.' },
  { field: 'audio', asks: given, why: 'Answers are text.' },
  { field: 'modalities', asks: asksForMoreThanText, why: 'Answers are text.' },
  { field: 'web_search_options', asks: given, why: 'Miners read the prompt and nothing else.' },
  formatRefusal('response_format'),
];

/** What `/v1/completions` refuses. */
export const completionRefusals: readonly Refusal[] = [
  ...ofEvery,
  { field: 'best_of', asks: notOne, why: 'One request is one task, and a task has one answer.' },
  { field: 'echo', asks: isOn, why: 'Answers do not repeat their prompt.' },
  { field: 'suffix', asks: (value) => value !== '', why: 'The models of this network do not fill gaps.' },
];

const sendItAll = 'Send the whole conversation as `input`.';

/** What `/v1/responses` refuses. */
export const responsesRefusals: readonly Refusal[] = [
  ...ofEvery,
  { field: 'tools', asks: notEmpty, why: 'The models of this network call no tools.' },
  {
    field: 'tool_choice',
    asks: (value) => value !== 'auto' && value !== 'none',
    why: 'The models of this network call no tools.',
  },
  {
    field: 'background',
    asks: isOn,
    why: 'A response lasts as long as its request.',
    hint: 'Submit a task through POST /v1/sessions/{id}/tasks and follow it.',
  },
  {
    field: 'previous_response_id',
    asks: given,
    why: 'No response is kept as part of a conversation.',
    hint: sendItAll,
  },
  { field: 'conversation', asks: given, why: 'No conversation is kept.', hint: sendItAll },
  { field: 'prompt', asks: given, why: 'No prompt template is kept.', hint: 'Send its text as `input`.' },
  formatRefusal('text.format'),
];

/**
 * Refuses what cannot be honoured, rather than answering something else than was asked.
 *
 * @throws PouwError `unsupported_parameter` naming the field.
 */
export function refuseUnsupported(body: unknown, refusals: readonly Refusal[]): void {
  const fields = fieldsOf(body);
  for (const { field, asks, why, hint } of refusals) {
    const value = fieldAt(fields, field);
    if (value !== undefined && value !== null && asks(value)) throw unsupported(field, why, hint);
  }
}

/** The error for a field, or a part of one, that cannot be honoured. */
export function unsupported(param: string, why: string, hint?: string): PouwError {
  return new PouwError('unsupported_parameter', `\`${param}\` cannot be honoured.`, {
    class: 'invalid',
    why,
    hint: hint ?? 'Leave it out.',
    param,
  });
}

function asksForMoreThanText(value: unknown): boolean {
  return !Array.isArray(value) || value.some((modality) => modality !== 'text');
}

function formatRefusal(field: string): Refusal {
  return {
    field,
    asks: (value) => fieldsOf(value)['type'] !== 'text',
    why: 'Constrained decoding is not available, so a format cannot be promised.',
  };
}

/** A field, or with a dot in its name the field of one. */
function fieldAt(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const [outer = '', inner] = name.split('.', 2);
  return inner === undefined ? fields[outer] : fieldsOf(fields[outer])[inner];
}
