import { isPast } from '../../actors/session/chain-memory.ts';
import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionCommand } from '../../actors/session/decide.ts';
import { sessionActor } from '../../actors/session/definition.ts';
import { endedUnsent, taskOf } from '../../actors/session/tasks.ts';
import type { ChainFact, ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { addWei, lessWei, subWei, type Wei, wei, zeroWei } from '../../src/core/wei.ts';
import { ActorRun, type Told } from './actor-run.ts';
import { alice, bytes32, client, genesisAt, prompt, router, session, terms, vera } from './chain-facts.ts';

/** What a transaction of the model says; it says the same in whatever block it is. */
interface Transaction {
  readonly number: number;
  readonly says: readonly ChainFactBody[];
}

interface Block {
  readonly number: number;
  readonly fork: number;
  readonly transactions: readonly Transaction[];
}

/** The money of the session, as the contract has it. */
export type ChainMoney = Pick<SessionContext['money'], 'depositedWei' | 'balanceWei' | 'escrowedWei' | 'paidWei'>;

const escrowWei = wei(50);
const priceWei = wei(30);
const oneMiner = { ...terms, redundancy: 1, routers: [router] };

/** A small chain that keeps the contract's rules, and a session that hears of it as a router's session does. */
export class SessionOnChain {
  readonly run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  readonly #blocks: Block[] = [];
  readonly #wishes = new Set<number>();
  #transactions = 0;
  #fork = 0;
  #isDeaf = false;

  constructor() {
    this.run.checksJson = false;
    this.#mine({ type: 'SessionOpened', session, client, terms: oneMiner });
    this.deposit(1_000);
  }

  /** What the contract has, from all that stands. */
  money(): ChainMoney {
    let money: ChainMoney = { depositedWei: zeroWei, balanceWei: zeroWei, escrowedWei: zeroWei, paidWei: zeroWei };
    for (const said of this.#says()) money = moneyAfter(money, said);
    return money;
  }

  deposit(amount: number): void {
    this.#mine({ type: 'SessionDeposited', session, from: client, amountWei: wei(amount) });
  }

  /** The client submits; the contract refuses a used id and what is not covered. */
  submit(number: number, by = client): void {
    const requestId = bytes32(number);
    const task = taskId(session, requestId);
    if (this.#saysOf(task).length > 0 || lessWei(this.money().balanceWei, escrowWei)) return;
    const asked = { promptDigest: cidToDigest(prompt), maxTokens: 16, maxPriceWei: escrowWei };
    this.#mine({ type: 'TaskSubmitted', session, task, requestId, by, ...asked });
  }

  cancel(number: number): void {
    const task = taskId(session, bytes32(number));
    if (this.#saysOf(task).length !== 1) return;
    this.#mine({ type: 'TaskRefunded', session, task, returnedWei: escrowWei, reason: 'cancelled' });
  }

  /** The next step of a task on its way to its settlement. */
  advance(number: number): void {
    const task = taskId(session, bytes32(number));
    const says = this.#saysOf(task);
    const next = says.some(({ type }) => type === 'TaskRefunded') ? undefined : life(task)[says.length - 1];
    if (next !== undefined) this.#mine(next);
  }

  /** Every step of a task that is left. */
  finish(number: number): void {
    const { length } = life(taskId(session, bytes32(number)));
    for (let step = 0; step < length; step += 1) this.advance(number);
  }

  /** A router submits in the client's name, without asking whether the id was used. */
  wish(number: number): void {
    const request = { requestId: bytes32(number), by: router, prompt, promptTokens: 18, maxTokens: 16 };
    const told = this.run.tell({ type: 'SubmitTask', ...request, maxPriceWei: null, onChain: null });
    if (told.events.length > 0) this.#wishes.add(number);
  }

  /** The router's effects of the wishes are tried once. */
  tryWishes(): void {
    for (const number of this.#wishes) {
      const task = taskId(session, bytes32(number));
      const block = this.#blockOf(task);
      if (!this.#isWaiting(task)) this.#wishes.delete(number);
      else if (block !== undefined) this.run.tell({ type: 'SeeTaskExists', task, submittedBlock: block });
      else if (lessWei(this.money().balanceWei, escrowWei)) this.#refuse(task);
      else this.submit(number, router);
    }
  }

  /** The chain refuses the wishes, for whatever reason. */
  refuseWishes(): void {
    for (const number of this.#wishes) this.#refuse(taskId(session, bytes32(number)));
  }

  /** Wishes that neither came onto the chain nor to nothing. */
  get waiting(): number {
    this.tryWishes();
    return this.#wishes.size;
  }

  /** The newest blocks go, and their transactions come again: one block each or few of many, after some empty ones. */
  reorg(depth: number, isPacked: boolean, empty: number): void {
    const fallen = this.#blocks.splice(Math.max(2, this.#blocks.length - depth));
    const first = fallen[0];
    if (first === undefined) return;
    for (const fact of fallen.flatMap(factsOf).toReversed()) this.run.tell({ type: 'UnseeFact', fact });
    this.#fork += 1;
    const transactions = fallen.flatMap((block) => block.transactions);
    const groups: Transaction[][] = [];
    for (const transaction of transactions) {
      // An assignment names a block after the submission's, so these two are never in one block.
      const isFirst = groups.length === 0 || transaction.says.some(({ type }) => type === 'MinersAssigned');
      if (!isPacked || isFirst) groups.push([transaction]);
      else groups.at(-1)?.push(transaction);
    }
    groups.forEach((group, index) => this.#add(first.number + empty + index, group));
  }

  /** A client's block that a reorg takes away before its session has heard of it; its transaction comes again. */
  reorgUnheard(number: number): void {
    this.#isDeaf = true;
    this.submit(number);
    this.#isDeaf = false;
    this.reorg(1, false, 1);
  }

  /** The chain is read again from one of its blocks, as after a start with an old cursor. */
  tellAgain(from: number): void {
    for (const fact of this.#blocks.slice(from % this.#blocks.length).flatMap(factsOf)) this.#tell(fact);
  }

  #mine(said: ChainFactBody): void {
    this.#transactions += 1;
    this.#add((this.#blocks.at(-1)?.number ?? 0) + 1, [{ number: this.#transactions, says: [said] }]);
  }

  #add(number: number, transactions: readonly Transaction[]): void {
    const block = { number, fork: this.#fork, transactions };
    this.#blocks.push(block);
    if (!this.#isDeaf) for (const fact of factsOf(block)) this.#tell(fact);
  }

  /** As a router tells its session: in order, and again until it is taken. */
  #tell(fact: ChainFact): void {
    for (let tries = 0; ; tries += 1) {
      const { rejection } = this.#tellOnce(fact);
      if (rejection === undefined) return;
      if (rejection.code !== 'balance_reserved' || tries > 0)
        throw new Error(`${fact.type} in block ${fact.place.block}: ${rejection.code}`);
      // What is set aside is no longer on chain: there the wishes are refused.
      this.refuseWishes();
    }
  }

  #tellOnce(fact: ChainFact): Pick<Told, 'rejection'> {
    if (!('task' in fact)) return this.run.tell({ type: 'SeeSessionFact', fact } as SessionCommand);
    const { context } = this.run.state;
    const known = taskOf(context, fact.task);
    const isNews = fact.type === 'TaskSubmitted' && (known === undefined || endedUnsent(known));
    if (!isNews) return this.run.tell({ type: 'SeeTaskFact', fact });
    if (isPast(context, fact.place.block)) return { rejection: undefined };
    const { requestId, by, maxTokens, maxPriceWei, place } = fact;
    const onChain = { escrowWei: maxPriceWei, place };
    const asked = { requestId, by, prompt, promptTokens: 0, maxTokens, maxPriceWei: null };
    return this.run.tell({ type: 'SubmitTask', ...asked, onChain });
  }

  #refuse(task: TaskId): void {
    const why = { code: 'chain_reverted', reason: 'InsufficientBalance' };
    this.run.tell({ type: 'TaskEffectFailed', task, effect: 'submitOnChain', ...why });
  }

  #isWaiting(task: TaskId): boolean {
    const known = taskOf(this.run.state.context, task);
    return known?.value === 'queued' && known.context.submittedBlock === 0;
  }

  #blockOf(task: TaskId): number | undefined {
    return this.#blocks.flatMap(factsOf).find((fact) => fact.type === 'TaskSubmitted' && fact.task === task)?.place
      .block;
  }

  #says(): ChainFactBody[] {
    return this.#blocks.flatMap(({ transactions }) => transactions.flatMap(({ says }) => says));
  }

  #saysOf(task: TaskId): ChainFactBody[] {
    return this.#says().filter((said) => 'task' in said && said.task === task);
  }
}

function factsOf({ number, fork, transactions }: Block): ChainFact[] {
  const blockHash = bytes32(1_000_000 + fork * 10_000 + number);
  return transactions.flatMap(({ number: hash, says }, logIndex) =>
    says.map((said) => {
      const blockAt = genesisAt + number * 1_000;
      return { ...said, place: { block: number, blockHash, blockAt, txHash: bytes32(hash), logIndex } };
    }),
  );
}

/** What the chain says of a task of one miner after its submission, when all goes well. */
function life(task: TaskId): ChainFactBody[] {
  const of = { session, task } as const;
  const selection = { beaconBlock: 1, beacon: bytes32(2), selectionDigest: bytes32(3), ackBy: genesisAt };
  const result = { resultRoot: bytes32(5), resultDigest: bytes32(6) };
  const verdict = { winner: alice, honest: [alice], promptTokens: 5, outputTokens: 9, reportDigest: bytes32(7) };
  const paid = { priceWei, returnedWei: subWei(escrowWei, priceWei), payments: [], manifestDigest: bytes32(8) };
  return [
    { type: 'MinersAssigned', ...of, miners: [alice], validators: [vera], ...selection },
    { type: 'TaskAcked', ...of, miner: alice, precommitBy: genesisAt },
    { type: 'TaskPrecommitted', ...of, miner: alice, hash: bytes32(4) },
    { type: 'AllPrecommitted', ...of, revealBy: genesisAt },
    { type: 'TaskRevealed', ...of, miner: alice, ...result },
    { type: 'AllRevealed', ...of, attestBy: genesisAt },
    { type: 'ResultValidated', ...of, ...verdict },
    { type: 'TaskSettled', ...of, ...paid },
  ];
}

function moneyAfter(money: ChainMoney, said: ChainFactBody): ChainMoney {
  const { depositedWei, balanceWei, escrowedWei, paidWei } = money;
  const back = (returnedWei: Wei, leavesWei: Wei): Pick<ChainMoney, 'balanceWei' | 'escrowedWei'> => ({
    balanceWei: addWei(balanceWei, returnedWei),
    escrowedWei: subWei(escrowedWei, leavesWei),
  });
  switch (said.type) {
    case 'SessionDeposited':
      return {
        ...money,
        depositedWei: addWei(depositedWei, said.amountWei),
        balanceWei: addWei(balanceWei, said.amountWei),
      };
    case 'TaskSubmitted':
      return {
        ...money,
        balanceWei: subWei(balanceWei, said.maxPriceWei),
        escrowedWei: addWei(escrowedWei, said.maxPriceWei),
      };
    case 'TaskRefunded':
      return { ...money, ...back(said.returnedWei, said.returnedWei) };
    case 'TaskSettled':
      return {
        ...money,
        ...back(said.returnedWei, addWei(said.returnedWei, said.priceWei)),
        paidWei: addWei(paidWei, said.priceWei),
      };
    default:
      return money;
  }
}
