import type { Folded } from '../../core/fold.ts';
import { Changes } from './changes.ts';

/** A state, and the version of its stream that it is of. */
export interface StateOf<Context> {
  readonly state: Folded<Context>;
  readonly version: number;
}

/** The newest state of a node's own actor that this process knows of, for whoever waits for it to change. */
export class LatestState<Context> {
  readonly changes = new Changes();
  readonly #read: () => Promise<StateOf<Context>>;
  #state: Folded<Context>;
  #version = 0;

  /** @param read asks the host. */
  constructor(initial: Folded<Context>, read: () => Promise<StateOf<Context>>) {
    this.#state = initial;
    this.#read = read;
  }

  get state(): Folded<Context> {
    return this.#state;
  }

  /** A commit was made. */
  see(state: Folded<Context>, version: number): void {
    if (version < this.#version) return;
    [this.#state, this.#version] = [state, version];
    this.changes.tell();
  }

  /** Asks the host: it takes up what is in the log at a start, and after an append of which nobody knew what came of it. */
  async refresh(): Promise<void> {
    const { state, version } = await this.#read();
    this.see(state, version);
  }
}
