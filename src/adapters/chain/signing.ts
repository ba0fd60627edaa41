import { type LocalAccount, parseSignature, signatureToCompactSignature } from 'viem';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import { type CompactSignature, recoverSigner } from '../../core/recover-signer.ts';
import type { Chain } from '../../ports/chain.ts';

/** Signing with the accounts of a process, and checking what anybody has signed: neither asks the chain. */
export function createSigning(accounts: readonly LocalAccount[]): Pick<Chain, 'signDigest' | 'signerOf'> {
  const known = new Map(accounts.map((account) => [toAddress(account.address), account]));
  return {
    signDigest: (from, digest) => sign(known.get(from), from, digest),
    signerOf: async (digest, signature) => recoverSigner(digest, signature),
  };
}

async function sign(account: LocalAccount | undefined, from: Address, hash: Hex): Promise<CompactSignature> {
  if (account?.sign === undefined) {
    throw new PouwError('unknown_account', `No key for ${from} is here.`, {
      class: 'not-found',
      hint: 'Only accounts of this process can sign.',
      details: { account: from },
    });
  }
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(await account.sign({ hash })));
  return { r, vs: yParityAndS };
}
