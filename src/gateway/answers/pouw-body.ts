import type { JsonObject } from '../../core/json.ts';
import type { SessionView, TaskMinerView, TaskView } from '../../ports/task-views.ts';

/**
 * `x_pouw`: what stands behind an answer. `shown_text_won` says whether the text the client was shown is the one
 * the validators chose, null where that cannot be read; a stream shows the primary miner's words before the verdict.
 */
export function pouwBody(view: TaskView, shownText: string): JsonObject {
  return { task: view.task, ...proofOf(view), shown_text_won: view.text === null ? null : view.text === shownText };
}

/** A task as native REST shows it. */
export function taskBody(view: TaskView): JsonObject {
  return {
    id: view.task,
    object: 'pouw.task',
    text: view.text,
    finish_reason: view.finishReason,
    unreadable: view.unreadable,
    ...proofOf(view),
  };
}

/** A session as native REST shows it. */
export function sessionBody({ session, client, state, terms, money, counts }: SessionView): JsonObject {
  return {
    id: session,
    object: 'pouw.session',
    client,
    state,
    money: {
      deposited_wei: money.depositedWei,
      balance_wei: money.balanceWei,
      escrowed_wei: money.escrowedWei,
      paid_wei: money.paidWei,
      refunded_wei: money.refundedWei,
    },
    tasks: { submitted: counts.submitted, settled: counts.settled, refunded: counts.refunded },
    terms: {
      model: terms.model,
      redundancy: terms.redundancy,
      min_miners: terms.minMiners,
      max_miners: terms.maxMiners,
      validators: terms.validators,
      similarity_bps: terms.similarityBps,
      level: terms.level,
      mode: terms.mode,
      settlement: terms.settlement,
      router_may_submit: terms.routerMaySubmit,
      max_task_price_wei: terms.maxTaskPriceWei,
      prompt_token_wei: terms.promptTokenWei,
      output_token_wei: terms.outputTokenWei,
      reserve_fee_wei: terms.reserveFeeWei,
      task_limit: terms.taskLimit,
      queue_timeout_s: terms.queueTimeoutS,
      ack_timeout_s: terms.ackTimeoutS,
      execute_timeout_s: terms.executeTimeoutS,
      reveal_timeout_s: terms.revealTimeoutS,
      validate_timeout_s: terms.validateTimeoutS,
      appeal_window_s: terms.appealWindowS,
      reserve_period_s: terms.reservePeriodS,
      routers: terms.routers,
      dedicated_miners: terms.dedicatedMiners,
    },
  };
}

function proofOf(view: TaskView): JsonObject {
  return {
    session: view.session,
    state: view.state,
    model: view.model,
    level: view.level,
    redundancy: view.redundancy,
    max_tokens: view.maxTokens,
    winner: view.winner,
    primary: view.primary,
    streamed: view.streamed,
    miners: view.miners.map(minerBody),
    validators: view.validators,
    joins: view.joins.map(({ from, to, deliveredTokens }) => ({ from, to, delivered_tokens: deliveredTokens })),
    prompt_tokens: view.promptTokens,
    output_tokens: view.outputTokens,
    escrow_wei: view.escrowWei,
    price_wei: view.priceWei,
    returned_wei: view.returnedWei,
    payments: view.payments.map(({ to, role, amountWei }) => ({ to, role, amount_wei: amountWei })),
    prompt_cid: view.prompt,
    result_cid: view.result,
    report_cid: view.report,
    cid: view.manifest,
    settlement: view.settlement === null ? null : { block: view.settlement.block, tx_hash: view.settlement.txHash },
    anchor: view.anchor === null ? null : { epoch: view.anchor.epoch, root: view.anchor.root },
    failure: view.failure === null ? null : { code: view.failure.code, reason: view.failure.reason },
    ...(view.appeal === undefined ? {} : { appeal: appealBody(view.appeal) }),
  };
}

function appealBody({ state, appellant, attestBy }: NonNullable<TaskView['appeal']>): JsonObject {
  return { state, appellant, attest_by: attestBy };
}

function minerBody({ miner, attempt, phase, verdict, similarity, tokens }: TaskMinerView): JsonObject {
  return { address: miner, attempt, phase, verdict, score: similarity, tokens };
}
