import { createServer, type IncomingMessage } from 'node:http';

/** What becomes of a request on its way to a node; one that is held is never answered. */
export type Fate = 'pass' | 'hold' | 'lose-request' | 'lose-answer' | { readonly answer: object };

/** A proxy before a node that loses what a test tells it to lose. */
export interface RpcProxy {
  readonly url: string;
  /** Decides about each request by its method; all pass until it is set. */
  decide: (method: string) => Fate;
  /** The methods of the requests that were forwarded. */
  readonly forwarded: string[];
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const forwarded: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      const fate = proxy.decide(method);
      if (fate === 'lose-request') return request.socket.destroy();
      if (fate === 'hold') return undefined;
      if (typeof fate === 'object') return response.end(JSON.stringify({ jsonrpc: '2.0', id, ...fate.answer }));
      forwarded.push(method);
      const answer = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const text = await answer.text();
      if (fate === 'lose-answer') return request.socket.destroy();
      return response.end(text);
    })().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${port}`,
    decide: () => 'pass',
    forwarded,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}
