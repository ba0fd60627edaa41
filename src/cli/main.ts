import { Command, CommanderError } from 'commander';
import { endWithParent } from '../adapters/process/end-with-parent.ts';
import { chainCommand } from './chain-command.ts';
import { clusterCommand } from './cluster-command.ts';
import { configCommand } from './config-command.ts';
import { expectReadersToGo } from './gone-reader.ts';
import { keysCommand } from './keys-command.ts';
import { logCommand } from './log-command.ts';
import { natsConfigCommand } from './nats-config-command.ts';
import { natsPrepareCommand } from './nats-prepare-command.ts';
import { nodeCommand } from './node-command.ts';
import { priceCommand } from './price-command.ts';
import { claimCommand, registryCommand } from './registry-command.ts';
import { replayCommand } from './replay-command.ts';
import { exitCodes, reportError, wrongUsage } from './report-error.ts';
import { sessionCommand } from './session-command.ts';
import { simCommand } from './sim-command.ts';
import { startCommand } from './start-command.ts';
import { statusCommand } from './status-command.ts';
import { planCommand } from './plan-command.ts';
import { taskCommand } from './task-command.ts';
import { useCommand } from './use-command.ts';
import { version } from './version.ts';

expectReadersToGo();
endWithParent();

const program = new Command('pouw')
  .description('Decentralised AI inference with Proof of Useful Work: the whole network on your machine.')
  .version(version)
  .addCommand(startCommand())
  .addCommand(simCommand())
  .addCommand(logCommand())
  .addCommand(replayCommand())
  .addCommand(sessionCommand())
  .addCommand(taskCommand())
  .addCommand(planCommand())
  .addCommand(useCommand())
  .addCommand(registryCommand())
  .addCommand(claimCommand())
  .addCommand(priceCommand())
  .addCommand(chainCommand())
  .addCommand(nodeCommand('router'))
  .addCommand(nodeCommand('miner'))
  .addCommand(nodeCommand('validator'))
  .addCommand(nodeCommand('oracle'))
  .addCommand(nodeCommand('client'))
  .addCommand(clusterCommand())
  .addCommand(configCommand())
  .addCommand(keysCommand())
  .addCommand(natsConfigCommand())
  .addCommand(natsPrepareCommand())
  .addCommand(statusCommand())
  .showHelpAfterError('(pouw --help explains everything)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(wrongUsage(text)) })
  .addHelpText(
    'after',
    `
Examples:
  pouw start                          the whole network, with an OpenAI-compatible endpoint
  pouw start --json                   the same for programs: one JSON line when it is ready
                                      (through npm: npm start --silent -- --json)
  pouw sim --tasks 20                 twenty tasks through a fresh network, then a report
  pouw sim --tasks 9 --attack random@1
                                      the same with one miner that answers with random text
  pouw cluster --tasks 20             every node as a process of its own, over NATS
  pouw cluster --tasks 50 --nats-servers 3 --chaos medium
                                      the same while processes are killed and paused
  pouw session create --deposit 250   a session of your own on the chain of pouw start
  pouw plan run plan.json             tasks that come after others
  pouw task appeal TASK               more validators for an outcome that you doubt
  pouw chain show                     its contracts and money, and whether that adds up
  pouw log list DATA                  the streams of a data directory or an exported file
  pouw log verify DATA                hashes, signatures and anchors of the whole log
  pouw replay DATA                    fold the log and print the state

Exit codes: ${exitCodes.ok} done, ${exitCodes.failed} failed or not true, ${exitCodes.usage} wrong usage, ${exitCodes.internal} a defect of pouw.
Environment: POUW_DATA (data directory), POUW_DEPLOYER_KEY (account that deploys on an outside chain),
  POUW_ACCOUNT_KEY (account of session, node and claim commands), POUW_RPC, POUW_DEPLOYMENT (chain and contracts),
  OTEL_EXPORTER_OTLP_ENDPOINT (where traces go, over HTTP; docs/operations.md has the others).`,
  );

/** Has every command report wrong usage as the program itself does. */
function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inherit(command);
  }
}
inherit(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else process.exitCode = reportError(error);
}
