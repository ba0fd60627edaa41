import { readFileSync, writeFileSync } from 'node:fs';
import { machines } from '../actors/machines.ts';
import { machinesPage } from './machine-page.ts';

// Writes docs/machines.md from the machines; with --check it only says whether the page is up to date.
const path = new URL('../docs/machines.md', import.meta.url);
const page = machinesPage(machines);

if (!process.argv.includes('--check')) {
  writeFileSync(path, page);
} else if (readFileSync(path, 'utf8') !== page) {
  console.error('docs/machines.md is not what the machines say: run `npm run diagrams`.');
  process.exitCode = 1;
}
