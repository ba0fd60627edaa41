import { createRecordedInference } from '../../src/adapters/recorded/recorded-inference.ts';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { oneCor, wei } from '../../src/core/wei.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts';
import type { GatewayRecord } from '../../src/gateway/request-log.ts';
import { InferenceNetwork } from './inference-network.ts';

/** A gateway in front of a network whose one miner says a known text, a token at a time. */
export interface GatewayBench {
  readonly url: string;
  readonly port: number;
  readonly network: InferenceNetwork;
  readonly gateway: Gateway;
  /** What the gateway told its operator. */
  readonly records: readonly GatewayRecord[];
  close(): Promise<void>;
}

/** What of a bench may be chosen. */
export interface GatewayBenchOptions {
  /** The miner's answer. Default ten words. */
  readonly tokens?: readonly string[];
  /** Milliseconds between two of them. Default 0. */
  readonly tokenDelayMs?: number;
  readonly limits?: GatewayOptions['limits'];
  /** Who watches the gateway. Nobody by default. */
  readonly watch?: Pick<GatewayOptions, 'metrics' | 'tracer' | 'probes'>;
}

/** The id of the model on the bench: with slashes, as hub ids have them. */
export const benchModel = 'maker/slow-model';

/** The text of the default answer. */
export const benchTokens = ['one ', 'two ', 'three ', 'four ', 'five ', 'six ', 'seven ', 'eight ', 'nine ', 'ten'];

/** Starts a bench on a free port. Its keys are `rich-key`, `other-key` and, without money, `poor-key`. */
export async function gatewayBench(options: GatewayBenchOptions = {}): Promise<GatewayBench> {
  const tokens = (options.tokens ?? benchTokens).map((text, id) => ({ id, text }));
  const inference = createRecordedInference({
    recordings: [{ prompt: { text: '' }, promptTokens: 3, tokens, finishReason: 'stop' }],
    chatModel: benchModel,
    tokenDelayMs: options.tokenDelayMs ?? 0,
  });
  await inference.load(benchModel);
  await inference.load('recorded-embed');
  const balances = { 'rich-key': oneCor, 'other-key': oneCor, 'poor-key': wei(5) };
  const network = new InferenceNetwork({ inference, chatModel: benchModel, balances });
  const records: GatewayRecord[] = [];
  const log = (record: GatewayRecord): void => void records.push(record);
  const limits = options.limits ?? {};
  const ports = { network, clock: systemClock, random: systemRandom };
  const gateway = createGateway({ ...ports, limits, log, ...options.watch });
  const { url, port } = await gateway.listen('127.0.0.1', 0);
  const close = async (): Promise<void> => {
    await gateway.close();
    await inference.close();
  };
  return { url, port, network, gateway, records, close };
}

/** A request with a key; a body makes it a POST. */
export function call(
  bench: GatewayBench,
  path: string,
  options: RequestInit & { key?: string } = {},
): Promise<Response> {
  const { key = 'rich-key', headers, ...rest } = options;
  const authorization = { authorization: `Bearer ${key}` };
  const method = rest.body === undefined ? 'GET' : 'POST';
  return fetch(bench.url + path, { method, ...rest, headers: { ...authorization, ...(headers as object) } });
}

/** The body of a chat request for the bench's model. */
export function chatBody(options: object = {}): string {
  return JSON.stringify({ model: benchModel, messages: [{ role: 'user', content: 'Count.' }], ...options });
}

/** The `error` of an answer that must have this status. */
export async function errorOf(response: Response, status: number): Promise<Readonly<Record<string, unknown>>> {
  const body = (await response.json()) as { readonly error?: Readonly<Record<string, unknown>> };
  if (response.status !== status || body.error === undefined) {
    throw new Error(`expected an error of status ${status}, got ${response.status}: ${JSON.stringify(body)}`);
  }
  return body.error;
}
