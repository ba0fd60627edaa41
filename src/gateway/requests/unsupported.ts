import { PouwError } from '../../core/errors.ts';
import { fieldsOf } from './parse.ts';

/** A field of OpenAI's API that changes the answer and that this network cannot honour. */
interface Refusal {
  readonly field: string;
  /** Whether this value asks for what is not there; a value that asks for nothing passes. */
  readonly asks: (value: unknown) => boolean;
  readonly why: string;
}

const notEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : Object.keys(fieldsOf(value)).length > 0;
const given = (): boolean => true;
const notZero = (value: unknown): boolean => value !== 0;
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
  {
    field: 'response_format',
    asks: (value) => fieldsOf(value)['type'] !== 'text',
    why: 'Constrained decoding is not available, so a format cannot be promised.',
  },
];

/** What `/v1/completions` refuses. */
export const completionRefusals: readonly Refusal[] = [
  ...ofEvery,
  { field: 'best_of', asks: notOne, why: 'One request is one task, and a task has one answer.' },
  { field: 'echo', asks: (value) => value !== false, why: 'Answers do not repeat their prompt.' },
  { field: 'suffix', asks: (value) => value !== '', why: 'The models of this network do not fill gaps.' },
];

/**
 * Refuses what cannot be honoured, rather than answering something else than was asked.
 *
 * @throws PouwError `unsupported_parameter` naming the field.
 */
export function refuseUnsupported(body: unknown, refusals: readonly Refusal[]): void {
  const fields = fieldsOf(body);
  for (const { field, asks, why } of refusals) {
    const value = fields[field];
    if (value !== undefined && value !== null && asks(value)) throw unsupported(field, why);
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
