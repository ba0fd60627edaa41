import { Visitor } from 'rolldown/utils';
import { assembledCodes } from '../../scripts/error-codes.ts';
import { isTest, violation, type Rule, type Violation } from '../../scripts/source-file.ts';

/** A file that is looked at as text, source or not. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** What no tracked file may hold, whatever its kind. The patterns are split so that this file passes its own rule. */
const machineMarks: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  { pattern: /\bregistry\.(npmjs|yarnpkg|npmmirror)\./, message: 'the host of a package registry' },
  { pattern: /(?<![\w.])\/(home\/[a-z]|Users\/[A-Za-z]|root\/|work\/)/, message: 'an absolute path of one machine' },
];

const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;

/** Nothing in the repository is left for later: there are issues for that. */
export const noUnfinishedMarks: Rule = (file) =>
  file.comments
    .filter(({ value }) => unfinished.test(value))
    .map(({ start, value }) => violation(file, start, `${unfinished.exec(value)?.[0] ?? ''} in a comment`));

/** An error's code stands in the code as it stands in the docs. */
export const errorCodesAreWrittenOut: Rule = (file) =>
  assembledCodes(file).map(({ start }) => violation(file, start, 'an error code that is put together'));

/** Every test runs, in every run. */
export const noSkippedTests: Rule = (file) => {
  if (!isTest(file.path)) return [];
  const found: Violation[] = [];
  new Visitor({
    MemberExpression(node) {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
      const called = `${node.object.name}.${node.property.name}`;
      if (/^(test|it|describe|suite|bench)\.(only|skip|todo|skipIf|runIf|fails)$/.test(called)) {
        found.push(violation(file, node.start, called));
      }
    },
    Identifier(node) {
      if (/^(xit|xtest|xdescribe|fit|fdescribe)$/.test(node.name)) found.push(violation(file, node.start, node.name));
    },
  }).visit(file.program);
  return found;
};

/** Nothing of the machine that a file was written on gets into the repository. */
export function noMachineMarks(file: TextFile): Violation[] {
  return machineMarks.flatMap(({ pattern, message }) => {
    const found = pattern.exec(file.text);
    return found === null ? [] : [violation(file, found.index, message)];
  });
}
