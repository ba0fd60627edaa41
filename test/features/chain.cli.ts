import { Command } from 'commander';
import { vi } from 'vitest';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { present } from '../../src/core/assert.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import type { Chain } from '../../src/ports/chain.ts';

/**
 * Runs a command of some in this process; answers with what it printed.
 *
 * @param onEnd told what was printed, also where the command failed.
 */
export async function runCommand(
  commands: readonly Command[],
  args: readonly string[],
  onEnd: (printed: string) => void = () => undefined,
): Promise<string> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const program = new Command();
  for (const command of commands) program.addCommand(command);
  const quiet = (command: Command): void => command.exitOverride().commands.forEach(quiet);
  quiet(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    vi.restoreAllMocks();
    onEnd(out);
  }
  return out;
}

/** Does something with the chain of a folder as the network's own processes would. */
export async function inChainOf<T>(
  { rpcUrl, folder, accounts }: { rpcUrl: string; folder: string; accounts: ReadonlyMap<Address, Hex> },
  work: (chain: Chain) => Promise<T>,
): Promise<T> {
  const { deployment } = present(await readDeploymentRecord(folder), 'the deployment');
  const store = openChainStore(':memory:');
  const chain = await createViemChain({ rpcUrl, deployment, accounts, store, mineOnDemand: true });
  try {
    return await work(chain);
  } finally {
    await chain.close();
    store.close();
  }
}
