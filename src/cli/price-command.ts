import { Command } from 'commander';
import { limits } from '../core/limits.ts';
import { defaultModel } from './compose/defaults.ts';
import { wholeNumber } from './parse-options.ts';
import { sessionOption, withJson, withPlace } from './wallet/options.ts';
import type { showPrice } from './price-run.ts';

/** `pouw price`: what a task costs. */
export function priceCommand(): Command {
  const command = new Command('price')
    .description(
      'What a task costs now: in a session, or in one for a model as `pouw session create` would open it; and who gets it. With --rpc, --deployment or --data by the shares and the demand on that chain, else as a deployment begins.',
    )
    .argument('[session]', 'the session', sessionOption)
    .option('--model <id>', 'the model, where no session is named', defaultModel)
    .option('--prompt-tokens <number>', 'tokens of the prompt', wholeNumber(0, limits.promptCharsMax), 100)
    .option('--output-tokens <number>', 'tokens of the answer', wholeNumber(0, limits.outputTokensMax), 100);
  return withJson(withPlace(command), 'pouw price 31337-de75a151-1 --prompt-tokens 20 --output-tokens 200').action(
    async (...args: Parameters<typeof showPrice>) => (await import('./price-run.ts')).showPrice(...args),
  );
}
