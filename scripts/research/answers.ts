/**
 * Makes every revealed answer of a data directory again, under the seed its miner had to use:
 * `node scripts/research/answers.ts DIRECTORY`. It costs what the miners' work has cost.
 */
import type { TaskCommitted, TaskEvent } from '../../actors/task/events.ts';
import { openBlockReader } from '../../src/adapters/ipfs/block-reader.ts';
import { createTransformersInference } from '../../src/adapters/transformers/transformers-inference.ts';
import { openLog } from '../../src/cli/log/open-log.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import { type ResultContent, resultRoot, samplingSeed } from '../../src/core/precommit.ts';
import { encodeVectors } from '../../src/core/vectors.ts';
import { eventsOf } from '../../src/core/stored-events.ts';
import { resultContent, taskContent } from '../../src/messages/bodies.ts';

const directory = process.argv[2] ?? '.';
const blocks = openBlockReader(directory);
const inference = await createTransformersInference({ device: 'cpu' });

/** The result that an honest miner in the same place has. */
async function remake(session: SessionId, prompt: Cid, { task, miner, result }: TaskCommitted): Promise<ResultContent> {
  const asked = taskContent.parse(await blocks.get(cidToDigest(prompt)));
  await inference.load(asked.model);
  if (asked.kind === 'embed') {
    const { vectors, tokens } = await inference.embed(asked.model, asked.texts);
    return { text: encodeVectors(vectors), tokens: [], finishReason: 'stop', promptTokens: tokens, outputTokens: 0 };
  }
  const revealed = resultContent.parse(await blocks.get(cidToDigest(result)));
  const prefix = revealed.tokens.slice(0, revealed.prefixTokens);
  const seed = samplingSeed(session, task, 0, revealed.attempt, miner);
  const request = { ...asked, prefix, sampling: { ...asked.sampling, seed }, timeoutMs: 60_000 };
  let text = '';
  for await (const event of inference.generate(request)) {
    if (event.type === 'done') return { ...event, text: event.prefixText + text + event.text };
    if (event.type === 'token') text += event.text;
  }
  throw new Error('the model gave no answer');
}

const log = await openLog(directory);
const prompts = new Map<TaskId, Cid>();
for await (const { commit } of log.source.readAll()) {
  const [kind, session] = commit.stream.split('.');
  if (kind !== 'session') continue;
  for (const event of eventsOf(commit) as readonly TaskEvent[]) {
    if (event.type === 'TaskSubmitted') prompts.set(event.task, event.prompt);
    if (event.type !== 'TaskCommitted') continue;
    const prompt = prompts.get(event.task);
    if (prompt === undefined) continue;
    const isSame = resultRoot(await remake(session as SessionId, prompt, event)) === event.resultRoot;
    console.log(event.task.slice(0, 10), event.miner.slice(0, 10), isSame ? 'as the model' : 'NOT as the model');
  }
}
await log.close();
await inference.close();
