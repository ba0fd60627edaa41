import { Visitor, type ESTree } from 'rolldown/utils';
import { isTest, violation, type Rule, type Violation } from '../../scripts/source-file.ts';

/** Names that read the clock or draw chance, whoever has them: a module may be imported under any name. */
const impureNames = new Set([
  'generateKey',
  'generateKeyPair',
  'generateKeyPairSync',
  'generateKeySync',
  'getRandomValues',
  'hrtime',
  'performance',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'uptime',
  'webcrypto',
]);

/** Names that wait for the clock or reach the network. */
const waitingNames = new Set([
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'fetch',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** Members of global objects that read the clock or draw chance. */
const impureMembers = new Set(['Date.now', 'Math.random']);
const waitingMembers = new Set(['AbortSignal.timeout']);

/** What these globals have is named where it is used: under another name nobody would find it. */
const namedGlobals = new Set(['Date', 'Math', 'globalThis']);

const impureModules = /^(node:)?perf_hooks/;
const waitingModules = /^(node:)?timers/;

/** The name of a member that is read, written as a name or as a string. */
function memberOf({ computed, property }: ESTree.MemberExpression): string | undefined {
  if (!computed) return property.type === 'Identifier' ? property.name : undefined;
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined;
}

/** Adapters own time and chance; everything else gets both through ports. The CLI may wait, since it talks to a person. */
export const noClockOrChance: Rule = (file) => {
  if (isTest(file.path) || !/^(src|actors)\//.test(file.path)) return [];
  if (file.path.startsWith('src/adapters/')) return [];
  const mayWait = file.path.startsWith('src/cli/');

  const found: Violation[] = file.module.staticImports
    .filter(({ moduleRequest: { value } }) => impureModules.test(value) || (!mayWait && waitingModules.test(value)))
    .map(({ start, moduleRequest }) => violation(file, start, `${moduleRequest.value} outside adapters`));
  const report = (node: ESTree.Span, name: string): void => {
    found.push(violation(file, node.start, `${name} outside adapters: use the clock or random port`));
  };

  const labels = new Set<object>();
  new Visitor({
    MemberExpression(node) {
      const member = memberOf(node);
      if (member === undefined) return;
      const global = node.object.type === 'Identifier' ? node.object.name : '';
      const name = `${global}.${member}`;
      if (impureMembers.has(name) || impureNames.has(member) || (!mayWait && waitingMembers.has(name)))
        report(node, name);
      if (namedGlobals.has(global) && !node.computed) labels.add(node.object);
      // `globalThis.setTimeout` is the global; `clock.setTimeout` is somebody's method.
      if (!node.computed && (global !== 'globalThis' || impureNames.has(member))) labels.add(node.property);
    },
    NewExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return;
      labels.add(node.callee);
      if (node.arguments.length === 0) report(node, 'new Date()');
    },
    BinaryExpression(node) {
      if (node.operator === 'instanceof') labels.add(node.right);
    },
    TSTypeReference: (node) => void labels.add(node.typeName),
    Property(node) {
      const isImpure = node.key.type === 'Identifier' && impureNames.has(node.key.name);
      if (!node.shorthand && !isImpure) labels.add(node.key);
    },
    ImportExpression({ source }) {
      const name = source.type === 'Literal' ? String(source.value) : '';
      if (impureModules.test(name) || (!mayWait && waitingModules.test(name))) report(source, name);
    },
    MethodDefinition: (node) => void labels.add(node.key),
    PropertyDefinition: (node) => void labels.add(node.key),
    TSPropertySignature: (node) => void labels.add(node.key),
    TSMethodSignature: (node) => void labels.add(node.key),
    Identifier(node) {
      if (labels.has(node)) return;
      const isImpure = impureNames.has(node.name) || namedGlobals.has(node.name);
      if (isImpure || (!mayWait && waitingNames.has(node.name))) report(node, node.name);
    },
  }).visit(file.program);
  return found;
};
