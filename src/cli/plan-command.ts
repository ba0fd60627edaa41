import { Command, InvalidArgumentError } from 'commander';
import { withJson } from './wallet/options.ts';
import type { runPlan, showPlan } from './plan/plan-run.ts';

/** `pouw plan`: several tasks, some of which come after others. */
export function planCommand(): Command {
  return new Command('plan')
    .description('Tasks that come after others: run a plan of them on a network that is up, or look at one.')
    .addCommand(run())
    .addCommand(show());
}

function withDoor(command: Command): Command {
  return command
    .option('--url <url>', 'the endpoint of the network', 'http://127.0.0.1:8787/v1')
    .option('--key <key>', 'the API key; default is POUW_KEY in the environment');
}

function run(): Command {
  const command = new Command('run')
    .description(
      'Run the plan in a JSON file, {"steps": [{"name", "prompt" or "messages", "after"?, "max_tokens"?}, …]}, and print what its steps say. The same request_id again is the same plan.',
    )
    .argument('<file>', 'the plan');
  return withJson(withDoor(command), 'pouw plan run plan.json --key pouw_…').action(
    async (...args: Parameters<typeof runPlan>) => (await import('./plan/plan-run.ts')).runPlan(...args),
  );
}

function show(): Command {
  const command = new Command('show')
    .description('Show a plan: where its steps stand, what they said and what they cost.')
    .argument('<plan>', 'the plan', planOption);
  return withJson(withDoor(command), `pouw plan show 0x${'9c'.repeat(32)} --key pouw_…`).action(
    async (...args: Parameters<typeof showPlan>) => (await import('./plan/plan-run.ts')).showPlan(...args),
  );
}

/** The id of a plan. */
function planOption(text: string): string {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be a plan’s id: 0x and 64 hex digits.');
}
