import { PouwError } from '../../core/errors.ts';
import { keccak256 } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { lessWei, type Wei } from '../../core/wei.ts';
import type { Chain } from '../../ports/chain.ts';
import type { Member } from './members.ts';
import { batchBondWei, demoFundsWei } from './settings.ts';

/** Effect ids of the set-up: the same at every start, so that nothing is done twice. */
function setupEffect(what: string, who: Address): EffectId {
  return `setup.${what}:${who}:0` as EffectId;
}

/** Who registers: the public half of its signing key is enough. */
export interface Registrant extends Pick<Member, 'address' | 'role'> {
  readonly signer: Pick<Member['signer'], 'publicKey'>;
}

/** Allows the contracts to take the stake (of a client: its deposits) and registers the node; each once. */
export async function registerMember(
  chain: Chain,
  { address, role, signer }: Registrant,
  stakeWei: Wei,
): Promise<void> {
  const isClient = role === 'client';
  const allowance = {
    spender: isClient ? 'sessions' : 'registry',
    amountWei: isClient ? demoFundsWei : stakeWei,
  } as const;
  await chain.send(address, { call: 'approve', ...allowance }, setupEffect('approve', address));
  await chain.send(
    address,
    { call: 'register', roles: [role], key: signer.publicKey, stakeWei, metadataUri: '', models: [] },
    setupEffect('register', address),
  );
}

/** Puts down what a router needs to post batches, once. */
export async function depositBond(chain: Chain, router: Address, amountWei: Wei = batchBondWei): Promise<void> {
  await chain.send(router, { call: 'approve', spender: 'batches', amountWei }, setupEffect('approve-bond', router));
  await chain.send(router, { call: 'depositBond', amountWei }, setupEffect('bond', router));
}

/**
 * Sees to it that a node is in the registry in its role: registers it where it is not and can pay its stake.
 *
 * @throws PouwError `wrong_role`, `wrong_signing_key` where it is registered otherwise; `stake_missing` (unavailable)
 *   while its account does not hold the stake.
 */
export async function ensureRegistered(chain: Chain, member: Registrant, stakeWei: Wei): Promise<void> {
  const record = await chain.node(member.address);
  if (record === undefined) {
    if (lessWei(await chain.corBalance(member.address), stakeWei)) throw stakeMissing(member.address, stakeWei);
    await registerMember(chain, member, stakeWei);
    return;
  }
  const { address } = member;
  if (!record.roles.includes(member.role)) {
    const roles = record.roles.join(' and ');
    throw new PouwError('wrong_role', `${address} is registered as a ${roles}, not as a ${member.role}.`, {
      class: 'invalid',
      hint: 'Start it in its role, or use another key.',
    });
  }
  if (record.key !== member.signer.publicKey) {
    throw new PouwError('wrong_signing_key', `${address} is registered with another signing key.`, {
      class: 'invalid',
      why: 'The key file is not the one it was registered with.',
      hint: 'Restore that key file, or use a new account.',
    });
  }
}

/**
 * Sees to it that the registry has just the models that a miner serves: routers choose nobody for a model that it has not.
 * Which they are is known once they are loaded, which is after the registration.
 * What an earlier start served and this one does not is taken off first, since a node lists a bounded number.
 */
export async function ensureModels(chain: Chain, address: Address, models: readonly string[]): Promise<void> {
  const listed = await chain.servedModels(address);
  const wanted = new Set(models.map((model) => keccak256(model)));
  const modelHashes = listed.filter((hash) => !wanted.has(hash));
  const missing = models.filter((model) => !listed.includes(keccak256(model)));
  if (modelHashes.length + missing.length === 0) return;
  // What is served may change back: each change is an effect of its own.
  const { number } = await chain.block();
  if (modelHashes.length > 0)
    await chain.send(address, { call: 'dropModels', modelHashes }, setupEffect(`drop-models/${number}`, address));
  if (missing.length > 0)
    await chain.send(address, { call: 'serveModels', models: missing }, setupEffect(`serve-models/${number}`, address));
}

function stakeMissing(address: Address, stakeWei: Wei): PouwError {
  const cor = (BigInt(stakeWei) / 10n ** 18n).toString();
  return new PouwError('stake_missing', `${address} is not registered and does not hold its stake of ${cor} $COR.`, {
    class: 'unavailable',
    hint: `Send it ${cor} $COR and some of the chain’s own coin for gas; it registers itself then.`,
  });
}
