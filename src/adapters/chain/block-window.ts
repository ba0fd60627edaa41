import { assert } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import type { FactBlock } from './recent-facts.ts';

/** A block by number and hash. */
export interface BlockRef {
  readonly number: number;
  readonly hash: Hex;
}

/**
 * The newest facts of the chain as far as it was read: every block with facts above `start` up to the tip.
 * Older blocks fall out at the bound of `limits.chainWindowBlocksMax`.
 */
export class BlockWindow {
  #blocks: FactBlock[];
  #start: number;
  #tip: BlockRef;

  /**
   * @param start the block after which every block with facts is in `blocks`.
   * @param tip up to where was read.
   */
  constructor(start: number, blocks: readonly FactBlock[], tip: BlockRef) {
    this.#start = start;
    this.#blocks = [...blocks];
    this.#tip = tip;
  }

  get start(): number {
    return this.#start;
  }

  get tip(): BlockRef {
    return this.#tip;
  }

  /** Blocks with facts, oldest first. */
  get blocks(): readonly FactBlock[] {
    return this.#blocks;
  }

  /** Adds what was read between the old tip and a new one. */
  append(blocks: readonly FactBlock[], tip: BlockRef): void {
    assert(tip.number > this.#tip.number, 'a window only grows');
    assert(
      blocks.every((block) => block.number > this.#tip.number && block.number <= tip.number),
      'appended blocks lie between the tips',
    );
    this.#blocks.push(...blocks);
    this.#tip = tip;
    const surplus = this.#blocks.length - limits.chainWindowBlocksMax;
    const newestForgotten = this.#blocks[surplus - 1];
    if (surplus <= 0 || newestForgotten === undefined) return;
    this.#blocks = this.#blocks.slice(surplus);
    this.#start = newestForgotten.number;
  }

  /** Forgets everything above `tip`, which becomes the tip. */
  rewind(tip: BlockRef): void {
    assert(tip.number >= this.#start, 'a window cannot rewind beyond its start');
    this.#blocks = this.#blocks.filter((block) => block.number <= tip.number);
    this.#tip = tip;
  }

  /**
   * The next blocks after `position` with about `factsMax` facts, at least one block where there is one, and
   * the block up to which these are all there are.
   */
  after(position: number, factsMax: number): { readonly blocks: readonly FactBlock[]; readonly to: BlockRef } {
    assert(position >= this.#start, 'what is below the window is read from the chain');
    const taken: FactBlock[] = [];
    let facts = 0;
    for (let index = this.#indexAfter(position); index < this.#blocks.length; index += 1) {
      const block = this.#blocks[index] as FactBlock;
      if (facts > 0 && facts + block.facts.length > factsMax) return { blocks: taken, to: taken.at(-1) ?? block };
      taken.push(block);
      facts += block.facts.length;
    }
    return { blocks: taken, to: this.#tip };
  }

  /** The index of the first block above a number; by halves, since followers ask at every block. */
  #indexAfter(position: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as FactBlock).number <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
