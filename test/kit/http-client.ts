import type { ReadyLine } from './pouw-process.ts';

/** A JSON object of an answer. */
export type Body = Readonly<Record<string, unknown>>;

/** An application that speaks to a running network over HTTP, with one API key. */
export interface HttpClient {
  get(path: string): Promise<Body>;
  post(path: string, body: object, idempotencyKey?: string): Promise<Body>;
  /** The key's session. */
  session(): Promise<Body>;
  /** Submits a chat task under an idempotency key and answers with what the network acknowledged. */
  submit(question: string, idempotencyKey: string): Promise<{ readonly id: string; readonly created: boolean }>;
  /** Asks for a task's end. */
  cancel(task: string): Promise<Body>;
  /** A task's updates, until its last one. */
  events(task: string): AsyncGenerator<Body>;
}

/** An application of a network. */
export function httpClient({ url, apiKey }: Pick<ReadyLine, 'url' | 'apiKey'>): HttpClient {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const answer = async (response: Response): Promise<Body> => {
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return JSON.parse(text) as Body;
  };
  const get = async (path: string): Promise<Body> => answer(await fetch(url + path, { headers }));
  const post = async (path: string, body: object, idempotencyKey?: string): Promise<Body> => {
    const named = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return answer(
      await fetch(url + path, { method: 'POST', headers: { ...headers, ...named }, body: JSON.stringify(body) }),
    );
  };
  const session = async (): Promise<Body> => {
    const { data } = await get('/v1/sessions');
    return (data as Body[])[0] ?? {};
  };
  return {
    get,
    post,
    session,
    submit: async (question, idempotencyKey) => {
      const { id } = await session();
      const task = { messages: [{ role: 'user', content: question }], max_tokens: 64 };
      const { id: submitted, created } = await post(`/v1/sessions/${String(id)}/tasks`, task, idempotencyKey);
      return { id: String(submitted), created: created === true };
    },
    cancel: async (task) => answer(await fetch(`${url}/v1/tasks/${task}`, { method: 'DELETE', headers })),
    async *events(task) {
      const response = await fetch(`${url}/v1/tasks/${task}/events`, { headers });
      if (!response.ok || response.body === null) throw new Error(`${response.status}: ${await response.text()}`);
      let rest = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          const data = event.split('\n').find((line) => line.startsWith('data: '));
          if (data !== undefined && data.startsWith('data: {')) yield JSON.parse(data.slice(6)) as Body;
        }
      }
    },
  };
}
