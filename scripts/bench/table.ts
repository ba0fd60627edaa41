import { append } from './append.ts';
import { bus } from './bus.ts';
import { cluster } from './cluster.ts';
import { content } from './content.ts';
import { devices } from './devices.ts';
import type { Figure } from './figure.ts';
import { gas } from './gas.ts';
import { gateway } from './gateway.ts';
import { natsLog } from './nats-log.ts';
import { natsSessions } from './nats-sessions.ts';
import { openTasks } from './open-tasks.ts';
import { replay } from './replay.ts';
import { sessions } from './sessions.ts';
import { similarity } from './similarity.ts';
import { scheduling } from './scheduling.ts';
import { settlement } from './settlement.ts';
import { tasks } from './tasks.ts';
import { tokens } from './tokens.ts';

/** Every figure, in the order in which they are printed. */
export const figures: readonly Figure[] = [
  append,
  replay,
  openTasks,
  tasks,
  scheduling,
  settlement,
  tokens,
  sessions,
  gas,
  gateway,
  bus,
  natsLog,
  natsSessions,
  cluster,
  content,
  similarity,
  devices,
];
