import { describe, expect, test } from 'vitest';
import { present } from '../../src/core/assert.ts';

/** What a feature is checked on: a fresh adapter and how to get rid of it. */
export interface Disposable {
  close(): Promise<void>;
}

/**
 * One thing a port promises. The check is a plain function that throws where the promise is broken, so that
 * the same list is run against every adapter, and against broken ones to prove that it notices.
 */
export interface Feature<Harness extends Disposable> {
  readonly name: string;
  readonly check: (harness: Harness) => Promise<void>;
}

/** Registers every feature as a test of its own on a fresh adapter. */
export function testFeatures<Harness extends Disposable>(
  port: string,
  adapter: string,
  features: readonly Feature<Harness>[],
  make: () => Promise<Harness>,
): void {
  describe(`${port}: ${adapter}`, () => {
    test.each(features)('$name', async (feature) => {
      expect.hasAssertions();
      await checkFeature(feature, make);
    });
  });
}

async function checkFeature<Harness extends Disposable>(
  feature: Feature<Harness>,
  make: () => Promise<Harness>,
): Promise<void> {
  const harness = await make();
  try {
    await feature.check(harness);
  } finally {
    await harness.close();
  }
}

/** A broken adapter, and the features that state the promise it breaks. */
export interface Mutation<Port> {
  readonly name: string;
  readonly caughtBy: readonly string[];
  /** Wraps a good adapter. */
  readonly mutate: (adapter: Port) => Port;
}

/**
 * Registers a test per mutation: each feature that should notice it must fail. A suite is what later adapters
 * are held to, so it is tested itself.
 */
export function testMutations<Port, Harness extends Disposable>(
  port: string,
  features: readonly Feature<Harness>[],
  mutations: readonly Mutation<Port>[],
  makeBroken: (mutate: (adapter: Port) => Port) => Promise<Harness>,
): void {
  describe(`the ${port} features notice an adapter that`, () => {
    test.each(mutations)('$name', async ({ caughtBy, mutate }) => {
      const unnoticed: string[] = [];
      for (const name of caughtBy) {
        const feature = present(
          features.find((candidate) => candidate.name === name),
          `the feature "${name}"`,
        );
        await checkFeature(feature, () => makeBroken(mutate)).then(
          () => unnoticed.push(name),
          () => undefined,
        );
      }
      expect(unnoticed).toEqual([]);
    });
  });
}

/** Waits until `condition` holds; throws what was awaited after `patienceMs`. */
export async function eventually(what: string, condition: () => boolean, patienceMs: number): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > untilMs) throw new Error(`waited ${patienceMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Waits long enough for something that must not happen to have happened. */
export function aMoment(ms = 20): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Something to wait for until it is opened. */
export function gate(): { readonly opened: Promise<unknown>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { opened: promise, open: () => resolve(undefined) };
}
