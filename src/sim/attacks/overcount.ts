import type { GenerateEvent, Inference } from '../../ports/inference.ts';
import { type Attack, engineWith } from './attack.ts';

/** How many tokens are added to every prompt. */
const addedTokens = 50;

/**
 * Counts more tokens in a prompt than it has. A miner with it is paid for work that nobody asked for, if it is believed;
 * a validator with it believes such miners, and calls the others outliers.
 */
export const overcount: Attack = {
  name: 'overcount',
  summary: 'answers well and counts more prompt tokens than there are',
  engine: (honest) =>
    engineWith(honest, {
      countTokens: async (model, prompt) => (await honest.countTokens(model, prompt)) + addedTokens,
      generate: (request) => padded(honest.generate(request)),
    }),
};

async function* padded(events: ReturnType<Inference['generate']>): AsyncGenerator<GenerateEvent> {
  for await (const event of events) {
    yield event.type === 'done' ? { ...event, promptTokens: event.promptTokens + addedTokens } : event;
  }
}
