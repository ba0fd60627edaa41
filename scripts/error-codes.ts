import { Visitor, type ESTree } from 'rolldown/utils';
import { isTest, lineAt, type SourceFile } from './source-file.ts';

/** One place in the code that makes an error or a rejection. */
export interface ErrorSite {
  readonly code: string;
  /** What happened, with `…` where the message has a value; empty where it is not written at this place. */
  readonly message: string;
  /** What to do next; empty where the place gives no hint. */
  readonly hint: string;
  /** The classes it can have; empty where they are not written at this place. */
  readonly classes: readonly string[];
  readonly path: string;
  readonly line: number;
}

/** A function or class that takes an error's code. */
interface Maker {
  readonly name: string;
  /** Which of its parameters is the code. */
  readonly index: number;
  /** The class where the call names no options; undefined where the function itself decides. */
  readonly defaultClass?: string;
}

const makersInCore: readonly Maker[] = [
  { name: 'PouwError', index: 0, defaultClass: 'internal' },
  { name: 'NotYet', index: 0, defaultClass: 'internal' },
  { name: 'reject', index: 0, defaultClass: 'invalid' },
];

type Call = ESTree.CallExpression | ESTree.NewExpression;

const codePattern = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/**
 * Every place in `src` and `actors` that makes a `PouwError` or a rejection with a code written out, directly or
 * through a function that takes the code; and what the launcher in `bin`, which cannot import anything, prints.
 */
export function errorSites(files: readonly SourceFile[]): ErrorSite[] {
  const shipped = files.filter(({ path }) => /^(src|actors)\//.test(path) && !isTest(path));
  const makers = [...makersInCore, ...shipped.flatMap(makersIn)];
  const launcher = files.filter(({ path }) => path.startsWith('bin/'));
  return [...shipped.flatMap((file) => sitesIn(file, makers)), ...launcher.flatMap(printedErrors)];
}

/** Errors that a file prints in the form of `PouwError.explain`. */
function printedErrors({ path, text }: SourceFile): ErrorSite[] {
  return [...text.matchAll(/`error ([a-z_]+): ([^`]*)`/g)].map(({ 1: code = '', 2: message = '', index }) => {
    const hint = /next: ([^'\n]*)'/.exec(text.slice(index))?.[1] ?? '';
    const withoutValues = message.replaceAll(/\$\{[^}]*\}/g, '…');
    return { code, message: withoutValues, hint, classes: ['unavailable'], path, line: lineAt(text, index) };
  });
}

function sitesIn(file: SourceFile, makers: readonly Maker[]): ErrorSite[] {
  const sites: ErrorSite[] = [];
  const visit = (call: Call): void => {
    for (const maker of makers.filter(({ name }) => name === calleeName(call))) {
      for (const code of literals(call.arguments[maker.index])) sites.push(siteOf(file, call, maker, code));
    }
  };
  new Visitor({
    CallExpression: visit,
    NewExpression: visit,
    VariableDeclarator: (node) => void sites.push(...tabledCodes(file, node)),
  }).visit(file.program);
  return sites;
}

/** The codes of a table from code to class, which is how a reason in an event becomes an error. */
function tabledCodes(file: SourceFile, { id, init, start }: ESTree.VariableDeclarator): ErrorSite[] {
  const declared = file.text.slice(start, init?.start ?? start);
  if (init?.type !== 'ObjectExpression' || !/Record<\w+, ErrorClass>/.test(declared) || id.type !== 'Identifier')
    return [];
  return init.properties.flatMap((property) => {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') return [];
    const { name: code } = property.key;
    const line = lineAt(file.text, property.start);
    return [{ code, message: '', hint: '', classes: literals(property.value), path: file.path, line }];
  });
}

function siteOf(file: SourceFile, call: Call, maker: Maker, code: string): ErrorSite {
  const rest = call.arguments.slice(maker.index + 1);
  const options = rest.find((argument) => argument.type === 'ObjectExpression');
  const classes = literals(propertyOf(options, 'class'));
  const unnamed = maker.defaultClass === undefined || rest.length > 2 ? [] : [maker.defaultClass];
  return {
    code,
    message: sentence(rest[0]),
    hint: sentence(propertyOf(options, 'hint')),
    classes: classes.length > 0 ? classes : unnamed,
    path: file.path,
    line: lineAt(file.text, call.start),
  };
}

/** The functions of a file that hand a parameter named `code` to an error or a rejection. */
function makersIn(file: SourceFile): Maker[] {
  const makers: Maker[] = [];
  new Visitor({
    FunctionDeclaration(node) {
      const index = node.params.findIndex((parameter) => parameter.type === 'Identifier' && parameter.name === 'code');
      const body = node.body === null ? '' : file.text.slice(node.body.start, node.body.end);
      if (index >= 0 && node.id !== null && /\b(PouwError|reject)\(\s*code\b/.test(body)) {
        makers.push({ name: node.id.name, index });
      }
    },
  }).visit(file.program);
  return makers;
}

/** Calls that put an error's code together instead of writing it out, so that nobody can search for it. */
export function assembledCodes(file: SourceFile): { readonly start: number }[] {
  const found: { readonly start: number }[] = [];
  const visit = (call: Call): void => {
    const makes = makersInCore.some(({ name }) => name === calleeName(call));
    if (makes && call.arguments[0]?.type === 'TemplateLiteral') found.push(call);
  };
  new Visitor({ CallExpression: visit, NewExpression: visit }).visit(file.program);
  return found;
}

function calleeName({ callee }: Call): string {
  return callee.type === 'Identifier' ? callee.name : '';
}

/** The codes an expression can be: a literal, or either side of a choice. */
function literals(node: ESTree.Node | undefined): string[] {
  if (node === undefined) return [];
  if (node.type === 'ConditionalExpression') return [...literals(node.consequent), ...literals(node.alternate)];
  if (node.type === 'Literal' && typeof node.value === 'string') {
    return codePattern.test(node.value.replaceAll('-', '_')) ? [node.value] : [];
  }
  return [];
}

/** The text of a literal or template, with `…` for each value in it; a single word is no sentence. */
function sentence(node: ESTree.Node | undefined): string {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value.includes(' ') ? node.value : '';
  if (node?.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join('…');
  if (node?.type === 'ConditionalExpression') return sentence(node.consequent);
  return '';
}

function propertyOf(object: ESTree.Node | undefined, name: string): ESTree.Node | undefined {
  if (object?.type !== 'ObjectExpression') return undefined;
  for (const property of object.properties) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') continue;
    if (property.key.name === name) return property.value;
  }
  return undefined;
}
