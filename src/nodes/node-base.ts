import { z } from 'zod';
import type { Commit } from '../core/commit.ts';
import { errorCode, errorMessage, PouwError } from '../core/errors.ts';
import type { Folded } from '../core/fold.ts';
import { type Address, type EffectId, parseStreamId, type Role, type StreamId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { heartbeatSubject, type CommandVerb, commandSubject } from '../messages/subjects.ts';
import type { HeartbeatBody } from '../messages/bodies.ts';
import {
  decodeReply,
  encodeReply,
  openMessage,
  type Opened,
  refusalError,
  type Reply,
  refusalOf,
  sealMessage,
} from '../messages/envelope.ts';
import { limits } from '../core/limits.ts';
import type { BusMessage, SenderBound } from '../ports/bus.ts';
import type { ChainCall, ChainReceipt } from '../ports/chain.ts';
import type { Subscription } from '../ports/event-store.ts';
import { withFields } from '../ports/log.ts';
import type { ActorDefinition, DispatchResult, EffectHandler } from '../runtime/actor.ts';
import type { EffectFailure } from '../runtime/effect-runner.ts';
import { Host } from '../runtime/host.ts';
import type { NodeWatcher } from './node-watch.ts';
import { LinesPerSecond } from './lines-per-second.ts';
import type { NodeIdentity, NodePorts } from './ports.ts';

/** How long a command to another node may take to be answered. */
export const commandTimeoutMs = 2_000;
/** How often a node says that it lives. */
export const heartbeatMs = 500;

/** What a node adds to the base. */
export interface NodeSpec {
  // oxlint-disable-next-line typescript/no-explicit-any -- definitions of different contexts and commands live in one table.
  readonly actors: readonly ActorDefinition<any, any>[];
  readonly handlers: Readonly<Record<string, EffectHandler>>;
  readonly onCommit?: (commit: Commit, state: Folded<unknown>) => void;
  /** Under which fence its streams are written; see `HostOptions.fenceOf`. */
  readonly fenceOf?: (stream: StreamId) => number | null;
}

/** How to listen to signed messages. */
export interface ListenOptions {
  /** What is taken of one sender. */
  readonly perSender: Pick<SenderBound, 'perS' | 'atOnce'>;
  /**
   * Whether a message is to be read now. Who says no keeps it until it may be expected and then calls `again`, or drops
   * it. Throws the error that a message is dropped with before its signature is checked.
   */
  readonly mayExpect?: (message: BusMessage, again: () => void) => boolean;
}

/** What every node does alike: hosts its actors, speaks signed messages, beats its heart, sends transactions. */
export class NodeBase {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  readonly host: Host;
  /** Messages that were dropped, by the code that says why. */
  readonly dropped = new Map<string, number>();
  readonly #dropLog = new LinesPerSecond(limits.droppedLogLinesPerS);
  readonly #subscriptions = new Set<Subscription>();
  readonly #stop = new AbortController();
  readonly #watcher: NodeWatcher | undefined;

  constructor(identity: NodeIdentity, ports: NodePorts, spec: NodeSpec) {
    const { role, address } = identity;
    this.identity = identity;
    this.ports = { ...ports, log: withFields(ports.log, { role, node: address }) };
    const watcher = ports.watch?.begin(identity, () => this.host.load());
    this.#watcher = watcher;
    this.host = new Host({
      author: identity.address,
      signer: identity.signer,
      store: ports.store,
      snapshots: ports.snapshots,
      journal: ports.journal,
      clock: ports.clock,
      random: ports.random,
      actors: spec.actors,
      handlers: watcher === undefined ? spec.handlers : watched(spec.handlers, watcher),
      ...(spec.fenceOf === undefined ? {} : { fenceOf: spec.fenceOf }),
      onCommit: (commit, state) => {
        spec.onCommit?.(commit, state);
        watcher?.committed(commit, state);
      },
      onFailure: (failure) => this.#failed(failure),
    });
  }

  /** Aborted when the node stops. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Dispatches a command to one of this node's actors; a refusal becomes an error with its code. */
  async dispatch<Context, Command>(
    actor: ActorDefinition<Context, Command>,
    stream: StreamId,
    command: Command,
    cause: string,
  ): Promise<Folded<Context>> {
    const run = (): Promise<DispatchResult<Context>> => this.host.dispatch(actor, stream, command, cause);
    const result = await (this.#watcher === undefined ? run() : this.#watcher.command(stream, command, cause, run));
    if (result.ok) return result.state;
    const { code, message, class: kind, hint, details } = result.rejection;
    throw new PouwError(code, message, {
      class: kind,
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    });
  }

  /** Sends a call from this node's account. */
  send(call: ChainCall, id: EffectId): Promise<ChainReceipt> {
    return this.ports.chain.send(this.identity.address, call, id);
  }

  /**
   * Asks another node to do something; its refusal becomes a PouwError with the code it gave, for the sender to try again
   * whatever it was.
   *
   * @throws PouwError `no_responders`, `request_timeout` or the other node's code.
   */
  async command(role: Role, node: Address, verb: CommandVerb, id: string, body: JsonObject): Promise<void> {
    const reply = await this.#request(commandSubject(role, node, verb, this.identity.address), id, body);
    if (!reply.ok) throw new PouwError(reply.code, reply.message, { class: 'unavailable' });
  }

  /**
   * Asks another node for something; its refusal becomes a PouwError that says all that the other's said.
   *
   * @throws PouwError `no_responders`, `request_timeout`, `message_malformed` or the other node's.
   */
  async ask<Answer>(
    role: Role,
    node: Address,
    verb: CommandVerb,
    id: string,
    body: JsonObject,
    schema: z.ZodType<Answer>,
  ): Promise<Answer> {
    const subject = commandSubject(role, node, verb, this.identity.address);
    const reply = await this.#request(subject, id, body);
    if (!reply.ok) throw refusalError(reply);
    const parsed = schema.safeParse(reply.value ?? {});
    if (parsed.success) return parsed.data;
    throw new PouwError('message_malformed', `The answer on ${subject} does not fit its schema.`, {
      class: 'invalid',
      why: z.prettifyError(parsed.error),
    });
  }

  async #request(subject: string, id: string, body: JsonObject): Promise<Reply> {
    const message = sealMessage(subject, id, this.identity.address, body, this.identity.signer);
    const options = { timeoutMs: commandTimeoutMs, signal: this.stopping };
    return decodeReply(subject, await this.ports.bus.request(subject, message, options));
  }

  /**
   * Takes one kind of command from active nodes of a role, or of several, and answers with what `handle` gives, or with its refusal.
   *
   * @param options.isAlone whether the next command waits for the one before it (default); else `handle` has to bound
   *   how many it has in hand.
   */
  onCommand<Body>(
    verb: CommandVerb,
    from: Role | readonly Role[],
    schema: z.ZodType<Body>,
    handle: (message: Opened<Body>) => Promise<JsonObject | void>,
    { isAlone = true }: { readonly isAlone?: boolean } = {},
  ): void {
    const fromRoles = typeof from === 'string' ? [from] : from;
    const answer = async (opened: Opened<Body>, message: BusMessage): Promise<void> => {
      try {
        if (!message.subject.endsWith(`.${opened.from}`))
          throw new PouwError('sender_not_allowed', `${opened.from} asks as somebody else.`, { class: 'forbidden' });
        if (!fromRoles.some((one) => this.ports.directory.isActive(opened.from, one))) {
          const wanted = fromRoles.join(' or ');
          throw new PouwError('sender_not_allowed', `${opened.from} is no active ${wanted}.`, { class: 'forbidden' });
        }
        const value = await handle(opened);
        message.respond(encodeReply(value === undefined ? { ok: true } : { ok: true, value }));
      } catch (error) {
        message.respond(encodeReply(refusalOf(error)));
      }
    };
    const { role, address } = this.identity;
    const handler = (opened: Opened<Body>, message: BusMessage): Promise<void> | undefined => {
      const answered = answer(opened, message);
      if (isAlone) return answered;
      answered.catch((error: unknown) =>
        this.ports.log.warn('a command was not answered', { subject: message.subject, error: errorMessage(error) }),
      );
      return undefined;
    };
    const { commandsPerS: perS, commandsAtOnceMax: atOnce } = limits;
    this.listen(commandSubject(role, address, verb, '*'), schema, handler, { perSender: { perS, atOnce } });
  }

  /**
   * Subscribes to signed messages; those that fail schema or signature are dropped, counted and answered. What one sender
   * sends beyond its bound is dropped and counted unread, and so is what `mayExpect` does not: a look at the subject costs
   * less than a signature.
   */
  listen<Body>(
    subject: string,
    schema: z.ZodType<Body>,
    handle: (opened: Opened<Body>, message: BusMessage) => Promise<void> | void,
    { perSender, mayExpect = () => true }: ListenOptions,
  ): Subscription {
    const take = async (message: BusMessage): Promise<void> => {
      let opened: Opened<Body>;
      try {
        if (!mayExpect(message, () => void take(message))) return;
        opened = openMessage(schema, message.subject, message.data, this.ports.directory.keyOf);
      } catch (error) {
        this.drop(errorCode(error), message.subject, error);
        message.respond(encodeReply(refusalOf(error)));
        return;
      }
      await handle(opened, message);
    };
    const onExcess = (sender: string, excess: number): void =>
      this.drop('sender_excess', subject, `${excess} messages of ${sender} beyond what is taken of one`, excess);
    const onShutOut = (sender: string): void =>
      this.ports.log.warn('a sender floods and is shut out', { subject, sender, forMs: limits.busShutOutMs });
    const known = (): Iterable<string> => this.ports.directory.addresses();
    const bound = { ...perSender, onExcess, onShutOut, known };
    const subscription = this.ports.bus.subscribe(subject, take, { perSender: bound });
    this.#subscriptions.add(subscription);
    return {
      close: async () => {
        this.#subscriptions.delete(subscription);
        await subscription.close();
      },
    };
  }

  /** Counts messages that are not acted upon. Of many in a second only some are logged, so that none fills the disk. */
  drop(code: string, subject: string, error: unknown, messages = 1): void {
    this.dropped.set(code, (this.dropped.get(code) ?? 0) + messages);
    // What is beyond a sender's bound, the bus has counted.
    if (code !== 'sender_excess') this.#watcher?.dropped(code, subject);
    const unlogged = this.#dropLog.next(this.ports.clock.now());
    if (unlogged === undefined) return;
    const before = unlogged === 0 ? {} : { unlogged };
    this.ports.log.warn('a message was dropped', { subject, code, error: errorMessage(error), ...before });
  }

  /** Publishes a signed message. @returns what was sent. */
  publish(subject: string, id: string, body: JsonObject): Uint8Array {
    const message = sealMessage(subject, id, this.identity.address, body, this.identity.signer);
    this.ports.bus.publish(subject, message);
    return message;
  }

  /** Beats until the node stops. @returns what beats at once, for news that others should not have to wait for. */
  startHeartbeat(body: () => Omit<HeartbeatBody, 'at' | 'role'>): () => void {
    const { role, address } = this.identity;
    const subject = heartbeatSubject(role, address);
    const { clock } = this.ports;
    let count = 0;
    const say = (): void => void this.publish(subject, `hb:${count++}`, { ...body(), role, at: clock.now() });
    const beat = async (): Promise<void> => {
      while (!this.stopping.aborted) {
        say();
        await clock.sleep(heartbeatMs, this.stopping).catch(() => undefined);
      }
    };
    beat().catch((error: unknown) => this.ports.log.error('the heartbeat stopped', { error: errorMessage(error) }));
    return say;
  }

  /** Stops listening, lets effects end, then stops. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort(new PouwError('node_stopping', 'The node stops.', { class: 'unavailable' }));
    const open = [...this.#subscriptions];
    this.#subscriptions.clear();
    await Promise.all(open.map((subscription) => subscription.close()));
    await this.host.stop(graceMs);
    await this.#watcher?.end();
  }

  /** Stops at once, as if the process had died: nothing is handed over. For tests and simulations. */
  async kill(): Promise<void> {
    await this.stop(0);
  }

  #failed(failure: EffectFailure): void {
    const { id, kind, attempt, code, error, retryInMs, task } = failure;
    this.#watcher?.failed(failure);
    const { kind: actor, key } = parseStreamId(id.slice(0, id.indexOf(':')) as StreamId);
    const session = actor === 'session' ? key : undefined;
    const fields = { id, kind, session, task, attempt, code, error: errorMessage(error), retryInMs };
    this.ports.log.warn('an effect failed', fields);
  }
}

function watched(
  handlers: Readonly<Record<string, EffectHandler>>,
  watcher: NodeWatcher,
): Readonly<Record<string, EffectHandler>> {
  const entries = Object.entries(handlers).map(([kind, handle]): [string, EffectHandler] => [
    kind,
    (effect, context) => watcher.effect(effect, context, () => handle(effect, context)),
  ]);
  return Object.fromEntries(entries);
}
