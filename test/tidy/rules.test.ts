import { describe, expect, test } from 'vitest';
import { completeLockfile, missingOptionals } from '../../scripts/lockfile-platforms.ts';
import { errorsPage, limitsPage } from '../../scripts/reference-pages.ts';
import { parseSource, type Rule } from '../../scripts/source-file.ts';
import { noClockOrChance } from './determinism.ts';
import { importsAreDeclared, importsRespectLayers } from './layers.ts';
import { errorCodesAreWrittenOut, noMachineMarks, noSkippedTests, noUnfinishedMarks } from './marks.ts';
import {
  exportsAreDocumented,
  fileLinesMax,
  filesAreSmall,
  namesAreKebabCase,
  noDefaultExports,
  noDumpFiles,
} from './shape.ts';

/** The messages of a rule for a file. */
function check(rule: Rule, path: string, text: string): string[] {
  return rule(parseSource(path, text)).map(({ line, message }) => `${line}: ${message}`);
}

/** The text of `docs/errors.md` for one source file. */
function errorsOf(text: string): string {
  return errorsPage([parseSource('src/a.ts', text)], () => 500);
}

/** Joins words, so that what the rules look for does not stand in this file itself. */
function joined(...words: readonly string[]): string {
  return words.join('');
}

/** How many breaches a rule finds in a file. */
function count(rule: Rule, path: string, text: string): number {
  return check(rule, path, text).length;
}

describe('imports only go down the layers', () => {
  test.each([
    ['actors/session/decide.ts', '../../src/core/ids.ts'],
    ['actors/session/decide.ts', '../task/decide.ts'],
    ['actors/session/machine.ts', 'xstate'],
    ['src/core/hash.ts', 'node:crypto'],
    ['src/adapters/chain/client.ts', 'viem/accounts'],
    ['src/gateway/server.ts', '@fastify/cors'],
    ['src/nodes/router.ts', '../ports/gateway-network.ts'],
    ['src/cli/compose.ts', '../adapters/chain/client.ts'],
    ['src/core/hash.test.ts', 'viem'],
  ])('%s may import %s', (path, specifier) => {
    expect(check(importsRespectLayers, path, `import { a } from '${specifier}';`)).toEqual([]);
  });

  test.each([
    ['actors/session/decide.ts', '../../src/ports/bus.ts'],
    ['actors/session/decide.ts', 'node:crypto'],
    ['src/core/hash.ts', '../ports/bus.ts'],
    ['src/core/hash.ts', 'node:fs'],
    ['src/runtime/host.ts', '../../actors/session/decide.ts'],
    ['src/adapters/chain/client.ts', '../ipfs/content-store.ts'],
    ['src/adapters/local/bus.ts', 'viem'],
    ['src/nodes/router.ts', '../adapters/chain/client.ts'],
    ['src/gateway/server.ts', 'viem'],
    ['src/gateway/server.ts', '../nodes/router.ts'],
    ['src/nodes/router.ts', '../gateway/server.ts'],
    ['src/sim/network.ts', '../adapters/local/bus.ts'],
    ['src/elsewhere/a.ts', './b.ts'],
  ])('%s may not import %s', (path, specifier) => {
    for (const text of [
      `import { a } from '${specifier}';`,
      `import type { A } from '${specifier}';`,
      `export { a } from '${specifier}';`,
      `const a = await import('${specifier}');`,
    ]) {
      expect(count(importsRespectLayers, path, text), text).toBe(1);
    }
  });
});

test('every imported package is declared, and what ships does not count on a development package', () => {
  const rule = importsAreDeclared({ dependencies: { viem: '1' }, devDependencies: { openai: '1' } });
  expect(count(rule, 'src/a.ts', `import 'viem/chains';`)).toBe(0);
  expect(count(rule, 'test/a.test.ts', `import 'openai';`)).toBe(0);
  expect(count(rule, 'src/a.ts', `import 'openai';`)).toBe(1);
  expect(count(rule, 'test/a.test.ts', `import 'left-pad';`)).toBe(1);
});

