import { Visitor, type ESTree } from 'rolldown/utils';
import { isTest, violation, type Rule, type Violation } from '../../scripts/source-file.ts';

/** Names that read the clock, wait for it, draw chance or reach the network. */
const impureNames = new Set([
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'fetch',
  'getRandomValues',
  'performance',
  'randomBytes',
  'randomInt',
  'randomUUID',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** Members of global objects that do the same. */
const impureMembers = new Set(['AbortSignal.timeout', 'Date.now', 'Math.random', 'process.hrtime']);

const impureModules = /^(node:)?(timers|perf_hooks)/;

/** Adapters own time and chance, the CLI and scripts talk to a person; everything else gets both through ports. */
export const noClockOrChance: Rule = (file) => {
  if (isTest(file.path) || !/^(src|actors)\//.test(file.path)) return [];
  if (/^src\/(adapters|cli)\//.test(file.path)) return [];

  const found: Violation[] = file.module.staticImports
    .filter(({ moduleRequest }) => impureModules.test(moduleRequest.value))
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
      if (impureMembers.has(name)) report(node, name);
      // `globalThis.setTimeout` and `crypto.randomUUID` are the global; `clock.setTimeout` is somebody's method.
      if (!/^(globalThis|crypto)$/.test(global)) labels.add(node.property);
    },
    NewExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0) {
        report(node, 'new Date()');
      }
    },
    Property(node) {
      if (!node.shorthand) labels.add(node.key);
    },
    MethodDefinition: (node) => void labels.add(node.key),
    PropertyDefinition: (node) => void labels.add(node.key),
    TSPropertySignature: (node) => void labels.add(node.key),
    TSMethodSignature: (node) => void labels.add(node.key),
    Identifier(node) {
      if (impureNames.has(node.name) && !labels.has(node)) report(node, node.name);
    },
  }).visit(file.program);
  return found;
};
