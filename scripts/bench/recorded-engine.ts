import { createRecordedInference, record, type Recording } from '../../src/adapters/recorded/recorded-inference.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import { type Engine, openEngine } from '../../src/cli/compose/engine.ts';
import { seededPrompt } from '../../src/sim/prompts.ts';

const sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${'0'.repeat(64)}` } as const;

/** The prompts whose answers are recorded. */
export const recordedPrompts: readonly string[] = Array.from({ length: 16 }, (_, draw) => seededPrompt('bench', draw));

/**
 * FOR BENCHMARKS ONLY: runs the real model once over some prompts, then closes it. What is returned makes engines that
 * only play those answers back, so that what is left to measure is the network.
 */
export async function recordEngine(): Promise<() => Promise<Engine>> {
  const real = await openEngine({ model: defaultModel, embedder: defaultEmbedder, device: 'cpu' });
  try {
    const recordings: Recording[] = [];
    for (const content of recordedPrompts) {
      const prompt = { messages: [{ role: 'user', content }] } as const;
      recordings.push(
        await record(real.inference, { model: defaultModel, prompt, maxTokens: 64, sampling, timeoutMs: 60_000 }),
      );
    }
    return () => replayEngine(recordings);
  } finally {
    await real.inference.close();
  }
}

async function replayEngine(recordings: readonly Recording[]): Promise<Engine> {
  const inference = createRecordedInference({ recordings });
  const chat = await inference.load('recorded-chat');
  const embedder = await inference.load('recorded-embed');
  return { inference, model: chat.id, embedder: embedder.id, deviceLine: 'recorded answers, no model' };
}
