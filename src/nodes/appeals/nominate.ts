import { missingFromDraw } from '../../core/appeal-draw.ts';
import type { Address, EffectId, TaskId } from '../../core/ids.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { Chain, ChainFact } from '../../ports/chain.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';

/** What nominating stands on. */
export type NominatingChain = Pick<Chain, 'appeal' | 'task' | 'nodes' | 'block' | 'facts' | 'send'>;

/**
 * Sees to it that the draw of an appeal is one among all validators of the registry that may be drawn: names those that
 * would be drawn and are not, and nobody where none is missing. So who comes second usually pays nothing.
 *
 * @returns who was named.
 * @throws PouwError `block_not_found` before the block that decides the draw, `chain_reverted`, `chain_unreachable`.
 */
export async function nominateMissing(
  chain: NominatingChain,
  by: Address,
  task: TaskId,
  effect: EffectId,
): Promise<readonly Address[]> {
  const appeal = await chain.appeal(task);
  if (appeal?.state !== 'open' || (await chain.block()).at > appeal.drawBy) return [];
  const record = await chain.task(task);
  if (record === undefined) return [];
  const beacon = appeal.beacon ?? (await chain.block(appeal.beaconBlock)).hash;
  const missing = missingFromDraw(
    { task, beacon, wanted: appeal.wanted, drawn: appeal.validators.map(({ validator }) => validator) },
    await mayBeDrawn(chain, task, appeal, record),
  );
  if (missing.length > 0) await chain.send(by, { call: 'nominate', task, nodes: missing }, effect);
  return missing;
}

/** The validators that the contract would draw: active, not at rest, there before the appeal, and without a part in it. */
async function mayBeDrawn(
  chain: NominatingChain,
  task: TaskId,
  { appellant, beaconBlock }: ChainAppeal,
  { slots, validators, router }: ChainTaskRecord,
): Promise<readonly Address[]> {
  const { at, number } = await chain.block();
  const appealedBlock = beaconBlock - 1;
  const late = registeredAfter(await chain.facts(appealedBlock, number), task);
  const parts = new Set<Address>([appellant, router, ...slots.map(({ miner }) => miner)]);
  for (const { validator } of validators) parts.add(validator);
  return (await chain.nodes())
    .filter(({ roles, active, coolUntilAt }) => roles.includes('validator') && active && coolUntilAt <= at)
    .map(({ node }) => node)
    .filter((node) => !parts.has(node) && !late.has(node));
}

/** Who registered once the appeal was there: such a node's address may be one that fits the beacon. */
function registeredAfter(facts: readonly ChainFact[], task: TaskId): ReadonlySet<Address> {
  const from = facts.findIndex((fact) => fact.type === 'OutcomeAppealed' && fact.task === task);
  return new Set(facts.slice(Math.max(0, from)).flatMap((fact) => (fact.type === 'NodeRegistered' ? [fact.node] : [])));
}
