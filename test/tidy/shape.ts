import type { ESTree } from 'rolldown/utils';
import {
  isGenerated,
  isTest,
  violation,
  type Rule,
  type SourceFile,
  type Violation,
} from '../../scripts/source-file.ts';
import type { TextFile } from './marks.ts';

/** Lines a file may have. A test, which is read as a list, may have more. */
export const fileLinesMax = 320;
const testLinesMax = 400;

/** Files whose name says nothing about what is in them. */
const dumpNames = /^(utils?|helpers?|common|misc|shared|types?)\./;

/** Files that a tool demands a default export of. */
const configFiles = new Set(['vitest.config.ts']);

/** A file, contract or not, holds one idea and can be read in one go. */
export function filesAreSmall(file: TextFile): Violation[] {
  const lines = file.text.trimEnd().split('\n').length;
  const most = isTest(file.path) ? testLinesMax : fileLinesMax;
  if (isGenerated(file) || lines <= most) return [];
  return [{ path: file.path, line: lines, message: `${lines} lines; at most ${most}` }];
}

/** Exports have names, so that a name means the same thing everywhere. */
export const noDefaultExports: Rule = (file) => {
  if (configFiles.has(file.path)) return [];
  return file.module.staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ exportName }) => exportName.kind === 'Default' || exportName.name === 'default')
    .map(({ start }) => violation(file, start, 'default export'));
};

/** File and folder names are kebab-case; `.test`, `.features` and an adapter's name may follow. */
export const namesAreKebabCase: Rule = ({ path }) => {
  const parts = path.replace(/^\./, '').split('/');
  const wrong = parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(part));
  return wrong.map((part) => ({ path, line: 1, message: `${part} is not kebab-case` }));
};

/** Nothing is dumped into a file named after nothing. */
export const noDumpFiles: Rule = ({ path }) => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return dumpNames.test(name) ? [{ path, line: 1, message: `${name} says nothing about what is in it` }] : [];
};

/**
 * Every export says what it is in a comment of the documenting kind, or shares that of the export on the line above.
 * Tests are read as specifications and need none.
 */
export const exportsAreDocumented: Rule = (file) => {
  if (isTest(file.path) || isGenerated(file) || !/^(src|actors|scripts)\//.test(file.path)) return [];
  return file.program.body
    .filter((node) => node.type === 'ExportNamedDeclaration' && node.declaration !== null)
    .filter((node) => !isDocumented(file, node))
    .map((node) => violation(file, node.start, 'an export without a /** */ comment'));
};

function isDocumented(file: SourceFile, node: ESTree.Statement | ESTree.Directive): boolean {
  const own = file.comments.some(({ type, value, end }) => {
    const isAbove = end <= node.start && /^\s*$/.test(file.text.slice(end, node.start));
    return type === 'Block' && value.startsWith('*') && isAbove;
  });
  if (own) return true;
  const before = file.program.body.find(({ end }) => file.text.slice(end, node.start) === '\n');
  return before?.type === 'ExportNamedDeclaration' && isDocumented(file, before);
}
