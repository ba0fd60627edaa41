import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import type { SubjectHead } from './log-reader.ts';

/**
 * The heads used last. Other processes append too, so a head may be behind, never ahead: whoever relies on one is
 * told by the server's compare-and-swap.
 */
export class HeadCache {
  readonly #heads = new Recent<StreamId, SubjectHead>(limits.storeHeadsCachedMax);

  /** The head as last seen. */
  get(stream: StreamId): SubjectHead | undefined {
    return this.#heads.get(stream);
  }

  /** Keeps a head unless a newer one is known. */
  keep(head: SubjectHead): void {
    const { stream } = head;
    const known = this.#heads.get(stream);
    this.#heads.set(stream, known !== undefined && known.last > head.last ? known : head);
  }

  /** Forgets a head that has proved wrong. */
  forget(stream: StreamId): void {
    this.#heads.take(stream);
  }
}
