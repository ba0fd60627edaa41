import { z } from 'zod';
import { devices } from '../../adapters/transformers/devices.ts';
import { appealChoices } from '../../core/appeals.ts';
import { limits } from '../../core/limits.ts';
import { idleRoundsChoices } from '../../core/idle-rounds.ts';
import { schedulings } from '../../core/scheduling.ts';
import { settlements } from '../../core/settlement.ts';
import { defaultEmbedder, defaultModel } from '../compose/defaults.ts';
import { isHttpUrl, rpcUrls } from './rpc-urls.ts';

const count = (least: number, most: number): z.ZodNumber => z.number().int().min(least).max(most);
const httpUrls = z.string().refine((text) => rpcUrls(text).every(isHttpUrl), {
  message: 'it must be an http:// or https:// address, or several with commas between them',
});
const port = count(0, 65_535);

/**
 * Everything a node process can be told, with its default and what it means. A value comes from the first place that
 * has one: the command line, the environment (`POUW_` and the name in capitals), the file of `--config`, the default
 * here.
 */
export const configSchema = z.strictObject({
  nats: z
    .string()
    .min(1)
    .default('nats://127.0.0.1:4222')
    .describe('servers of NATS, commas between them; tls:// for encryption'),
  natsKey: z
    .string()
    .optional()
    .describe(
      'file with the seed of this node’s nkey; default nats.nk in the data folder, where `pouw keys` has made one',
    ),
  natsCa: z.string().optional().describe('PEM file of the authorities that may vouch for the servers'),
  natsCert: z.string().optional().describe('PEM file of this node’s certificate, where the servers ask for one'),
  natsCertKey: z.string().optional().describe('PEM file of the certificate’s key'),
  replicas: z
    .union([z.literal(1), z.literal(3), z.literal(5)], { error: 'must be 1, 3 or 5' })
    .default(1)
    .describe('NATS servers that keep each commit; 3 survive the loss of one'),
  rpc: httpUrls
    .default('http://127.0.0.1:8545')
    .describe('JSON-RPC endpoints of the chain, commas between them; the first is preferred, the others step in'),
  feeCapGwei: count(1, 1_000_000)
    .default(500)
    .describe('most to offer per unit of gas, in gwei; what waits too long is offered more up to that'),
  pollMs: count(10, 60_000).default(500).describe('time between two looks at the chain, in milliseconds'),
  confirmations: count(1, 1_000).default(1).describe('blocks a fact of the chain needs on it, its own included'),
  deployment: z
    .string()
    .optional()
    .describe(
      'file that names the contracts, as `pouw chain deploy` writes it; default deployment.json in the data folder',
    ),
  key: z.string().optional().describe('file with this node’s secret; default keys.json in the data folder'),
  data: z
    .string()
    .min(1)
    .optional()
    .describe('folder for keys, transactions and content; default below the user’s data folder'),
  model: z.string().min(1).default(defaultModel).describe('chat model: a project model, a folder, or a hub id'),
  embedder: z.string().min(1).default(defaultEmbedder).describe('embedding model'),
  device: z
    .enum(['auto', ...devices])
    .default('auto')
    .describe('where models run'),
  workers: count(1, limits.inferenceWorkersMax).optional().describe('threads that run models'),
  capacity: count(1, limits.minerJobsMax).default(32).describe('jobs a miner takes at a time'),
  appeals: z
    .enum(appealChoices)
    .default('own')
    .describe('which outcomes a miner appeals: those that call it an outlier and that it finds wrong itself, or none'),
  scheduling: z
    .enum(schedulings)
    .default('preassigned')
    .describe('how a router finds miners: it draws them, or takes those who come first for the places it offers'),
  waitingTasks: count(1, limits.routerWaitingTasksMax)
    .default(limits.routerWaitingTasksMax)
    .describe('tasks of a model that may wait for their miners at a router; clients of more are told to come again'),
  host: z.string().min(1).default('127.0.0.1').describe('address a router’s HTTP endpoint listens on'),
  port: port.default(8_787).describe('port of a router’s HTTP endpoint, 0 for a free one'),
  opsPort: port.optional().describe('port of the operations server: metrics, health, readiness; none without it'),
  opsHost: z.string().min(1).default('127.0.0.1').describe('address the operations server listens on'),
  leaseMs: count(300, limits.leaseMsMax)
    .default(1_500)
    .describe('how long a router’s lease on sessions lasts: a dead one is waited for that long, in milliseconds'),
  anchorEveryMs: count(100, 86_400_000).default(5_000).describe('time between two anchors of the log, in milliseconds'),
  checkpointEveryMs: count(limits.checkpointEveryMsMin, limits.checkpointEveryMsMax)
    .default(30_000)
    .describe('how often an oracle looks whether a checkpoint of reputation is due, in milliseconds'),
  sliceMs: count(500, 60_000).default(2_000).describe('how long one oracle leads, in milliseconds'),
  idleRounds: z
    .enum(idleRoundsChoices)
    .default('off')
    .describe('whether a miner, validator or oracle takes part in idle rounds, which cost gas and earn rewards'),
  stake: z
    .string()
    .regex(/^\d{1,12}$/, 'it must be a whole number of $COR')
    .optional()
    .describe('whole $COR to stake where the node is not registered yet; default ten times the minimum of its role'),
  bond: z
    .string()
    .regex(/^\d{1,12}$/, 'it must be a whole number of $COR')
    .optional()
    .describe('whole $COR a router puts down once for the batches it posts, 100 for each that waits; none by default'),
  settlement: z
    .enum(settlements)
    .default('perTask')
    .describe('how the tasks of a client’s sessions are settled: each by itself, or many together in batches'),
  appealWindow: count(0, limits.appealWindowSMax)
    .default(0)
    .describe(
      'seconds in which outcomes of a client’s sessions may be appealed before they are paid for; 0 for no appeal',
    ),
  sessions: count(1, 64).default(1).describe('sessions a client opens, each with a key of its own'),
  acks: z
    .string()
    .optional()
    .describe('file to which every acknowledged commit is written, for tests that look for lost ones'),
  drainMs: count(0, 600_000)
    .default(10_000)
    .describe('how long running work may take to end after SIGTERM, in milliseconds'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least important lines that are written'),
});

/** A node process's configuration, whole. */
export type NodeConfig = z.infer<typeof configSchema>;
/** A name in the configuration. */
export type ConfigName = keyof NodeConfig;

/** One line of the configuration's description. */
export interface ConfigField {
  readonly name: ConfigName;
  readonly flag: string;
  readonly variable: string;
  /** Undefined where there is none. */
  readonly defaultValue: string | number | undefined;
  readonly meaning: string;
  readonly isNumber: boolean;
}

/** Every field, in the order of the schema. */
export function configFields(): ConfigField[] {
  return Object.entries(configSchema.shape).map(([name, field]) => ({
    name: name as ConfigName,
    flag: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    variable: `POUW_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    defaultValue: field.safeParse(undefined).data,
    meaning: field.description ?? '',
    isNumber: isNumeric(field),
  }));
}

/** Whether a field takes any number at all: what comes as text is then read as one. */
function isNumeric(field: z.ZodType): boolean {
  return [1, 2, 500, 32, 1_500, 10_000].some((value) => field.safeParse(value).success);
}
