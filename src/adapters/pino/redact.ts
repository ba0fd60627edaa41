import { limits } from '../../core/limits.ts';
import type { LogFields } from '../../ports/log.ts';

/** What stands in a log line for what must not. */
export const redacted = '[redacted]';

/** Fields whose name says that a secret is in them. */
const secretNames = /(^|[a-z_-])(api_?key|key|secret|token|password|passphrase|mnemonic|seed|authorization|cookie)$/i;

/**
 * Fields that hold identifiers, which have the form of a private key: 32 bytes in hexadecimal. Everywhere else such
 * text is shortened, since nobody can tell by its form what it is.
 */
const idNames: ReadonlySet<string> = new Set([
  'beacon',
  'cause',
  'digest',
  'hash',
  'id',
  'root',
  'stream',
  'subject',
  'task',
  'txHash',
]);

/** What is a secret by its form, wherever it stands. */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
  // Our HTTP keys, and those of others that begin alike.
  [/\b(pouw|sk|pk|ghp)[_-][A-Za-z0-9_-]{16,}/g, `$1_${redacted}`],
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${redacted}`],
  // The seeds of NATS: S, the kind, base32.
  [/\bS[ACNOUX][A-Z2-7]{54,}\b/g, redacted],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, redacted],
  // Addresses of services: the user, the query, and the keys that providers put into the path.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${redacted}@`],
  [/([?&][\w-]*(?:key|token|secret|password)[\w-]*=)[^&\s"']+/gi, `$1${redacted}`],
  [/((?:https?|wss?):\/\/[^\s/"']+(?:\/[^\s/"']*)*?\/)[A-Za-z0-9_-]{20,}(?=[\s/"'?.,;:)]|$)/gi, `$1${redacted}`],
];

const hex32 = /\b(0x)?([0-9a-f]{4})[0-9a-f]{56}([0-9a-f]{4})\b/gi;

/** A text without secrets: those are replaced, what may be one is shortened, and what is too long is cut. */
export function redactText(text: string): string {
  const cut = text.length > limits.logTextCharsMax ? `${text.slice(0, limits.logTextCharsMax)}…` : text;
  return withoutSecrets(cut).replaceAll(hex32, '$1$2…$3');
}

function withoutSecrets(text: string): string {
  return secretForms.reduce((clean, [form, instead]) => clean.replaceAll(form, instead), text);
}

/** The fields of a log line without secrets. */
export function redactFields(fields: LogFields): LogFields {
  const clean: Record<string, LogFields[string]> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'string') clean[name] = value;
    else if (secretNames.test(name)) clean[name] = redacted;
    else clean[name] = idNames.has(name) ? withoutSecrets(value.slice(0, limits.logTextCharsMax)) : redactText(value);
  }
  return clean;
}
