import { Visitor, type ESTree } from 'rolldown/utils';
import { isTest, violation, type Rule, type Violation } from '../../scripts/source-file.ts';

/** Names that read the clock or draw chance. */
const impureNames = new Set([
  'generateKey',
  'generateKeyPair',
  'generateKeyPairSync',
  'generateKeySync',
  'getRandomValues',
  'performance',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
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
const impureMembers = new Set(['Date.now', 'Math.random', 'process.hrtime', 'process.uptime']);
const waitingMembers = new Set(['AbortSignal.timeout']);

/** What these globals have is named where it is used: under another name nobody would find it. */
const namedGlobals = new Set(['Date', 'Math', 'globalThis']);

const impureModules = /^(node:)?perf_hooks/;
const waitingModules = /^(node:)?timers/;

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
      if (node.computed || node.property.type !== 'Identifier') return;
      const global = node.object.type === 'Identifier' ? node.object.name : '';
      const name = `${global}.${node.property.name}`;
      if (impureMembers.has(name) || (!mayWait && waitingMembers.has(name))) report(node, name);
      if (namedGlobals.has(global)) labels.add(node.object);
      // `globalThis.setTimeout` and `crypto.randomUUID` are the global; `clock.setTimeout` is somebody's method.
      if (!/^(globalThis|crypto)$/.test(global)) labels.add(node.property);
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
      if (!node.shorthand) labels.add(node.key);
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
