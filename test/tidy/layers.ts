import { isTest, violation, type Rule, type SourceFile } from '../../scripts/source-file.ts';

/** What the files below a folder may import beside each other. */
export interface Layer {
  readonly folder: string;
  /** Folders and single files of this repository. */
  readonly folders: readonly string[];
  /** Packages; `node:*` stands for everything that Node has, and `@scope/*` for every package of a scope. */
  readonly packages: readonly string[];
}

const adapterFolders = ['src/core', 'src/ports'];

/**
 * The layers, the most particular folder first. Vendors appear only here beside their own adapter; where a folder
 * that is no adapter may use a package, this table says so.
 */
export const layers: readonly Layer[] = [
  { folder: 'actors', folders: ['src/core'], packages: ['xstate'] },
  // Content identifiers and the fold over machines are pure: hashing and encoding, no I/O.
  {
    folder: 'src/core',
    folders: [],
    packages: ['@noble/curves', '@noble/hashes', 'node:crypto', 'multiformats', '@ipld/dag-json', 'xstate'],
  },
  { folder: 'src/ports', folders: ['src/core'], packages: [] },
  { folder: 'src/messages', folders: ['src/core', 'src/ports'], packages: ['zod'] },
  { folder: 'src/runtime', folders: ['src/core', 'src/ports'], packages: [] },
  // What the buses share.
  { folder: 'src/adapters/bus', folders: adapterFolders, packages: [] },
  // What the event stores share.
  { folder: 'src/adapters/log', folders: adapterFolders, packages: [] },
  // What the adapters that start programs, or look into the user's folders, share.
  { folder: 'src/adapters/process', folders: adapterFolders, packages: ['node:*'] },
  // What the adapters that keep something in SQLite share.
  { folder: 'src/adapters/sqlite', folders: adapterFolders, packages: ['node:*'] },
  {
    folder: 'src/adapters/local',
    folders: [...adapterFolders, 'src/adapters/bus', 'src/adapters/log', 'src/adapters/sqlite'],
    packages: ['node:*'],
  },
  { folder: 'src/adapters/recorded', folders: adapterFolders, packages: ['node:*'] },
  {
    folder: 'src/adapters/nats',
    folders: [
      ...adapterFolders,
      'src/messages/subjects.ts',
      'src/adapters/bus',
      'src/adapters/log',
      'src/adapters/process',
    ],
    packages: ['node:*', 'nats', '@nats-io/*'],
  },
  {
    folder: 'src/adapters/chain',
    folders: [...adapterFolders, 'src/adapters/process', 'src/adapters/sqlite'],
    packages: ['node:*', 'viem'],
  },
  {
    folder: 'src/adapters/ipfs',
    folders: [...adapterFolders, 'src/adapters/sqlite'],
    packages: [
      'node:*',
      'helia',
      '@helia/*',
      'multiformats',
      '@multiformats/*',
      '@ipld/*',
      'blockstore-fs',
      'datastore-core',
      'interface-datastore',
    ],
  },
  { folder: 'src/adapters/metrics', folders: adapterFolders, packages: ['node:*', 'prom-client'] },
  { folder: 'src/adapters/pino', folders: adapterFolders, packages: ['node:*', 'pino'] },
  { folder: 'src/adapters/otlp', folders: adapterFolders, packages: ['node:*', '@opentelemetry/*'] },
  { folder: 'src/adapters/ops', folders: adapterFolders, packages: ['node:*'] },
  {
    folder: 'src/adapters/transformers',
    folders: [...adapterFolders, 'src/adapters/process'],
    packages: ['node:*', '@huggingface/transformers'],
  },
  {
    folder: 'src/nodes',
    folders: ['actors', 'src/core', 'src/ports', 'src/messages', 'src/runtime'],
    packages: ['zod'],
  },
  // Decorators over the ports and watchers of the nodes: metrics, traces, health.
  {
    folder: 'src/operations',
    folders: ['actors', 'src/core', 'src/ports', 'src/messages', 'src/runtime', 'src/nodes'],
    packages: [],
  },
  {
    folder: 'src/gateway',
    folders: ['src/core', 'src/ports'],
    packages: ['node:*', 'fastify', '@fastify/*', 'zod'],
  },
  { folder: 'src/replay', folders: ['actors', 'src/core', 'src/ports', 'src/runtime'], packages: ['node:*', 'zod'] },
  {
    folder: 'src/sim',
    folders: [
      'actors',
      'src/core',
      'src/ports',
      'src/messages',
      'src/runtime',
      'src/nodes',
      'src/gateway',
      'src/replay',
    ],
    packages: ['node:*'],
  },
  // The composition root.
  { folder: 'src/cli', folders: ['actors', 'src', 'models'], packages: ['node:*', 'commander', 'zod'] },
];

/** Imports only go down the layers, and vendors stay in their adapters. Tests and scripts may import anything. */
export const importsRespectLayers: Rule = (file) => {
  if (isTest(file.path) || !/^(src|actors)\//.test(file.path)) return [];
  const layer = layers.find(({ folder }) => isBelow(file.path, folder));
  if (layer === undefined) return [violation(file, 0, 'its folder is not in the table of layers')];
  return importsOf(file)
    .filter(({ specifier }) => !mayImport(layer, file.path, specifier))
    .map(({ specifier, start }) => violation(file, start, `${layer.folder} may not import ${specifier}`));
};

/** Every package that is imported is declared: `src` and `actors` may count on dependencies only. */
export function importsAreDeclared(manifest: { dependencies: object; devDependencies: object }): Rule {
  const shipped = Object.keys(manifest.dependencies);
  const all = [...shipped, ...Object.keys(manifest.devDependencies)];
  return (file) => {
    const declared = /^(src|actors)\//.test(file.path) && !isTest(file.path) ? shipped : all;
    return importsOf(file)
      .filter(({ specifier }) => !/^(\.|node:)/.test(specifier) && !declared.includes(packageOf(specifier)))
      .map(({ specifier, start }) => violation(file, start, `${packageOf(specifier)} is not declared in package.json`));
  };
}

interface Import {
  readonly specifier: string;
  readonly start: number;
}

/** Every module that the file names in an import or export, static or dynamic. */
function importsOf(file: SourceFile): Import[] {
  const { staticImports, staticExports, dynamicImports } = file.module;
  const fixed = staticImports.map(({ moduleRequest }) => moduleRequest);
  const passedOn = staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest));
  const spans = [...fixed, ...passedOn].filter((request) => request !== null);
  const dynamic = dynamicImports.map(({ moduleRequest: { start, end } }) => ({
    specifier: file.text.slice(start, end).replaceAll(/^['"`]|['"`]$/g, ''),
    start,
  }));
  return [...spans.map(({ value, start }) => ({ specifier: value, start })), ...dynamic];
}

function mayImport(layer: Layer, path: string, specifier: string): boolean {
  if (specifier.startsWith('.')) {
    const target = resolveRelative(path, specifier);
    return [layer.folder, ...layer.folders].some((folder) => isBelow(target, folder));
  }
  return layer.packages.some((allowed) =>
    allowed.endsWith('*') ? specifier.startsWith(allowed.slice(0, -1)) : packageOf(specifier) === allowed,
  );
}

/** `a/b/c.ts` and `../d.ts` give `a/d.ts`. */
function resolveRelative(path: string, specifier: string): string {
  const folders = path.split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') folders.pop();
    else if (step !== '.') folders.push(step);
  }
  return folders.join('/');
}

/** `@scope/name/file.js` gives `@scope/name`, `name/file.js` gives `name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
