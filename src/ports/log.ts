/** Facts of a log line: JSON-able, never a key or a prompt. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured lines about what a process does. Not the event log. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
