import { startAnvil } from '../../src/adapters/chain/anvil-process.ts';

// A pouw that starts an anvil on a folder and then waits to be killed.
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('name a folder');
const { pid, port } = await startAnvil({ directory });
console.log(JSON.stringify({ pid, port }));
setInterval(() => undefined, 1_000);
