import { createPublicClient, formatTransactionReceipt, http, type PublicClient } from 'viem';
import { accountOfKey } from '../../src/adapters/chain/accounts.ts';
import { encodeCall, type PlainCall } from '../../src/adapters/chain/calls.ts';
import { openDataDir } from '../../src/adapters/local/data-dir.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openPinoLog } from '../../src/adapters/pino/pino-log.ts';
import { composeChain } from '../../src/cli/compose/chain.ts';
import { type Member, membersOf } from '../../src/cli/compose/members.ts';
import { defaultCounts, defaultTerms, demoDepositWei } from '../../src/cli/compose/settings.ts';
import { present } from '../../src/core/assert.ts';
import { type Hex, keccak256, sha256 } from '../../src/core/hash.ts';
import { type Address, type EffectId, type Role, type SessionId, type TaskId, taskId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key-ring.ts';
import { limits } from '../../src/core/limits.ts';
import { precommitHash } from '../../src/core/precommit.ts';
import type { WeightedNode } from '../../src/core/selection.ts';
import { wei } from '../../src/core/wei.ts';
import type { Deployment } from '../../src/ports/chain.ts';

/** An anvil of the same kind as the network's, with the same contracts, nodes and session. */
export interface BareChain {
  readonly transactionsPerTask: number;
  /** Takes tasks through all their contract calls, so many at a time; tells the milliseconds each took. */
  run(tasks: number, concurrency: number, onTask: (ms: number) => void): Promise<void>;
  close(): Promise<void>;
}

/** More than any call of a task uses, so that none has to be estimated. */
const gas = 600_000n;
const fees = { maxFeePerGas: 20_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };

/** Sets the chain up as `pouw start` does; from then on only viem and the calls themselves are between us and it. */
export async function openBareChain(directory: string, redundancy: number): Promise<BareChain> {
  const data = openDataDir(directory);
  const log = openPinoLog({ to: data.file('bare.log'), level: 'warn', clock: systemClock });
  const keys = new KeyRing(`0x${sha256('pouw/bench/bare')}`);
  const members = membersOf(keys, defaultCounts);
  const composed = await composeChain({
    data,
    rpcUrl: undefined,
    deployerKey: keys.account('deployer', 0),
    members,
    isLogEmpty: true,
    log,
    onStep: () => undefined,
  });
  const { chain, rpcUrl } = composed;
  const routers = of(members, 'router').map(({ address }) => address);
  const terms = defaultTerms('bare', routers, { redundancy });
  const client = present(of(members, 'client')[0], 'the client');
  const opened = await chain.send(
    client.address,
    { call: 'openSession', terms, depositWei: demoDepositWei },
    'bench:open:0' as EffectId,
  );
  const session = present(
    opened.facts.find((fact) => fact.type === 'SessionOpened'),
    'the session',
  ).session;
  const bare = new BareTasks(rpcUrl, chain.deployment, members, session, redundancy);
  return {
    transactionsPerTask: bare.transactionsPerTask,
    run: (tasks, concurrency, onTask) => bare.run(tasks, concurrency, onTask),
    close: async () => {
      await composed.stop();
      await log.close();
      data.close();
    },
  };
}

function of(members: readonly Member[], role: Role): Member[] {
  return members.filter((member) => member.role === role);
}

function weighed(node: Address): WeightedNode {
  return { node, weight: 1_000_000 };
}

/** The calls of tasks, with nothing around them: no log, no effects, no messages, no model. */
class BareTasks {
  readonly transactionsPerTask: number;
  readonly #client: PublicClient;
  readonly #deployment: Deployment;
  readonly #session: SessionId;
  readonly #router: BareSender;
  readonly #miners: readonly BareSender[];
  readonly #validators: readonly BareSender[];
  readonly #redundancy: number;
  #tasks = 0;

  constructor(
    rpcUrl: string,
    deployment: Deployment,
    members: readonly Member[],
    session: SessionId,
    redundancy: number,
  ) {
    this.#client = createPublicClient({ transport: http(rpcUrl, { retryCount: 0 }) });
    this.#deployment = deployment;
    this.#session = session;
    this.#redundancy = redundancy;
    const senders = (role: Role): BareSender[] =>
      of(members, role).map((member) => new BareSender(this.#client, deployment, member));
    this.#router = present(senders('router')[0], 'a router');
    this.#miners = senders('miner');
    this.#validators = senders('validator');
    this.transactionsPerTask = 3 + 3 * redundancy + this.#validators.length;
  }

  async run(tasks: number, concurrency: number, onTask: (ms: number) => void): Promise<void> {
    let left = tasks;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const startedAt = performance.now();
        await this.#one();
        onTask(performance.now() - startedAt);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  async #one(): Promise<void> {
    this.#tasks += 1;
    const requestId = keccak256(`bare/${this.#tasks}`);
    const task = taskId(this.#session, requestId);
    const submitted = await this.#router.send({
      call: 'submit',
      session: this.#session,
      requestId,
      promptDigest: requestId,
      maxTokens: 64,
      maxPriceWei: wei(10n ** 18n),
    });
    const beacon = await this.#blockAfter(submitted);
    const first = this.#tasks % this.#miners.length;
    const miners = Array.from({ length: this.#redundancy }, (_, slot) =>
      present(this.#miners[(first + slot) % this.#miners.length], 'a miner'),
    );
    const addresses = miners.map(({ address }) => address);
    const validators = this.#validators.map(({ address }) => address);
    await this.#router.send({
      call: 'assign',
      task,
      scheme: 'first-come',
      miners: addresses.map(weighed),
      validators: validators.toSorted().map(weighed),
      lane: this.#tasks % limits.sessionLanesMax,
      beaconBlock: beacon.number,
      beacon: beacon.hash,
      selectionDigest: requestId,
    });
    await Promise.all(miners.map((miner) => miner.send({ call: 'ack', task })));
    const resultRoot = requestId;
    const salt = requestId;
    await Promise.all(
      miners.map((miner) =>
        miner.send({ call: 'precommit', task, hash: this.#precommit(task, miner.address, resultRoot, salt) }),
      ),
    );
    await Promise.all(
      miners.map((miner) => miner.send({ call: 'reveal', task, resultRoot, salt, resultDigest: requestId })),
    );
    const verdict = {
      winner: present(addresses[0], 'a winner'),
      honest: addresses,
      promptTokens: 10,
      outputTokens: 20,
      reportDigest: requestId,
    };
    await Promise.all(this.#validators.map((validator) => validator.send({ call: 'attest', task, ...verdict })));
    await this.#router.send({ call: 'settle', task, manifestDigest: requestId });
  }

  #precommit(task: TaskId, miner: Address, resultRoot: Hex, salt: Hex): Hex {
    const { chainId, queue } = this.#deployment;
    return precommitHash({
      chainId,
      queueContract: queue,
      session: this.#session,
      task,
      step: 0,
      attempt: 0,
      miner,
      resultRoot,
      salt,
    });
  }

  /** The contract wants a block after the submission; where there is none yet, one is made, as our own node does. */
  async #blockAfter(number: bigint): Promise<{ number: number; hash: Hex }> {
    if ((await this.#client.getBlockNumber({ cacheTime: 0 })) <= number)
      await this.#client.request({ method: 'evm_mine' } as never);
    const block = await this.#client.getBlock({ blockNumber: number + 1n });
    return { number: Number(block.number), hash: present(block.hash, 'a hash') };
  }
}

/** One account: one transaction at a time with a local nonce, which is all that anvil bears. */
class BareSender {
  readonly address: Address;
  readonly #client: PublicClient;
  readonly #deployment: Deployment;
  readonly #account;
  #nonce: number | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(client: PublicClient, deployment: Deployment, { address, accountKey }: Member) {
    this.address = address;
    this.#client = client;
    this.#deployment = deployment;
    this.#account = accountOfKey(accountKey);
  }

  /** @returns the block that holds the transaction. */
  send(call: PlainCall): Promise<bigint> {
    const turn = this.#queue.then(() => this.#send(call));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #send(call: PlainCall): Promise<bigint> {
    this.#nonce ??= await this.#client.getTransactionCount({ address: this.address });
    const { to, data } = encodeCall(this.#deployment, call, keccak256(`bare/${this.address}/${this.#nonce}`));
    const transaction = {
      type: 'eip1559',
      chainId: this.#deployment.chainId,
      nonce: this.#nonce,
      gas,
      ...fees,
      data,
    } as const;
    const raw = await this.#account.signTransaction({ ...transaction, to: present(to, 'a contract') });
    this.#nonce += 1;
    const receipt = formatTransactionReceipt(
      await this.#client.request({ method: 'eth_sendRawTransactionSync', params: [raw] }),
    );
    if (receipt.status !== 'success') throw new Error(`${call.call} was reverted on the bare chain`);
    return receipt.blockNumber;
  }
}
