import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { promptContent } from '../../messages/bodies.ts';
import { checkRequest } from '../../ports/inference-request.ts';
import { readChatRequest } from './chat-request.ts';
import { readResponsesRequest } from './responses-request.ts';
import { readTaskRequest } from './session-requests.ts';

const sampling = {
  temperature: fc.double({ min: 0, max: 2, noNaN: true }),
  top_p: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  top_k: fc.nat(),
  max_tokens: fc.integer({ min: 1, max: limits.outputTokensMax }),
  stop: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: limits.stopStringsMax }),
};
const fields = fc.record(sampling, { requiredKeys: [] });
const messages = fc.array(fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: fc.string() }), {
  minLength: 1,
  maxLength: 5,
});

/** What a router pins and a miner hands to its engine, of a task that the gateway has let through. */
function mustBeTaken(task: ReturnType<typeof readChatRequest>['task']): void {
  const { prompt, sampling: wanted, stop, topLogprobs, maxTokens, model } = task;
  const content = { kind: 'prompt', v: 1, model, prompt, sampling: wanted, stop, topLogprobs, maxTokens };
  const parsed = promptContent.safeParse(content);
  expect(parsed.success, JSON.stringify(content)).toBe(true);
  const seed = `0x${'0'.repeat(64)}` as const;
  checkRequest({ model, prompt, maxTokens, sampling: { ...wanted, seed }, stop, topLogprobs, timeoutMs: 1 });
}

test('whatever the gateway lets through, a miner takes', () => {
  const logprobs = fc.record({
    logprobs: fc.boolean(),
    top_logprobs: fc.integer({ min: 0, max: limits.topLogprobsMax }),
  });
  fc.assert(
    fc.property(fields, messages, logprobs, (asked, said, wanted) => {
      mustBeTaken(readChatRequest({ model: 'm', messages: said, ...asked, ...wanted }).task);
      const included = wanted.logprobs ? ['message.output_text.logprobs'] : [];
      mustBeTaken(
        readResponsesRequest({ model: 'm', input: said, ...asked, ...wanted, include: included }).generation.task,
      );
      const native = { messages: said, ...asked, top_logprobs: wanted.top_logprobs };
      mustBeTaken(readTaskRequest(native, 'm').task);
    }),
  );
});
