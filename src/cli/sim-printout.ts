import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import { formatCor } from '../core/wei.ts';
import type { SimReport } from '../sim/report.ts';
import { shortId, table } from './table.ts';

const textCharsMax = 56;

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > textCharsMax ? `${line.slice(0, textCharsMax - 1)}…` : line;
}

const schedulingWords: Readonly<Record<Scheduling, string>> = {
  preassigned: 'drawn for each task (preassigned)',
  'first-come': 'first come, first served',
};

const settlementWords: Readonly<Record<Settlement, string>> = {
  perTask: 'each task by itself (perTask)',
  batched: 'in batches, all of them final and claimed (batched)',
};

/** The report of a simulation for a person. */
export function printSimReport(report: SimReport): string {
  const { tasks, money, latencyMs, ttftMs, log, chain } = report;
  const answers = table(
    [
      { title: 'prompt' },
      { title: 'answer' },
      { title: 'winner' },
      { title: 'honest', right: true },
      { title: 'outliers' },
      { title: '$COR', right: true },
    ],
    report.results.map((one) => [
      cut(one.prompt),
      one.text === null ? `– ${one.failure?.code ?? 'no answer'}` : cut(one.text),
      one.winner === null ? '–' : shortId(one.winner),
      String(one.honest.length),
      one.outliers.length === 0 ? '–' : one.outliers.map(shortId).join(' '),
      formatCor(one.priceWei),
    ]),
  );
  const miners = table(
    [
      { title: 'miner' },
      { title: 'attack' },
      ...['assigned', 'honest', 'outlier', 'timed out', 'earned', 'slashed', 'reputation'].map((title) => ({
        title,
        right: true,
      })),
    ],
    report.miners.map((miner) => [
      shortId(miner.address),
      miner.attack ?? '–',
      String(miner.assigned),
      String(miner.honest),
      String(miner.outlier),
      String(miner.timedOut),
      formatCor(miner.earnedWei),
      formatCor(miner.slashedWei),
      miner.reputation.toFixed(3),
    ]),
  );
  return `
${answers}

${miners}

tasks    ${tasks.submitted} submitted, ${tasks.settled} settled, ${tasks.refunded} refunded, ${tasks.failed} failed
money    ${formatCor(money.depositedWei)} deposited = ${formatCor(money.balanceWei)} balances and stakes + ${formatCor(money.escrowedWei)} in escrow + ${formatCor(money.paidWei)} paid + ${formatCor(money.refundedWei)} refunded + ${formatCor(money.slashedWei)} slashed: ${money.conserved ? 'conserved' : 'NOT CONSERVED'}
speed    ${report.tokensPerSecond} tokens/s; first token p50 ${ttftMs.p50} ms, p99 ${ttftMs.p99} ms; settled p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms
chain    ${chain.blocks} blocks, ${chain.transactions} transactions, ${chain.gasPerTask} gas per task
log      ${log.commits} commits, ${log.events} events in ${log.dir}
         head ${log.head}
miners   ${schedulingWords[report.scheduling]}
settled  ${settlementWords[report.settlement]}
seed     ${report.seed}

${report.ok ? 'Every task ended well and every $COR is accounted for.' : 'Not everything ended well: see above.'}
`;
}
