import { InvalidArgumentError } from 'commander';

/** A moment as the command line names it. */
export interface TimeChoice {
  readonly text: string;
  /** The moment, where it is now; both in milliseconds since 1970. */
  at(nowMs: number): number;
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment: `30m`, `24h` or `7d` from now, or one such as `2027-01-31T12:00:00Z`. */
export function timeOption(text: string): TimeChoice {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const durationMs = unitMs[unit];
  if (count !== undefined && durationMs !== undefined)
    return { text, at: (nowMs) => nowMs + Number(count) * durationMs };
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment))
    throw new InvalidArgumentError(
      'It must be a time such as 2027-01-31T12:00:00Z, or one from now such as 24h or 7d.',
    );
  return { text, at: () => moment };
}
