import type { Address } from '../../src/core/ids.ts';
import type { MinerNode } from '../../src/nodes/miner/miner-node.ts';
import type { TaskView } from '../../src/ports/task-views.ts';
import { ask, type TestNetwork, type Watched } from './local-network.ts';

/** Asks for an answer that is long enough to die in. */
export function askForStory(
  on: TestNetwork,
  onToken?: (count: number, task: string) => Promise<void>,
): Promise<Watched> {
  return ask(on, 'Tell me a story about a fox and a river.', { maxTokens: 160 }, onToken);
}

/** Asks, and ends the miner that is read as soon as it has said `tokens` tokens. */
export async function killReadMiner(on: TestNetwork, tokens: number): Promise<{ answer: Watched; killed: Address }> {
  let killed: Address | undefined;
  const answer = await askForStory(on, async (count, task) => {
    if (count !== tokens) return;
    const { primary } = (await on.network.front.task(task as TaskView['task'])) as TaskView;
    killed = minerAt(on, primary).address;
    await minerAt(on, primary).stop(0);
  });
  if (killed === undefined) throw new Error(`the answer had fewer than ${tokens} tokens`);
  return { answer, killed };
}

/** A miner's part in a task; undefined where it had none. */
export function ofMiner(view: TaskView, miner: Address): TaskView['miners'][number] | undefined {
  return view.miners.find((one) => one.miner === miner);
}

function minerAt({ network }: TestNetwork, address: Address | null): MinerNode {
  const found = network.miners.find((miner) => miner.address === address);
  if (found === undefined) throw new Error(`no miner ${address}`);
  return found;
}
