import { httpClient } from './http-client.ts';
import { startPouw } from './pouw-process.ts';

/** Starts a network on a data directory, has it do one task, and stops it. @throws where it does not stop well. */
export async function runOneTask(data: string, key: string): Promise<void> {
  const pouw = await startPouw(data);
  const client = httpClient(pouw.ready);
  const { id } = await client.submit('What is a dog?', key);
  // What the session says of it is anchored when the network stops.
  for await (const update of client.events(id)) if (update['type'] === 'verdict') break;
  pouw.kill('SIGINT');
  const { code, stderr } = await pouw.ended;
  if (code !== 0) throw new Error(`the network did not stop well: ${stderr}`);
}
