import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import type { Clock } from '../../../ports/clock.ts';

/** Tells which jobs of a queue were handed out: those up to the last place that its consumer has delivered. */
export class HandedOut {
  readonly #clock: Clock;
  readonly #lastDelivered: (model: string) => Promise<number>;
  /** The places of published jobs, by their ids. */
  readonly #places = new Recent<string, number>(limits.jobPlacesKept);
  /** What was last asked, of each model. */
  readonly #known = new Recent<string, { readonly at: number; readonly last: Promise<number> }>(limits.nodeModelsMax);

  constructor(clock: Clock, lastDelivered: (model: string) => Promise<number>) {
    this.#clock = clock;
    this.#lastDelivered = lastDelivered;
  }

  /** A job was stored, now or before. */
  published(id: string, place: number): void {
    this.#places.set(id, place);
  }

  /** Whether a job was never handed out; asked for once however many jobs of a model are wanted to know at a time. */
  async isUntouched(model: string, id: string): Promise<boolean> {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    const now = this.#clock.now();
    let known = this.#known.get(model);
    if (known === undefined || now - known.at >= limits.jobPlacesMs) {
      known = { at: now, last: this.#lastDelivered(model) };
      this.#known.set(model, known);
    }
    return place > (await known.last);
  }
}
