import { dirname } from 'node:path';
import { PouwError } from '../../core/errors.ts';
import { isPortTaken, untilPortFree } from '../process/port.ts';
import { commandLine, endProcess, isAlive, isOwnedByAnother, isRunning } from '../process/running-process.ts';
import { type AnvilRecord, readAnvilRecord, removeAnvilRecord } from './anvil-record.ts';
import { saveAnvilState } from './anvil-snapshot.ts';

/** An anvil that outlived the pouw that had started it. */
export interface StaleAnvil extends AnvilRecord {
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
  const record = await readAnvilRecord(directory);
  if (record === undefined || !(await isRunning(record.pid))) return undefined;
  const command = await commandLine(record.pid);
  if (command === undefined) {
    if (isAlive(record.pid) && (await isPortTaken(record.port)))
      throw staleAnvil(record, 'This system does not tell what that process is.');
    return undefined;
  }
  if (!command.includes(dirname(stateFile)) || !command.includes('anvil')) return undefined;
  if (await isOwnedByAnother(record.owner)) throw chainInUse(record, directory);
  const saved = await saveAnvilState(`http://127.0.0.1:${record.port}`, stateFile).then(
    () => true,
    () => false,
  );
  if (!(await endProcess(record.pid))) throw staleAnvil(record, 'It does not end.');
  await untilPortFree(record.port);
  await removeAnvilRecord(directory);
  return { ...record, saved };
}

function chainInUse(record: AnvilRecord, directory: string): PouwError {
  return new PouwError('chain_in_use', `Another pouw, process ${record.owner.pid}, runs on ${directory}.`, {
    class: 'conflict',
    hint: 'Stop it first, or choose another folder with --data.',
    details: { pid: record.owner.pid },
  });
}

function staleAnvil(record: AnvilRecord, why: string): PouwError {
  return new PouwError(
    'stale_anvil',
    `Process ${record.pid}, perhaps an anvil of an earlier start, holds port ${record.port}.`,
    {
      class: 'unavailable',
      why,
      hint: `Look at process ${record.pid}; if it is an anvil of yours, end it and start again, else choose another port for the chain.`,
      details: { pid: record.pid, port: record.port },
    },
  );
}
