import { join } from 'node:path';
import { PouwError } from '../../core/errors.ts';
import { clearLeftover, type ProcessRecord } from '../process/process-record.ts';
import { newestBlock } from './anvil-rpc.ts';
import { saveAnvilState } from './anvil-snapshot.ts';
import { isAnvilOn } from './anvil-spawn.ts';
import { BlockKeeper } from './block-keeper.ts';
import { blockLogFile, openBlockLog, readBlockLog } from './block-log.ts';

/** Where a chain folder says which anvil runs on it. */
export function anvilRecordFile(directory: string): string {
  return join(directory, 'anvil.json');
}

/** An anvil that outlived the pouw that had started it. */
export interface StaleAnvil {
  readonly pid: number;
  /** Whether its state could be written before it was stopped; where not, the last saved one is used. */
  readonly saved: boolean;
}

/**
 * Looks for an anvil left over on a chain folder. One whose command line names the folder is ours: its
 * state is saved and it is stopped. A recorded process that is something else by now is left alone.
 *
 * @returns what was stopped; undefined where there was nothing.
 * @throws PouwError `stale_anvil` where a recorded process lives, its port is taken, and the system does not
 *   tell what it is; or where it does not end. `chain_in_use` where its pouw still runs.
 */
export async function clearStaleAnvil(directory: string, stateFile: string): Promise<StaleAnvil | undefined> {
  let saved = false;
  const record = await clearLeftover(anvilRecordFile(directory), {
    isOurs: (command) => isAnvilOn(directory, command),
    inUse: (one) => chainInUse(one, directory),
    stale: (one, why) => staleAnvil(one, why, directory),
    beforeEnd: async ({ port }) => {
      saved = await saveStale(`http://127.0.0.1:${port}`, directory, stateFile).then(
        () => true,
        () => false,
      );
    },
  });
  return record === undefined ? undefined : { pid: record.pid, saved };
}

/** Its blocks first: a state is never ahead of its block log. */
async function saveStale(url: string, directory: string, stateFile: string): Promise<void> {
  const file = blockLogFile(directory);
  const content = await readBlockLog(file);
  if (content === undefined) {
    await saveAnvilState(url, stateFile);
    return;
  }
  const { base, blocks, logMark, states } = content;
  // Which of these is the saved one is not asked here: the first may stand for all until the next one is saved.
  const [state] = states;
  const log = await openBlockLog(file, base, { blocks, state, logMark: () => logMark });
  const keeper = new BlockKeeper(url, log, base, { blocks, state });
  try {
    for (const { hash } of states.slice(1)) await keeper.announce(hash);
    await keeper.keep(await newestBlock(url));
    await keeper.restart(await saveAnvilState(url, stateFile, { keeper }));
  } finally {
    await keeper.close();
  }
}

function chainInUse(record: ProcessRecord, directory: string): PouwError {
  return new PouwError('chain_in_use', `Another pouw, process ${record.owner.pid}, runs on ${directory}.`, {
    class: 'conflict',
    hint: 'Stop it first, or choose another folder with --data.',
    details: { pid: record.owner.pid },
  });
}

function staleAnvil(record: ProcessRecord, why: string, directory: string): PouwError {
  return new PouwError(
    'stale_anvil',
    `Process ${record.pid}, perhaps an anvil of an earlier start, holds port ${record.port}.`,
    {
      class: 'unavailable',
      why,
      hint: `Look at process ${record.pid}: if it is an anvil of yours, end it, else remove ${anvilRecordFile(directory)}. Then start again.`,
      details: { pid: record.pid, port: record.port },
    },
  );
}
