import { errorMessage, PouwError } from '../../core/errors.ts';

/**
 * A list as a row of the chain store has it.
 *
 * @throws PouwError `chain_store_unusable` where it is not what was written.
 */
export function rowList<Item>(text: unknown, isItem: (item: unknown) => boolean): readonly Item[] {
  try {
    const list: unknown = JSON.parse(String(text));
    if (Array.isArray(list) && list.every(isItem)) return list as Item[];
    throw new Error('A row has something else than the list that belongs there.');
  } catch (cause) {
    throw new PouwError('chain_store_unusable', 'The chain store is damaged.', {
      class: 'corrupt',
      why: errorMessage(cause),
      hint: 'Restore the data directory from a copy, or take chain/tx.sqlite away: what it has sent is found on the chain.',
      cause,
    });
  }
}
