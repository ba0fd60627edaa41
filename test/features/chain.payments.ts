import { rpc } from './chain.local-chain.ts';

/** An account that nobody has the key of. */
export const someone = '0x00000000000000000000000000000000000000aa';

/** Sends a transaction and waits for its receipt: anvil answers before it has made the block. */
export async function send(
  url: string,
  transaction: object,
): Promise<{ readonly hash: unknown; readonly receipt: unknown }> {
  const hash = await rpc(url, 'eth_sendTransaction', [transaction]);
  for (;;) {
    const receipt = await rpc(url, 'eth_getTransactionReceipt', [hash]);
    if (receipt !== null) return { hash, receipt };
  }
}

/** Sends wei from one of anvil's accounts, each in a block of its own. */
export async function pay(url: string, from: number, count: number): Promise<void> {
  const account = ((await rpc(url, 'eth_accounts')) as string[])[from];
  for (let index = 0; index < count; index += 1) await send(url, { from: account, to: someone, value: '0x1' });
}

/** What was paid. */
export async function balance(url: string): Promise<number> {
  return Number(await rpc(url, 'eth_getBalance', [someone, 'latest']));
}
