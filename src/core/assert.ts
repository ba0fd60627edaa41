/** A programmer's mistake: never caught, never shown to a user as their fault. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Crashes when a thing that cannot be false is false. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Narrows away undefined and null for a value that must be there. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`);
  return value;
}

/** Marks a switch as exhaustive: the compiler refuses a forgotten case. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
