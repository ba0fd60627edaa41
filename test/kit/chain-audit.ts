import { auditDeployment, type ChainAudit } from '../../src/adapters/chain/chain-audit.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';

/** Audits the deployment that a data directory records. */
export async function auditChain(rpcUrl: string, data: string): Promise<ChainAudit> {
  const record = await readDeploymentRecord(`${data}/chain`);
  if (record === undefined) throw new Error(`no deployment is recorded in ${data}`);
  return auditDeployment(rpcUrl, record.deployment);
}
