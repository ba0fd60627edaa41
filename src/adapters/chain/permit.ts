import { type LocalAccount, parseSignature } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { corAbi } from './abi.ts';
import { encodePermitCall, type PermitCall } from './calls.ts';
import { chainError, type RpcClient } from './rpc-client.ts';
import type { TxRequest } from './sender.ts';

/** A signed permission to take $COR (ERC-2612). */
export interface Permit {
  /** Seconds since 1970 until which it is good. */
  readonly deadlineS: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

const permitTypes = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const;

/**
 * Makes the transaction of a call that carries a permit. The permit's nonce is the token's now: it is made when the
 * transactions of the account before it are mined.
 */
export function permitRequest(
  client: RpcClient,
  deployment: Deployment,
  call: PermitCall,
  effect: Hex,
): (account: LocalAccount) => Promise<TxRequest> {
  return async (account) => {
    const deadlineS = BigInt(Math.floor(call.permitBy / 1_000));
    const nonce = await permitNonce(client, deployment.cor, toAddress(account.address));
    const signature = await account.signTypedData({
      domain: { name: 'COR', version: '1', chainId: deployment.chainId, verifyingContract: deployment.cor },
      types: permitTypes,
      primaryType: 'Permit',
      message: {
        owner: account.address,
        spender: deployment.sessions,
        value: BigInt(call.amountWei),
        nonce,
        deadline: deadlineS,
      },
    });
    const { r, s, yParity } = parseSignature(signature);
    return encodePermitCall(deployment, call, { deadlineS, v: 27 + yParity, r, s }, effect);
  };
}

async function permitNonce(client: RpcClient, cor: Address, owner: Address): Promise<bigint> {
  try {
    return await client.readContract({ address: cor, abi: corAbi, functionName: 'nonces', args: [owner] });
  } catch (error) {
    throw chainError(error, 'a question for the nonce of a permit');
  }
}
