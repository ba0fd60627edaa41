/**
 * `npm run bench`: measures what the network costs, each figure against the raw thing in the same run, and prints a
 * table. `--only NAME` (repeatable) runs some figures, `--quick` few rounds, `--json` prints one JSON object.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '../src/core/errors.ts';
import type { Figure, FigureResult } from './bench/figure.ts';
import { machineLine, thisMachine } from './bench/machine.ts';
import { printFigure } from './bench/print.ts';
import { figures } from './bench/table.ts';

const values = asked();
const { only = [] } = values;
const wanted = only.length === 0 ? figures : figures.filter(({ name }) => only.includes(name));
await bench(wanted, values.quick === true, values.json === true);

/** What the command line asks for; the process ends where that is help, or nothing that there is. */
function asked() {
  const names = figures.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n');
  const usage = `npm run bench -- [--only NAME]… [--quick] [--json]\n\n${names}\n`;
  try {
    const { values: given } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    const unknown = given.only?.find((name) => !figures.some((figure) => figure.name === name));
    if (unknown !== undefined) throw new Error(`There is no figure ${JSON.stringify(unknown)}.`);
    if (given.help !== true) return given;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n\n${usage}`);
    process.exit(2);
  }
}

async function bench(chosenFigures: readonly Figure[], quick: boolean, json: boolean): Promise<void> {
  const machine = thisMachine();
  const print = (text: string): void => void (json || process.stdout.write(text));
  print(`${machineLine(machine)}${quick ? '; quick: figures mean little' : ''}\n\n`);
  const results: Record<string, FigureResult> = {};
  for (const figure of chosenFigures) {
    const result = await measured(figure, quick);
    results[figure.name] = result;
    print(`${printFigure(figure, result)}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ machine, quick, figures: results })}\n`);
}

async function measured(figure: Figure, quick: boolean): Promise<FigureResult> {
  const scratch = mkdtempSync(join(tmpdir(), `pouw-bench-${figure.name}-`));
  const show = process.stderr.isTTY;
  const onStep = (step: string): void => void (show && process.stderr.write(`\r\u001b[K${figure.name}: ${step}`));
  try {
    return await figure.run({ quick, scratch, onStep });
  } finally {
    if (show) process.stderr.write('\r\u001b[K');
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}
