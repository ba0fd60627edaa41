import { printSimReport } from '../sim-printout.ts';
import type { ClusterReport } from './cluster-run.ts';

/** The report of a cluster for a person. */
export function printClusterReport(report: ClusterReport): string {
  const { chaos, verified, refused, refusals } = report;
  const { kills, pauses, failoverMs, lost, duplicated, reconnects } = chaos;
  const first = verified.first === null ? '' : `: ${verified.first.message}`;
  return `${printSimReport(report).trimEnd()}
chaos    ${kills} killed, ${pauses} paused; clients connected again ${reconnects} times
failover ${failoverMs.count === 0 ? 'no group of sessions changed hands' : `${failoverMs.p50} ms half, ${failoverMs.p99} ms 99 % of ${failoverMs.count} groups`}
lost     ${lost} acknowledged commits; ${duplicated} effects applied twice
verified ${verified.ok ? 'every hash, signature, author, fence and anchor' : `NOT${first}`}
nats     ${refused === 0 ? 'every node got by with what its key may do' : `${refused} times a node was refused a subject: ${refusals[0]}`}
`;
}
