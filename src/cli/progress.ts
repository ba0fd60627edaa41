import type { WriteStream } from 'node:tty';

const barWidth = 24;
/** Columns of a terminal that says it has none. */
const usualColumns = 80;

/**
 * One line on a terminal that shows how far long work has come; on anything else, nothing but the end.
 * It writes to standard error, so that standard output stays for results.
 */
export class Progress {
  readonly #label: string;
  readonly #out: WriteStream;
  #shown = false;

  constructor(label: string, out: WriteStream = process.stderr) {
    this.#label = label;
    this.#out = out;
  }

  /** Shows `done` of `total`; `note` stands behind the bar. */
  update(done: number, total: number, note = ''): void {
    if (!this.#out.isTTY) return;
    const share = total > 0 ? Math.min(done / total, 1) : 0;
    const filled = Math.round(share * barWidth);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    const line = `${this.#label} ${bar} ${String(Math.floor(share * 100)).padStart(3)} % ${note}`;
    const columns = this.#out.columns > 0 ? this.#out.columns : usualColumns;
    this.#out.write(`\r\u001b[2K${line.slice(0, columns - 1)}`);
    this.#shown = true;
  }

  /** Takes the line away and leaves `text` in its place, if any. */
  end(text?: string): void {
    if (this.#shown) this.#out.write('\r\u001b[2K');
    this.#shown = false;
    if (text !== undefined) this.#out.write(`${text}\n`);
  }
}
