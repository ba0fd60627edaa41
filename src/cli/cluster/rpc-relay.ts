/** `node rpc-relay.ts PORT TARGET`: passes connections to a port of 127.0.0.1 on to another one, until it is killed. */
import { connect, createServer } from 'node:net';

const [port, target] = process.argv.slice(2).map(Number);
const server = createServer((incoming) => {
  const outgoing = connect(target ?? 0, '127.0.0.1');
  incoming.pipe(outgoing).pipe(incoming);
  for (const [socket, other] of [
    [incoming, outgoing],
    [outgoing, incoming],
  ] as const) {
    socket.on('error', () => other.destroy());
    socket.on('close', () => other.destroy());
  }
});
server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
