import type { Figure, FigureResult, Row } from './figure.ts';

const heads = ['what', 'ours', 'raw', 'ours ÷ raw', 'unit', 'raw is'] as const;

/** Three significant digits, thousands apart. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return Math.round(value).toLocaleString('en-US');
  if (magnitude === 0) return '0';
  return value.toPrecision(3);
}

function cells({ what, ours, raw, ratio, unit, against }: Row): string[] {
  return [
    what,
    formatNumber(ours),
    raw === null ? '–' : formatNumber(raw),
    ratio === null ? '–' : formatNumber(ratio),
    unit,
    against,
  ];
}

/** A figure as a table for a terminal, with its notes below. */
export function printFigure({ name, title }: Figure, { rows, matrix, notes }: FigureResult): string {
  const lines = [`${name}: ${title}`];
  if (rows.length > 0) lines.push(...aligned([[...heads], ...rows.map(cells)], (column) => column >= 1 && column <= 3));
  if (matrix !== undefined) {
    const body = matrix.lines.map((line) => line.map((cell) => (typeof cell === 'number' ? formatNumber(cell) : cell)));
    lines.push(...aligned([[...matrix.heads], ...body], (column) => column > 0));
  }
  return [...lines, ...notes.map((note) => `  ${note}`), ''].join('\n');
}

function aligned(lines: readonly (readonly string[])[], isNumber: (column: number) => boolean): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const fit = (cell: string, column: number): string =>
    isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return lines.map((line) => `  ${line.map(fit).join('  ')}`.trimEnd());
}
