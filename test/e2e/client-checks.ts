import { describe } from 'vitest';
import { aiSdkChecks } from './ai-sdk-checks.ts';
import type { Target } from './client-target.ts';
import { nativeChecks } from './native-checks.ts';
import { chatChecks, streamChecks } from './openai-chat-checks.ts';
import { completionChecks, embeddingChecks, errorChecks, modelChecks } from './openai-other-checks.ts';
import { responsesChecks } from './openai-responses-checks.ts';

/** Registers everything that real clients of a gateway rely on as tests, through the clients themselves. */
export function openaiClientChecks(target: Target): void {
  describe('the openai client', () => {
    for (const checks of [chatChecks, streamChecks, completionChecks, embeddingChecks, modelChecks, errorChecks]) {
      checks(target);
    }
    responsesChecks(target);
  });
  describe("Vercel's ai", () => {
    aiSdkChecks(target);
  });
  describe('a native client', () => {
    nativeChecks(target);
  });
}
