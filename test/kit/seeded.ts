/** Chance that a seed repeats. */
export interface Seeded {
  /** From 0 on, below `end`. */
  below(end: number): number;
  /** One of several. */
  pick<Item>(items: readonly Item[]): Item;
}

/** A small generator (mulberry32): good enough to choose moments, the same on every machine. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end: number): number => next() % end;
  return { below, pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item };
}

/** The seed of this run: `POUW_SEED` to repeat one, else a new one. Printed, since a failure is of use only with it. */
export function seedOfRun(what: string): number {
  const wanted = process.env['POUW_SEED'];
  const seed = wanted === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(wanted);
  console.log(`${what}: POUW_SEED=${seed}`);
  return seed;
}
