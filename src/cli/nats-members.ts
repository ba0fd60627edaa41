import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { NatsMember } from '../adapters/nats/nats-config.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { addressField } from '../messages/fields.ts';

const memberLine = z.object({
  role: z.enum(['router', 'miner', 'validator', 'oracle', 'client', 'observer', 'operator']),
  address: addressField,
  nkey: z.string(),
  models: z
    .array(
      z
        .string()
        .min(1)
        .refine((id) => id.isWellFormed(), 'not well-formed'),
    )
    .max(limits.nodeModelsMax)
    .optional(),
});

/**
 * Reads who may connect to NATS: one line of JSON for each, as `pouw keys --json` prints it.
 *
 * @throws PouwError `file_unreadable`, `members_malformed` with the line.
 */
export function readMembers(path: string): NatsMember[] {
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
  const members = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [memberOf(line, `${path}, line ${index + 1}`)],
  );
  // A server without users takes everybody.
  if (members.length === 0) throw noMembers(path);
  return members;
}

function noMembers(path: string): PouwError {
  return new PouwError('members_malformed', `There is no member in ${path}.`, {
    class: 'invalid',
    hint: 'Collect the lines that `pouw keys --json` prints on every node.',
    param: 'members',
  });
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
