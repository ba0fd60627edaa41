import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A JSON-RPC request as it came. */
export interface RpcQuestion {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What is answered: `result` or `error`; nothing where the connection is cut instead. */
export type RpcAnswer = object | undefined;

/** A JSON-RPC server on a free port of 127.0.0.1 that answers what a test says. */
export interface JsonRpcServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one. */
export async function startJsonRpcServer(
  answer: (question: RpcQuestion) => RpcAnswer | Promise<RpcAnswer>,
): Promise<JsonRpcServer> {
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      const { id, ...question } = JSON.parse(text) as RpcQuestion & { readonly id: number };
      const answered = await answer(question);
      if (answered === undefined) request.socket.destroy();
      else response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answered }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
