/** `npm run docs`: writes the reference pages that come from the code. The tidy test says whether they are true. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryPages } from './repository-pages.ts';

for (const [path, text] of Object.entries(repositoryPages())) {
  writeFileSync(join(import.meta.dirname, '..', path), text);
  console.log(`Wrote ${path}.`);
}
