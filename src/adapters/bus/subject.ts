import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

// A token is anything a NATS server takes but the characters that mean something in a pattern.
const token = String.raw`[^\s.*>\p{Cc}]+`;
const subjectPattern = new RegExp(`^(?!\\$)${token}(?:\\.${token})*$`, 'u');
const patternPattern = new RegExp(`^(?!\\$)(?:(?:${token}|\\*)(?:\\.(?:${token}|\\*))*(?:\\.>)?|>)$`, 'u');

function invalid(text: string, why: string): PouwError {
  return new PouwError('invalid_subject', `Not a subject: ${JSON.stringify(text.slice(0, 80))}.`, {
    class: 'invalid',
    why,
    hint: 'Write tokens between dots, such as cmd.miner.0xabc.job.0xdef.',
  });
}

/**
 * Checks the subject of a message: non-empty tokens between dots, no wildcards, no white space. Subjects that
 * begin with `$` belong to NATS servers.
 *
 * @throws PouwError `invalid_subject`.
 */
export function checkSubject(subject: string): void {
  if (subject.length > limits.busSubjectCharsMax)
    throw invalid(subject, `It is longer than ${limits.busSubjectCharsMax} characters.`);
  if (!subjectPattern.test(subject))
    throw invalid(subject, 'A token is empty, reserved or has a character that is not allowed.');
}

/**
 * Checks what a subscriber asks for: a subject in which `*` stands for one token and a last `>` for one or more.
 *
 * @throws PouwError `invalid_subject`.
 */
export function checkSubjectPattern(pattern: string): void {
  if (pattern.length > limits.busSubjectCharsMax)
    throw invalid(pattern, `It is longer than ${limits.busSubjectCharsMax} characters.`);
  if (!patternPattern.test(pattern))
    throw invalid(pattern, 'A token is empty or reserved, or a wildcard is not a whole token, or > is not the last.');
}
