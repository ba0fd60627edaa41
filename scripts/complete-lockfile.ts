/** Adds to package-lock.json the platform packages that npm left out; run it after every `npm install NAME`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { completeLockfile, missingOptionals, type Lockfile } from './lockfile-platforms.ts';

const path = new URL('../package-lock.json', import.meta.url);
const lockfile = JSON.parse(readFileSync(path, 'utf8')) as Lockfile;
const missing = missingOptionals(lockfile);
if (missing.length > 0) writeFileSync(path, `${JSON.stringify(completeLockfile(lockfile), null, 2)}\n`);
console.log(`package-lock.json: ${missing.length} platform packages added.`);
for (const { name, version } of missing) console.log(`  ${name}@${version}`);
