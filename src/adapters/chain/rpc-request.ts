import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { HttpRequestError, ResponseBodyTooLargeError, RpcRequestError, TimeoutError } from 'viem';
import { limits } from '../../core/limits.ts';

/** A JSON-RPC method and its parameters. */
export interface RpcCall {
  readonly method: string;
  readonly params?: unknown;
}

/** Where calls go and how long one may take. */
export interface RpcEndpoint {
  readonly url: URL;
  readonly timeoutMs: number;
}

/** An idle connection is closed before the usual five seconds after which servers close it. */
const idleMs = 4_000;
const connections = { keepAlive: true, timeout: idleMs } as const;
const httpAgent = new HttpAgent(connections);
const httpsAgent = new HttpsAgent(connections);
/** Of an answer that is none, so many characters go into the error. */
const detailsCharsMax = 200;
let newestId = 0;

/**
 * One JSON-RPC call over HTTP, once. It does what viem's `http()` does and throws the same errors, on kept connections
 * of `node:http`: `fetch` spends several times the processor time on a request this small, and a task is made of forty.
 *
 * @throws RpcRequestError what the node answers; HttpRequestError, TimeoutError, or the signal's AbortError where
 *   there is no such answer; ResponseBodyTooLargeError beyond `limits.chainAnswerBytesMax`.
 */
export async function rpcRequest(
  { url, timeoutMs }: RpcEndpoint,
  call: RpcCall,
  signal?: AbortSignal,
): Promise<unknown> {
  newestId += 1;
  const body = { method: call.method, params: call.params };
  const text = JSON.stringify({ jsonrpc: '2.0', id: newestId, ...body });
  const place: Place = { body, url: url.origin + url.pathname };
  const answer = await post(url, text, signal, { ms: timeoutMs, error: () => new TimeoutError(place) }).catch(
    (error: unknown) => {
      const isOwn = error instanceof TimeoutError || error instanceof ResponseBodyTooLargeError;
      if (isOwn || signal?.aborted === true) throw error;
      throw new HttpRequestError({ ...place, cause: error as Error });
    },
  );
  const parsed = parse(answer, place);
  if (isErrorOf(parsed)) throw new RpcRequestError({ ...place, error: parsed.error });
  if (answer.status < 200 || answer.status > 299)
    throw new HttpRequestError({ ...place, status: answer.status, details: answer.text.slice(0, detailsCharsMax) });
  return parsed.result;
}

/** What viem's errors say of a request. */
interface Place {
  readonly body: { [name: string]: unknown };
  readonly url: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Timeout {
  readonly ms: number;
  readonly error: () => Error;
}

function post(url: URL, text: string, signal: AbortSignal | undefined, timeout: Timeout): Promise<Answer> {
  const secure = url.protocol === 'https:';
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const options = {
    method: 'POST',
    headers,
    agent: secure ? httpsAgent : httpAgent,
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(url, options, (incoming) => {
      collect(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, text: body }), reject);
    });
    const timer = setTimeout(() => {
      // First said, then done: what the request itself says of its end is not why it ended.
      reject(timeout.error());
      outgoing.destroy();
    }, timeout.ms);
    outgoing
      .on('error', reject)
      .on('close', () => clearTimeout(timer))
      .end(text);
  });
}

async function collect(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.chainAnswerBytesMax)
      throw new ResponseBodyTooLargeError({ maxSize: limits.chainAnswerBytesMax, size: bytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

type Parsed = { readonly result?: unknown; readonly error?: unknown };

function parse({ status, text }: Answer, place: Place): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // No answer of a node: of something on the way, whose status says what it is unless that is 200.
    const refusal = status >= 200 && status <= 299 ? {} : { status };
    throw new HttpRequestError({ ...place, ...refusal, details: text.slice(0, detailsCharsMax) });
  }
}

function isErrorOf(parsed: Parsed): parsed is { readonly error: { code: number; message: string; data?: unknown } } {
  const { error } = parsed;
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
}
