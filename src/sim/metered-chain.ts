import type { Address, EffectId } from '../core/ids.ts';
import type { Chain, ChainCall, ChainReceipt } from '../ports/chain.ts';

/** What went over a chain. */
export interface Meter {
  /** Transactions of tasks: from submission to settlement. */
  taskTransactions: number;
  /** Gas they used. */
  taskGas: number;
  /** All transactions, those of anchors and sessions too. */
  transactions: number;
}

const taskCalls: ReadonlySet<ChainCall['call']> = new Set([
  'submit',
  'submitPooled',
  'submitPlan',
  'refundStep',
  'assign',
  'ack',
  'precommit',
  'reveal',
  'reassign',
  'attest',
  'precommitMany',
  'revealMany',
  'attestMany',
  'settleWith',
  'resolve',
  'settle',
  'cancel',
  'expire',
  'postPrecommits',
  'postReveals',
  'postOutcomes',
  'finalise',
  'claimMany',
]);

/** A chain that counts what is sent over it. */
export function meterChain(chain: Chain): { chain: Chain; meter: Meter } {
  const meter: Meter = { taskTransactions: 0, taskGas: 0, transactions: 0 };
  const seen = new Set<string>();
  const send = async (from: Address, call: ChainCall, effect: EffectId): Promise<ChainReceipt> => {
    const receipt = await chain.send(from, call, effect);
    if (!seen.has(receipt.txHash)) {
      seen.add(receipt.txHash);
      meter.transactions += 1;
      if (taskCalls.has(call.call)) {
        meter.taskTransactions += 1;
        meter.taskGas += receipt.gasUsed;
      }
    }
    return receipt;
  };
  const metered: Chain = {
    deployment: chain.deployment,
    send,
    block: (number) => chain.block(number),
    waitForBlock: (number, signal) => chain.waitForBlock(number, signal),
    facts: (fromBlock, toBlock) => chain.facts(fromBlock, toBlock),
    openings: (asked) => chain.openings(asked),
    follow: (cursor, feed) => chain.follow(cursor, feed),
    stepSource: (task) => chain.stepSource(task),
    submittedBlock: (task) => chain.submittedBlock(task),
    task: (task) => chain.task(task),
    sign: (by, message) => chain.sign(by, message),
    isSigned: (by, message, signature) => chain.isSigned(by, message, signature),
    node: (address) => chain.node(address),
    nodes: () => chain.nodes(),
    servedModels: (node) => chain.servedModels(node),
    corBalance: (address) => chain.corBalance(address),
    earnings: (address) => chain.earnings(address),
    money: () => chain.money(),
    signDigest: (from, digest) => chain.signDigest(from, digest),
    signerOf: (digest, signature) => chain.signerOf(digest, signature),
    batchClaimed: (poster, account) => chain.batchClaimed(poster, account),
    appeal: (task) => chain.appeal(task),
    taskCase: (task) => chain.taskCase(task),
    appealRules: () => chain.appealRules(),
    appealOwed: (account) => chain.appealOwed(account),
    appealRefusal: (account, task) => chain.appealRefusal(account, task),
    appealAllowance: (account) => chain.appealAllowance(account),
    grant: (session, router) => chain.grant(session, router),
    allowanceRefusal: (signed) => chain.allowanceRefusal(signed),
    useStake: (account) => chain.useStake(account),
    usePool: () => chain.usePool(),
    poolUser: (session) => chain.poolUser(session),
    reservations: (session) => chain.reservations(session),
    invitations: (session) => chain.invitations(session),
    close: () => chain.close(),
  };
  return { chain: metered, meter };
}
