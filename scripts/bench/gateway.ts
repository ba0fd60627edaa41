import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { quantile } from '../../src/sim/report.ts';
import { benchTokens, chatBody, gatewayBench } from '../../test/features/gateway-bench.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave } from './interleave.ts';

/** What the HTTP door costs, with a network behind it that answers at once. */
export const gateway: Figure = {
  name: 'gateway',
  title: 'what the gateway adds to a chat completion; the network behind it answers at once from memory',
  run: measure,
};

interface Sample {
  readonly p50: number;
  readonly p95: number;
  readonly perSecond: number;
}

async function measure({ quick, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 9;
  const alone = quick ? 30 : 300;
  const together = quick ? 60 : 600;
  const bench = await gatewayBench();
  const raw = await rawServer();
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const load =
    (port: number, count: number, concurrency: number, stream: boolean) =>
    async (round: number): Promise<Sample> => {
      onStep(`round ${round}`);
      return drive({ agent, port, count, concurrency, body: chatBody(stream ? { stream: true } : {}) });
    };
  try {
    const samples = await interleave(rounds, {
      ours: load(bench.port, alone, 1, false),
      raw: load(raw.port, alone, 1, false),
      oursTogether: load(bench.port, together, 32, false),
      rawTogether: load(raw.port, together, 32, false),
      oursStream: load(bench.port, alone, 1, true),
      rawStream: load(raw.port, alone, 1, true),
    });
    const pick = (all: readonly Sample[], key: keyof Sample): number[] => all.map((sample) => sample[key]);
    const against = 'node:http that parses the body and sends the same answer';
    return {
      rows: [
        compared(
          { what: 'one request at a time, half take at most', unit: 'ms', against },
          pick(samples.ours, 'p50'),
          pick(samples.raw, 'p50'),
        ),
        compared(
          { what: 'one request at a time, 95 % take at most', unit: 'ms', against },
          pick(samples.ours, 'p95'),
          pick(samples.raw, 'p95'),
        ),
        compared(
          { what: '32 requests at a time', unit: 'requests/s', against },
          pick(samples.oursTogether, 'perSecond'),
          pick(samples.rawTogether, 'perSecond'),
        ),
        compared(
          {
            what: `a stream of ${benchTokens.length} tokens, half take at most`,
            unit: 'ms',
            against: 'node:http that sends the same events at once',
          },
          pick(samples.oursStream, 'p50'),
          pick(samples.rawStream, 'p50'),
        ),
      ],
      notes: [
        'Client and servers share one process and its one thread, so rates are of all three together.',
        'Published by others, each on its own machine: LiteLLM adds 8 ms (95 %) at 1,000 requests/s, Bifrost 11 µs at 5,000.',
      ],
    };
  } finally {
    agent.destroy();
    await bench.close();
    await raw.close();
  }
}

interface Drive {
  readonly agent: Agent;
  readonly port: number;
  readonly count: number;
  readonly concurrency: number;
  readonly body: string;
}

async function drive(options: Drive): Promise<Sample> {
  const times: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (times.length < options.count) {
      const sentAt = performance.now();
      const slot = times.push(0) - 1;
      await post(options);
      times[slot] = performance.now() - sentAt;
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95), perSecond: options.count / seconds };
}

function post({ agent, port, body }: Drive): Promise<void> {
  const headers = {
    authorization: 'Bearer rich-key',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', headers },
      (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`the server answered ${answer.statusCode}`));
        answer.on('error', reject).on('end', resolve).resume();
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

/** The least a server can do: read, parse, answer with as many bytes. */
async function rawServer(): Promise<{ port: number; close: () => Promise<void> }> {
  const content = benchTokens.join('');
  const usage = { prompt_tokens: 3, completion_tokens: 10, total_tokens: 13 };
  const whole = JSON.stringify({
    id: `chatcmpl-${'0'.repeat(64)}`,
    object: 'chat.completion',
    created: 0,
    model: 'raw',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  });
  const events = [...benchTokens, ''].map(
    (text) =>
      `data: ${JSON.stringify({ id: `chatcmpl-${'0'.repeat(64)}`, object: 'chat.completion.chunk', created: 0, model: 'raw', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`,
  );
  const server: Server = createServer((incoming, answer) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    incoming.on('end', () => {
      const { stream } = JSON.parse(text) as { stream?: boolean };
      answer.writeHead(200, { 'content-type': stream === true ? 'text/event-stream' : 'application/json' });
      if (stream === true) for (const event of events) answer.write(event);
      answer.end(stream === true ? 'data: [DONE]\n\n' : whole);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port: (server.address() as AddressInfo).port, close };
}
