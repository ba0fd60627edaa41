import { startNatsServer } from '../../src/adapters/nats/server/server-process.ts';

// A pouw that starts a NATS server on a folder and then waits to be killed.
const [program, directory] = process.argv.slice(2);
if (program === undefined || directory === undefined) throw new Error('name a program and a folder');
const { pid, url } = await startNatsServer({ program, directory });
console.log(JSON.stringify({ pid, url }));
setInterval(() => undefined, 1_000);
