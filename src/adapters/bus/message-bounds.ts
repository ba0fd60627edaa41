import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { BusHeaders } from '../../ports/bus.ts';

const namePattern = /^(?!nats-)[a-z0-9][a-z0-9_-]*$/i;
const valuePattern = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * Checks the bytes of a message or an answer.
 *
 * @throws PouwError `message_too_large`.
 */
export function checkMessageSize(subject: string, data: Uint8Array): void {
  if (data.length <= limits.busMessageBytesMax) return;
  throw messageTooLarge(subject, data.length, limits.busMessageBytesMax);
}

/** The error for a message that has more bytes than fit. */
export function messageTooLarge(subject: string, bytes: number, most: number): PouwError {
  return new PouwError('message_too_large', `A message of ${bytes} bytes on ${subject.slice(0, 80)} is too large.`, {
    class: 'too-large',
    why: `A message has at most ${most} bytes.`,
    hint: 'Put large content into the content store and send its CID.',
  });
}

/** Whether a header is one that a bus carries. */
export function isHeader(name: string, value: string): boolean {
  return namePattern.test(name) && valuePattern.test(value);
}

/**
 * Checks the headers of a message.
 *
 * @throws PouwError `invalid_headers`.
 */
export function checkHeaders(headers: BusHeaders): void {
  let bytes = 0;
  const names = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, value)) throw invalid(name, 'Its name or value has characters that are not allowed.');
    if (names.has(name.toLowerCase()))
      throw invalid(name, 'Another one has the same name but for upper and lower case.');
    names.add(name.toLowerCase());
    bytes += name.length + value.length;
  }
  if (names.size > limits.busHeadersMax)
    throw invalid('', `There are ${names.size} of them; at most ${limits.busHeadersMax} are allowed.`);
  if (bytes > limits.busHeaderBytesMax)
    throw invalid('', `All names and values have ${bytes} bytes; at most ${limits.busHeaderBytesMax} are allowed.`);
}

function invalid(name: string, why: string): PouwError {
  const which = name === '' ? 'The headers of a message' : `The header ${JSON.stringify(name.slice(0, 80))}`;
  return new PouwError('invalid_headers', `${which} cannot be sent.`, {
    class: 'invalid',
    why,
    hint: 'Put what is not a short name and value into the data of the message.',
  });
}
