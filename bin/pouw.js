#!/usr/bin/env node
/**
 * The command `pouw`. Plain JavaScript for any Node from 18 on: it makes sure that the program itself runs on the
 * Node it was written for, which npm installs beside it (package `node`).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  keepCompiled();
  await import('../src/cli/main.ts');
} else {
  const node = installedNode();
  if (node === undefined) refuse();
  else runUnder(node);
}

/** The Node binary that npm installed for this package, also where it was hoisted to a parent; else undefined. */
function installedNode() {
  const require = nodeModule.createRequire(import.meta.url);
  try {
    const manifest = require.resolve('node/package.json');
    const binary = join(manifest, '..', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Has Node keep what it makes of the sources, which is half of the time a start takes; in the folder of pouw, so that it
 * goes with it and nobody else can write there. Where that cannot be written, nothing is kept. Threads and processes of
 * pouw find it by the variable.
 */
function keepCompiled() {
  const folder = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));
  process.env.NODE_COMPILE_CACHE ??= folder;
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

function refuse() {
  console.error(`error node_too_old: This is Node ${process.versions.node}; pouw needs Node ${neededMajor} or newer.`);
  console.error('  why:  The Node that comes with the npm dependencies is not installed.');
  console.error('  next: Run `npm ci` in the folder of pouw, or start it with a newer Node.');
  process.exitCode = 1;
}

/** Runs this same command line under `node` and ends as it ends. */
function runUnder(node) {
  const script = fileURLToPath(import.meta.url);
  const child = spawn(node, [...process.execArgv, script, ...process.argv.slice(2)], {
    // The channel carries nothing: it closes with this process, however that ends, and the program stops then.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, POUW_ENDS_WITH_PARENT: '1' },
  });
  child.channel?.unref();

  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal gives Ctrl-C to both processes; passed on as well, the child would take it for a second one.
      if (signal === 'SIGINT' && atTerminal) return;
      child.kill(signal);
    });
  }

  child.on('error', (error) => {
    console.error(`error node_not_runnable: ${node} does not start: ${error.message}`);
    console.error('  next: Run `npm ci` again, or start pouw with a newer Node.');
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