describe('time and chance come through ports', () => {
  test.each([
    'Date.now();',
    'const at = Date.now;',
    'new Date();',
    'performance.now();',
    'setTimeout(run, 1);',
    'globalThis.setTimeout(run, 1);',
    'const later = { wait: setInterval };',
    'function get(load = fetch) {}',
    'Math.random();',
    'crypto.randomUUID();',
    `import { randomBytes } from 'node:crypto';`,
    `import { setTimeout as wait } from 'node:timers/promises';`,
    'AbortSignal.timeout(1);',
    'Date();',
    'const { now } = Date;',
    'const D = Date; D.now();',
    `globalThis['Date'].now();`,
    'const { random } = Math;',
    'Reflect.construct(Date, []);',
    'process.uptime();',
    `import { generateKeyPairSync } from 'node:crypto';`,
    `import { webcrypto } from 'node:crypto';`,
    `import * as c from 'node:crypto'; c.randomUUID();`,
    `import { hrtime } from 'node:process'; hrtime.bigint();`,
    `import * as os from 'node:os'; os.uptime();`,
    `crypto['randomUUID']();`,
    `Date['now']();`,
    `const { randomBytes: some } = await import('node:crypto');`,
    `const { setTimeout: wait } = await import('node:timers/promises');`,
    `(await import('node:perf_hooks')).performance;`,
    'globalThis.crypto.getRandomValues(bytes);',
  ])('refuses %s', (text) => {
    expect(count(noClockOrChance, 'src/runtime/a.ts', text)).toBeGreaterThan(0);
    expect(count(noClockOrChance, 'src/adapters/local/a.ts', text)).toBe(0);
    expect(count(noClockOrChance, 'src/runtime/a.test.ts', text)).toBe(0);
  });

  test.each([
    'clock.now();',
    'new Date(event.at).toISOString();',
    'const port = { fetch: () => 1 };',
    'port.fetch(cid);',
    'interface Port { fetch(): void; setTimeout: number }',
    '// Date.now() in a comment',
    `const text = 'Math.random()';`,
    'function day(at: Date): number { return Math.floor(Date.UTC(1970, at.getUTCMonth()) / 2); }',
    'if (at instanceof Date) run();',
  ])('allows %s', (text) => {
    expect(check(noClockOrChance, 'src/runtime/a.ts', text)).toEqual([]);
  });

  test('the CLI may wait, and reads no clock and draws no chance', () => {
    for (const text of [
      'setTimeout(run, 1);',
      'await fetch(url);',
      'AbortSignal.timeout(1);',
      `import 'node:timers/promises';`,
    ])
      expect(check(noClockOrChance, 'src/cli/a.ts', text)).toEqual([]);
    for (const text of [
      'Date.now();',
      'performance.now();',
      `import { randomBytes } from 'node:crypto';`,
      'Math.random();',
    ])
      expect(count(noClockOrChance, 'src/cli/a.ts', text)).toBeGreaterThan(0);
  });
});

describe('shape', () => {
  test('a file has a bounded number of lines, unless a script wrote it', () => {
    const text = 'a;\n'.repeat(fileLinesMax);
    expect(count(filesAreSmall, 'src/a.ts', text)).toBe(0);
    expect(count(filesAreSmall, 'src/a.ts', `a;\n${text}`)).toBe(1);
    expect(count(filesAreSmall, 'src/a.ts', `// Generated by scripts/a.ts.\n${text}`)).toBe(0);
    expect(filesAreSmall({ path: 'contracts/src/A.sol', text: `a;\n${text}` })).toHaveLength(1);
    expect(filesAreSmall({ path: 'contracts/test/unit/A.t.sol', text: `a;\n${text}` })).toEqual([]);
  });

  test('a default export is refused in every form, save in a configuration', () => {
    expect(check(noDefaultExports, 'src/a.ts', '\nexport default 1;')).toEqual(['2: default export']);
    expect(count(noDefaultExports, 'src/a.ts', 'const a = 1; export { a as default };')).toBe(1);
    expect(count(noDefaultExports, 'src/a.ts', 'export const a = 1;')).toBe(0);
    expect(count(noDefaultExports, 'vitest.config.ts', 'export default 1;')).toBe(0);
  });

  test('an export needs a comment of its own', () => {
    expect(count(exportsAreDocumented, 'src/a.ts', '/** What it is. */\nexport const a = 1;')).toBe(0);
    const pair = '/** What they are. */\nexport const a = 1;\nexport type A = typeof a;';
    expect(count(exportsAreDocumented, 'src/a.ts', pair)).toBe(0);
    expect(count(exportsAreDocumented, 'src/a.ts', pair.replace('a = 1;', 'a = 1;\n'))).toBe(1);
    expect(count(exportsAreDocumented, 'src/a.ts', 'export const a = 1;')).toBe(1);
    expect(count(exportsAreDocumented, 'src/a.ts', '// Not enough.\nexport const a = 1;')).toBe(1);
    expect(count(exportsAreDocumented, 'src/a.ts', '/** Of b. */\nconst b = 1;\nexport const a = b;')).toBe(1);
  });

  test('names are kebab-case', () => {
    for (const path of ['src/a-b/c-1.test.ts', 'test/features/bus.local.test.ts', '.ci/run']) {
      expect(count(namesAreKebabCase, path, ''), path).toBe(0);
    }
    for (const path of ['src/aB.ts', 'src/a_b.ts', 'src/SomeFolder/a.ts']) {
      expect(count(namesAreKebabCase, path, ''), path).toBe(1);
    }
  });

  test('a file is named after its idea', () => {
    for (const name of ['utils.ts', 'helpers.test.ts', 'common.ts', 'types.ts']) {
      expect(count(noDumpFiles, `src/a/${name}`, ''), name).toBe(1);
    }
    expect(count(noDumpFiles, 'src/a/common-prefix.ts', '')).toBe(0);
  });
});

