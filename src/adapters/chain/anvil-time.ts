import { anvilRequest } from './anvil-rpc.ts';

/** Moves the time of a development chain on, and makes a block at the new time. */
export async function advanceAnvil(url: string, seconds: number): Promise<void> {
  await anvilRequest(url, 'evm_increaseTime', [seconds]);
  await anvilRequest(url, 'evm_mine');
}
