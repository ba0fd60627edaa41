import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { clientActor } from '../../actors/client/definition.ts';
import { minerActor } from '../../actors/miner/definition.ts';
import { oracleActor } from '../../actors/oracle/definition.ts';
import { routerActor } from '../../actors/router/definition.ts';
import { sessionActor } from '../../actors/session/definition.ts';
import { validatorActor } from '../../actors/validator/definition.ts';
import type { Member } from '../../src/cli/compose/members.ts';
import { hashJson } from '../../src/core/hash.ts';
import { type SessionId, type StreamId, streamId } from '../../src/core/ids.ts';
import type { NodeBase } from '../../src/nodes/node-base.ts';
import { ask, startTestNetwork, type TestNetwork } from './local-network.ts';
import { type Ended, runPouw } from './pouw-process.ts';

/** A stream's state as the node that runs it has it. */
export interface LiveState {
  readonly version: number;
  readonly stateHash: string;
}

/** What a command said with `--json`. */
export interface JsonAnswer {
  readonly code: number | null;
  readonly report: Record<string, unknown>;
}

/** Runs commands of `pouw` with a folder of their own for temporary files. */
export class Commands {
  /** What is left in it was left behind. */
  readonly tmp: string;

  constructor(tmp: string) {
    this.tmp = tmp;
    mkdirSync(tmp);
  }

  run(...args: string[]): Promise<Ended> {
    return runPouw(args, { TMPDIR: this.tmp });
  }

  async json(...args: string[]): Promise<JsonAnswer> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (stdout === '') throw new Error(`pouw ${args.join(' ')} said nothing but ${stderr}`);
    return { code, report: JSON.parse(stdout) as Record<string, unknown> };
  }
}

/** The data of a network that ran some tasks and was stopped, and what was seen while it was up. */
export interface StoppedNetwork {
  readonly commands: Commands;
  /** The data directory. */
  readonly data: string;
  /** Its export, made after the end. */
  readonly exported: string;
  readonly session: SessionId;
  readonly stream: StreamId;
  readonly members: readonly Member[];
  /** The session's state after the first task. */
  readonly afterFirstTask: LiveState;
  /** The last state of an actor of every kind, the session first. */
  readonly states: ReadonlyMap<StreamId, LiveState>;
  /** `log verify`, in the middle of a task, and `replay` of the session after the first task. */
  readonly live: { readonly verify: JsonAnswer; readonly replay: JsonAnswer };
  /** A new copy of the data directory. */
  readonly copyData: () => string;
  /** A new copy of the export. */
  readonly copyExport: () => string;
}

/** Runs three tasks on a real network in a folder, stops it, and exports its log. */
export async function stoppedNetwork(folder: string): Promise<StoppedNetwork> {
  const data = join(folder, 'data');
  const exported = join(folder, 'log.ndjson');
  const commands = new Commands(join(folder, 'tmp'));
  const on = await startTestNetwork(data, { anchorEveryMs: 1_000 });
  const { session } = on.demo;
  const stream = streamId('session', session);
  await ask(on, 'What is a dog?');
  await on.network.settle();
  const afterFirstTask = await sessionState(on);
  const replay = await commands.json('replay', data, '--session', session);
  const task = ask(on, 'Define water.');
  const verify = await commands.json('log', 'verify', data);
  await task;
  await ask(on, 'Hello');
  await on.network.settle();
  const states = await statesOfEveryKind(on);
  await on.network.stop(5_000);
  const { code, stderr } = await commands.run('log', 'export', data, '--out', exported);
  if (code !== 0) throw new Error(`the log was not exported: ${stderr}`);
  return {
    commands,
    data,
    exported,
    session,
    stream,
    members: on.network.members,
    afterFirstTask,
    states,
    live: { verify, replay },
    copyData: () => {
      const copy = mkdtempSync(join(folder, 'data-'));
      cpSync(data, copy, { recursive: true });
      return copy;
    },
    copyExport: () => {
      const copy = join(mkdtempSync(join(folder, 'file-')), 'log.ndjson');
      cpSync(exported, copy);
      return copy;
    },
  };
}

type AnyActor = Parameters<NodeBase['host']['state']>[0];

async function stateOf(base: NodeBase, actor: unknown, stream: StreamId): Promise<LiveState> {
  const { state, version } = await base.host.state(actor as AnyActor, stream);
  return { version, stateHash: hashJson(state) };
}

function sessionState({ network, demo }: TestNetwork): Promise<LiveState> {
  return stateOf(network.leader(demo.session).base, sessionActor, streamId('session', demo.session));
}

async function statesOfEveryKind(on: TestNetwork): Promise<Map<StreamId, LiveState>> {
  const { routers, miners, validators, oracles, client } = on.network;
  const states = new Map([[streamId('session', on.demo.session), await sessionState(on)]]);
  const nodes = [
    [routers[0], routerActor],
    [miners[0], minerActor],
    [validators[0], validatorActor],
    [oracles[0], oracleActor],
    [client, clientActor],
  ] as const;
  for (const [node, actor] of nodes) {
    if (node === undefined) throw new Error(`the network has no ${actor.kind}`);
    const stream = streamId(actor.kind, node.base.identity.address);
    states.set(stream, await stateOf(node.base, actor, stream));
  }
  return states;
}
