import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoSession, openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import { openEngine } from '../../src/cli/compose/engine.ts';
import {
  composeLocalNetwork,
  type LocalNetwork,
  type LocalNetworkOptions,
} from '../../src/cli/compose/local-network.ts';
import type { TermsOverrides } from '../../src/cli/compose/settings.ts';
import type { TaskRequest, TaskUpdate } from '../../src/ports/gateway-network.ts';
import type { TaskView } from '../../src/ports/task-views.ts';

/** A folder that is gone after the tests. */
export function scratch(prefix: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `pouw-${prefix}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A whole network on real parts, with an open session. */
export interface TestNetwork {
  readonly network: LocalNetwork;
  readonly demo: DemoSession;
}

/** Starts a network for tests on a data directory. */
export async function startTestNetwork(
  data: string,
  options: Partial<LocalNetworkOptions> = {},
  terms: TermsOverrides = {},
): Promise<TestNetwork> {
  const network = await composeLocalNetwork({
    data,
    engine: () => openEngine({ model: defaultModel, embedder: defaultEmbedder, device: 'cpu', workers: 1 }),
    ...options,
  });
  const demo = await openDemoSession(network, network.engine.model, 'test', terms);
  await network.ready();
  return { network, demo };
}

/** Short deadlines, for tests in which somebody misses them. */
export const shortDeadlines = {
  ackTimeoutS: 2,
  executeTimeoutS: 4,
  revealTimeoutS: 4,
  validateTimeoutS: 8,
  queueTimeoutS: 30,
} as const;

/** A chat request of a session. */
export function chat({ network, demo }: TestNetwork, content: string, more: Partial<TaskRequest> = {}): TaskRequest {
  return {
    session: demo.session,
    model: network.engine.model,
    prompt: { messages: [{ role: 'user', content }] },
    sampling: { temperature: 0, topP: 1, topK: 0 },
    maxTokens: 64,
    stop: [],
    topLogprobs: 0,
    delivery: 'fast',
    ...more,
  };
}

/** What a client saw of a task, from submission to its end. */
export interface Watched {
  readonly updates: readonly TaskUpdate[];
  readonly text: string;
  readonly view: TaskView;
}

/** Submits a request and watches it to its end. `onToken` is told after each token, before the next is read. */
export async function ask(
  on: TestNetwork,
  content: string,
  more: Partial<TaskRequest> = {},
  onToken?: (count: number, task: string) => Promise<void>,
): Promise<Watched> {
  const { task, updates } = await on.network.front.submit(chat(on, content, more), new AbortController().signal);
  const seen: TaskUpdate[] = [];
  let text = '';
  let tokens = 0;
  for await (const update of updates) {
    seen.push(update);
    if (update.type === 'token' || update.type === 'done') text += update.text;
    if (update.type === 'token') await onToken?.((tokens += 1), task);
    if (update.type === 'verdict' || update.type === 'failed') return { updates: seen, text, view: update.view };
  }
  throw new Error(`task ${task} ended without a last update`);
}
