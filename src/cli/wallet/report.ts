import { formatCor, type Wei } from '../../core/wei.ts';
import { print, printJson } from '../print.ts';
import type { Sent } from './wallet.ts';

/** Lines of a name and a value; undefined leaves one out. */
export type Facts = Readonly<Record<string, string | undefined>>;

/** Prints a result: one JSON line, or a sentence and what belongs to it. */
export async function report(
  json: boolean | undefined,
  value: object,
  sentence: string,
  facts: Facts = {},
): Promise<void> {
  if (json === true) return printJson(value);
  await print(`${sentence}\n${factLines(facts)}`);
}

/** The lines, values in one column. */
export function factLines(facts: Facts): string {
  const shown = Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (shown.length === 0) return '';
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return `\n${shown.map(([name, text]) => `  ${name.padEnd(width)}${text}`).join('\n')}\n`;
}

/** An amount for people. */
export function cor(amount: Wei): string {
  return `${formatCor(amount)} $COR`;
}

/** Where a transaction stands. */
export function transactionFacts({ receipt }: Sent): { readonly block: string; readonly transaction: string } {
  return { block: String(receipt.block), transaction: receipt.txHash };
}

/** Where a transaction stands and whether it was there before, for programs. */
export function transactionJson({ receipt, before }: Sent): {
  readonly txHash: string;
  readonly block: number;
  readonly before: boolean;
} {
  return { txHash: receipt.txHash, block: receipt.block, before };
}

/** What a second run says. */
export const doneBefore = 'An earlier run has done this already; nothing was done again (another --request-id does).';
