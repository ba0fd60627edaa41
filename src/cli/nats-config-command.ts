import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { type NatsMember, renderNatsConfig } from '../adapters/nats/nats-config.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import { addressField } from '../messages/fields.ts';
import { wholeNumber } from './parse-options.ts';

const memberLine = z.object({
  role: z.enum(['router', 'miner', 'validator', 'oracle', 'client', 'observer', 'operator']),
  address: addressField,
  nkey: z.string(),
  models: z.array(z.string()).optional(),
});

/** `pouw nats-config`: the configuration of a NATS server in which every node may do what its role needs, and no more. */
export function natsConfigCommand(): Command {
  return new Command('nats-config')
    .description('Print a NATS server’s configuration: one nkey user per node, with the least subjects its role needs.')
    .requiredOption('--members <file>', 'one line of JSON per member, as `pouw keys --json` prints it')
    .option('--name <name>', 'the server’s name', 'pouw')
    .option('--host <address>', 'address it listens on', '127.0.0.1')
    .option('--port <port>', 'port it listens on', wholeNumber(1, 65_535), 4_222)
    .requiredOption('--store <dir>', 'folder of its JetStream store')
    .action((options: { members: string; name: string; host: string; port: number; store: string }) => {
      const { name, host, port, store } = options;
      const settings = { name, host, port, jetStream: { directory: store } };
      process.stdout.write(renderNatsConfig(readMembers(options.members), settings));
    });
}

function readMembers(path: string): NatsMember[] {
  let lines: string[];
  try {
    lines = readFileSync(path, 'utf8').split('\n');
  } catch (cause) {
    throw new PouwError('file_unreadable', `The file ${path} cannot be read: ${errorMessage(cause)}`, {
      class: 'invalid',
      param: 'members',
      cause,
    });
  }
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [memberOf(line, `${path}, line ${index + 1}`)]));
}

function memberOf(line: string, place: string): NatsMember {
  const parsed = memberLine.safeParse(parsedJson(line));
  if (!parsed.success) {
    // What stands there is not shown: it may be a secret.
    throw new PouwError('members_malformed', `There is no member at ${place}.`, {
      class: 'invalid',
      why: z.prettifyError(parsed.error),
      hint: 'Collect the lines that `pouw keys --json` prints on every node.',
      param: 'members',
    });
  }
  const { models, ...member } = parsed.data;
  return { ...member, ...(models === undefined ? {} : { models }) };
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