describe('marks', () => {
  test('nothing is left for later', () => {
    expect(check(noUnfinishedMarks, 'src/a.ts', `a;\n// ${joined('TO', 'DO')}: b`)).toEqual([
      `2: ${joined('TO', 'DO')} in a comment`,
    ]);
    expect(count(noUnfinishedMarks, 'src/a.ts', `/* ${joined('FIX', 'ME')} */`)).toBe(1);
    expect(count(noUnfinishedMarks, 'src/a.ts', '// Mastodons')).toBe(0);
  });

  test('error codes are written out', () => {
    expect(count(errorCodesAreWrittenOut, 'src/a.ts', `new PouwError('a_b', \`\${c} d\`);`)).toBe(0);
    expect(count(errorCodesAreWrittenOut, 'src/a.ts', 'new PouwError(`${a}_b`, "c");')).toBe(1);
  });

  test('no test is skipped, in any way vitest knows', () => {
    for (const way of ['test.skip', 'it.only', 'describe.todo', 'test.skipIf', 'test.only.each', 'xit']) {
      expect(count(noSkippedTests, 'src/a.test.ts', `${way}('a', () => {});`), way).toBe(1);
    }
    expect(count(noSkippedTests, 'src/a.test.ts', `test.each([1])('a', () => {}); list.skip(1);`)).toBe(0);
  });

  test('no file tells which machine or registry it came from', () => {
    for (const text of [
      joined('see registry', '.npmjs.org/a'),
      joined('in /ho', 'me/ada/pouw'),
      joined('in /wo', 'rk/main'),
    ]) {
      expect(noMachineMarks({ path: 'a.md', text }), text).toHaveLength(1);
    }
    const text = 'src/work/a.ts, ~/pouw, /tmp/a, https://example.org/home/a';
    expect(noMachineMarks({ path: 'a.md', text })).toEqual([]);
  });
});

describe('reference pages', () => {
  test('list every code that an error, a rejection or a function that makes one is given', () => {
    expect(
      errorsOf(`throw new PouwError('port_in_use', \`Port \${port} is taken.\`, { hint: 'Use --port.' });`),
    ).toContain('| `port_in_use` | internal (500) | Port … is taken. | Use --port. |');
    expect(errorsOf(`reject('task_unknown', 'No task.', { class: 'not-found' });`)).toContain(
      '| not-found (500) | No task. |',
    );
    expect(errorsOf(`new PouwError(late ? 'too_late' : 'too_soon', 'a');`)).toMatch(/`too_late`.*\n.*`too_soon`/);
    const table = `const classes: Record<string, ErrorClass> = { no_miner: 'busy' };`;
    expect(errorsOf(table)).toContain('| `no_miner` | busy (500) |');
    const own = `function refuse(at: number, code: string) { return new PouwError(code, 'a'); }`;
    expect(errorsOf(`${own} refuse(1, 'no_good');`)).toContain('| `no_good` |');
  });

  test('do not take the rejection of a promise for one of a command', () => {
    expect(errorsOf(`new Promise((_, reject) => reject(new Error('not_a_code')));`)).not.toContain('not_a_code');
  });

  test('list every limit with value and comment, and refuse one without a comment', () => {
    const text = 'const limits = {\n  /** Bytes of\n   * a body. */\n  bodyBytesMax: 1_024,\n  other: 1 };';
    expect(limitsPage({ bodyBytesMax: 1_024 }, text)).toContain('| `bodyBytesMax` | 1,024 | Bytes of a body. |');
    expect(() => limitsPage({ other: 1 }, text)).toThrow(/other has no/);
  });
});

test('a lockfile without the packages of every platform is found and completed', () => {
  const lockfile = {
    packages: {
      '': {},
      'node_modules/tool': {
        dev: true,
        optionalDependencies: { 'tool-linux-x64-gnu': '1.0.0', 'tool-darwin-arm64': '1.0.0' },
      },
      'node_modules/tool-linux-x64-gnu': { version: '1.0.0' },
    },
  };
  expect(missingOptionals(lockfile).map(({ name }) => name)).toEqual(['tool-darwin-arm64']);
  const { packages } = completeLockfile(lockfile);
  expect(packages['node_modules/tool-darwin-arm64']).toEqual({
    version: '1.0.0',
    cpu: ['arm64'],
    dev: true,
    optional: true,
    os: ['darwin'],
  });
  expect(missingOptionals({ packages })).toEqual([]);
});
