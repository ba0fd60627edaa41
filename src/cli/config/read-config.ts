import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { configFields, configSchema, type NodeConfig } from './schema.ts';

/** Where a configuration comes from, the strongest first. */
export interface ConfigSources {
  /** What the command line says, by name. */
  readonly flags: Readonly<Record<string, string | number | undefined>>;
  readonly environment: NodeJS.ProcessEnv;
  /** The path of a JSON file. */
  readonly file?: string | undefined;
}

/**
 * Puts a configuration together.
 *
 * @throws PouwError `config_unreadable`, `config_invalid` naming the field and where its value came from.
 */
export function readConfig({ flags, environment, file }: ConfigSources): NodeConfig {
  const fromFile = file === undefined ? {} : readFile(file);
  const origins = new Map<string, string>();
  const merged: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fromFile)) {
    merged[name] = value;
    origins.set(name, file ?? '');
  }
  for (const { name, flag, variable, isNumber } of configFields()) {
    const text = environment[variable];
    if (text !== undefined && text !== '') {
      merged[name] = isNumber ? toNumber(text) : text;
      origins.set(name, variable);
    }
    if (flags[name] === undefined) continue;
    merged[name] = isNumber ? toNumber(String(flags[name])) : flags[name];
    origins.set(name, flag);
  }
  const parsed = configSchema.safeParse(merged);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error, origins);
}

/** A number where the text is one; else the text, for the schema to refuse. */
function toNumber(text: string): number | string {
  return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
}

function readFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new PouwError('config_unreadable', `The configuration ${path} cannot be read.`, {
      class: 'invalid',
      why: errorMessage(cause),
      hint: '`pouw config --json` prints one to begin with.',
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PouwError('config_unreadable', `The configuration ${path} is no JSON object.`, {
    class: 'invalid',
    hint: '`pouw config --json` prints one to begin with.',
  });
}

function invalid(error: z.ZodError, origins: ReadonlyMap<string, string>): PouwError {
  const issue = error.issues[0];
  const name = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : String(issue?.path[0] ?? '');
  const origin = origins.get(name);
  return new PouwError(
    'config_invalid',
    `The setting ${name}${origin === undefined ? '' : ` (${origin})`} is not valid.`,
    {
      class: 'invalid',
      why: issue?.code === 'unrecognized_keys' ? 'There is no setting of that name.' : (issue?.message ?? ''),
      hint: '`pouw config` lists every setting with its default and meaning.',
      param: name,
    },
  );
}
