import { appealOf } from '../../../actors/client/appeal-list.ts';
import type { ClientContext, ContractContext } from '../../../actors/client/context.ts';
import type { ClientCommand } from '../../../actors/client/decide.ts';
import { clientActor } from '../../../actors/client/definition.ts';
import type {
  AppealOnChain,
  CloseSessionOnChain,
  DepositOnChain,
  OpenSessionOnChain,
  SubmitOnChain,
} from '../../../actors/client/effects.ts';
import type { ChainFact, SessionTerms } from '../../core/chain-fact.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type SessionId, streamId, type TaskId } from '../../core/ids.ts';
import type { Wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { Appellant } from '../appeals/appellant.ts';
import { appealRefusalClasses } from '../appeals/refusals.ts';
import type { FactReader } from '../fact-pump.ts';
import type { WalletOf } from '../front/front.ts';
import { NodeBase } from '../node-base.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';

type Contract = Folded<ContractContext>;
/** What sends a contract's effect: its key, and the request it belongs to. */
interface Sent {
  readonly kind: string;
  readonly key: string;
  readonly request: Hex | null;
}

/** How long a wish may take to be on chain before the caller is told. */
const chainPatienceMs = 60_000;

/** A client with its own wallet: opens sessions, deposits, submits on chain, appeals, closes. */
export class ClientNode implements FactReader, WalletOf {
  readonly base: NodeBase;
  readonly #stream;
  readonly #waiting = new Set<() => void>();
  readonly #appellant: Appellant;
  #latest: Folded<ClientContext> = clientActor.fold.initial;

  constructor(identity: NodeIdentity, ports: NodePorts) {
    this.#stream = streamId('client', identity.address);
    this.#appellant = new Appellant(ports.chain, identity.address);
    this.base = new NodeBase(identity, ports, {
      actors: [clientActor],
      handlers: {
        openSessionOnChain: (effect, context) => {
          const { kind, key, terms, depositWei } = effect as OpenSessionOnChain;
          return this.#send({ kind, key, request: null }, { call: 'openSession', terms, depositWei }, context);
        },
        depositOnChain: (effect, context) => {
          const { kind, key, request, session, amountWei } = effect as DepositOnChain;
          return this.#send({ kind, key, request }, { call: 'deposit', session, amountWei }, context);
        },
        submitOnChain: (effect, context) => {
          const { kind, key, session, requestId, promptDigest, maxTokens, maxPriceWei } = effect as SubmitOnChain;
          return this.#send(
            { kind, key, request: requestId },
            { call: 'submit', session, requestId, promptDigest, maxTokens, maxPriceWei },
            context,
          );
        },
        closeSessionOnChain: (effect, context) => {
          const { kind, key, session } = effect as CloseSessionOnChain;
          return this.#send({ kind, key, request: null }, { call: 'closeSession', session }, context);
        },
        appealOnChain: (effect, context) => this.#appeal(effect as AppealOnChain, context),
      },
      onCommit: (_, state) => {
        this.#latest = state as Folded<ClientContext>;
        for (const look of this.#waiting) look();
      },
    });
  }

  get address(): Address {
    return this.base.identity.address;
  }

  async start(): Promise<void> {
    await this.dispatch({ type: 'StartClient', client: this.address }, 'start');
    this.#latest = (await this.base.host.state(clientActor, this.#stream)).state;
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts)
      await this.dispatch({ type: 'SeeFact', fact }, `chain:${fact.place.txHash}:${fact.place.logIndex}`);
  }

  /** A client's facts come again with the same transactions; its sender sees to that. */
  async onRemoved(): Promise<void> {}

  async stop(graceMs: number): Promise<void> {
    await this.base.stop(graceMs);
  }

  async dispatch(command: ClientCommand, cause: string): Promise<void> {
    await this.base.dispatch(clientActor, this.#stream, command, cause);
  }

  /** The sessions of this wallet that are open. */
  openSessions(): readonly SessionId[] {
    return Object.values(this.#latest.context.sessions).flatMap(({ value, context }) =>
      value === 'open' && context.session !== null ? [context.session] : [],
    );
  }

  /** How many sessions of a model this wallet has had and has no more: numbers the next one. */
  endedSessions(model: string): number {
    return Object.values(this.#latest.context.sessions).filter(
      ({ value, context }) => context.terms?.model === model && ['closing', 'closed', 'failed'].includes(value),
    ).length;
  }

  /** Whether a session was asked for under this request, whatever became of it. */
  hasAsked(request: Hex): boolean {
    return Object.values(this.#latest.context.sessions).some(({ context }) => context.key === request);
  }

  /**
   * Opens a session and waits until the chain has it. The same `request` opens no second one.
   *
   * @throws PouwError `chain_reverted` with the contract's reason, `empty_deposit`, `too_many_sessions`.
   */
  async openSession(request: Hex, terms: SessionTerms, depositWei: Wei): Promise<SessionId> {
    await this.dispatch({ type: 'OpenSession', request, terms, depositWei }, `request:${request}`);
    const contract = await this.#until(request, ({ value, context }) => context.session !== null || value === 'failed');
    if (contract.context.session !== null) return contract.context.session;
    const { code, reason } = contract.context.failure ?? { code: 'session_not_opened', reason: 'unknown' };
    throw new PouwError(code, `The session was not opened: ${reason}`, { class: 'invalid' });
  }

  /**
   * Deposits and waits until the chain has it. The same `request` deposits nothing again.
   *
   * @returns whether it was a new one.
   * @throws PouwError `insufficient_cor`, `request_id_reused`, `session_not_found`.
   */
  async deposit(session: SessionId, amountWei: Wei, request = this.base.ports.random.bytes32()): Promise<boolean> {
    const isKnown = Object.values(this.#latest.context.sessions).some(({ context }) =>
      context.deposits.some((one) => one.request === request),
    );
    await this.dispatch({ type: 'Deposit', session, request, amountWei }, `request:${request}`);
    const find = ({ context }: Contract): string | undefined =>
      context.deposits.find((one) => one.request === request)?.state;
    const contract = await this.#until(this.#keyOf(session), (one) => find(one) !== 'requested');
    if (find(contract) === 'failed') {
      throw new PouwError('insufficient_cor', `The wallet ${this.address} could not deposit ${amountWei} wei.`, {
        class: 'payment',
        hint: 'Send it $COR first.',
      });
    }
    return !isKnown;
  }

  /**
   * Appeals the outcome of a task of one of its sessions, and waits until the chain has it.
   *
   * @throws PouwError `not_appealable`, `appeal_too_late`, `already_appealed`, `insufficient_cor`, `session_not_found`.
   */
  async appeal(session: SessionId, task: TaskId): Promise<void> {
    await this.dispatch({ type: 'AppealOutcome', session, task }, `appeal:${task}`);
    const find = ({ context }: Contract) => appealOf(context, task);
    const contract = await this.#until(this.#keyOf(session), (one) => find(one)?.state !== 'requested');
    const failure = find(contract)?.failure;
    if (failure === undefined || failure === null) return;
    throw new PouwError(failure.code, failure.reason, { class: appealRefusalClasses[failure.code] ?? 'conflict' });
  }

  async close(session: SessionId): Promise<void> {
    await this.dispatch({ type: 'CloseSession', session }, `close:${session}`);
    await this.#until(this.#keyOf(session), ({ value }) => value !== 'closing');
  }

  holds(session: SessionId): boolean {
    return Object.values(this.#latest.context.sessions).some(({ context }) => context.session === session);
  }

  /**
   * Lets whoever has an HTTP key use a session, by telling the router that owns it.
   *
   * @throws PouwError what the last router that was asked answered.
   */
  async bindKey(session: SessionId, keyHash: string): Promise<void> {
    const contract = Object.values(this.#latest.context.sessions).find(({ context }) => context.session === session);
    let refusal: unknown;
    for (const router of contract?.context.terms?.routers ?? []) {
      try {
        await this.base.command('router', router, 'bind-key', `bind:${session}:${keyHash}`, { session, keyHash });
        return;
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  async #appeal({ kind, key, task }: AppealOnChain, { id }: EffectContext): Promise<void> {
    try {
      await this.#appellant.appeal(task, id);
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'chain_reverted' && !(code in appealRefusalClasses)) throw error;
      const request = task as string as Hex;
      await this.dispatch({ type: 'EffectFailed', effect: kind, key, request, code, reason: errorMessage(error) }, id);
    }
  }

  #keyOf(session: SessionId): string {
    const found = Object.entries(this.#latest.context.sessions).find(([, { context }]) => context.session === session);
    if (found === undefined)
      throw new PouwError('session_not_found', `The wallet has no session ${session}.`, { class: 'not-found' });
    return found[0];
  }

  async #until(key: string, test: (contract: Contract) => boolean): Promise<Contract> {
    const { clock } = this.base.ports;
    const limit = clock.now() + chainPatienceMs;
    for (;;) {
      const contract = Object.values(this.#latest.context.sessions).find(({ context }) => context.key === key);
      if (contract !== undefined && test(contract)) return contract;
      if (clock.now() >= limit)
        throw new PouwError('chain_slow', 'The chain has not taken the transaction yet.', {
          class: 'timeout',
          hint: 'It is tried on; look again later.',
        });
      this.base.stopping.throwIfAborted();
      await this.#change(limit);
    }
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.base.ports.clock.at(limitMs, done);
      this.#waiting.add(done);
    });
  }

  async #send({ kind, key, request }: Sent, call: ChainCall, { id }: EffectContext): Promise<void> {
    try {
      const { facts } = await this.base.send(call, id);
      // The receipt says which request its facts answer; the follower brings them again without that.
      for (const fact of facts) await this.dispatch({ type: 'SeeFact', fact, request: (request ?? key) as Hex }, id);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      await this.dispatch(
        { type: 'EffectFailed', effect: kind, key, request, code: 'chain_reverted', reason: errorMessage(error) },
        id,
      );
    }
  }
}
