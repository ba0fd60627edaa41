import { Command, Option } from 'commander';
import { roles } from '../core/ids.ts';
import { accessCommand } from './access-command.ts';
import {
  addressOption,
  amountOption,
  positiveAmountOption,
  signingKeyOption,
  withAccount,
  withJson,
  withRequestId,
} from './wallet/options.ts';
import type { RegisterOptions } from './registry/register.ts';
import type { RewardOptions } from './registry/rewards.ts';
import type { showNodes } from './registry/show.ts';
import type { NodeOptions, stakeMore } from './registry/stake.ts';
import type { stopUnfit as stopUnfitNode } from './registry/stop-unfit.ts';

/** `pouw node`: a node in the registry: its stake and its pay. */
export function registryCommand(): Command {
  return new Command('node')
    .description(
      'A node in the registry on chain: register it, stake, leave, take what it is owed, stop one that may not work, look at it.',
    )
    .addCommand(register())
    .addCommand(stake())
    .addCommand(activate())
    .addCommand(leave())
    .addCommand(claim())
    .addCommand(stopUnfit())
    .addCommand(accessCommand())
    .addCommand(show());
}

function register(): Command {
  const command = new Command('register')
    .description('Register the account as a node and stake for it. A node process does the same when it starts.')
    .option('--stake <amount>', 'its stake, in $COR (default: ten times the minimum of its role)', amountOption)
    .option('--signing-key <key>', 'its Ed25519 public key, where POUW_ACCOUNT_KEY has no key file', signingKeyOption);
  const example = 'pouw node register --role miner --key miner-1/keys.json --deployment deployment.json --rpc $RPC';
  return withJson(withNodeAccount(command), example).action(async (options: RegisterOptions) =>
    (await import('./registry/register.ts')).registerNode(options),
  );
}

function stake(): Command {
  const command = new Command('stake')
    .description('Stake more.')
    .argument('<amount>', 'how much, in $COR', positiveAmountOption);
  return withJson(withRequestId(withNodeAccount(command)), 'pouw node stake 500 --role miner --index 2').action(
    async (...args: Parameters<typeof stakeMore>) => (await import('./registry/stake.ts')).stakeMore(...args),
  );
}

function activate(): Command {
  const command = new Command('activate').description(
    'Take new work again: after a rest, after a slash that was made good by `pouw node stake`, or instead of leaving.',
  );
  return withJson(withRequestId(withNodeAccount(command)), 'pouw node activate --role miner --index 2').action(
    async (options: NodeOptions) => (await import('./registry/activate.ts')).activateNode(options),
  );
}

function leave(): Command {
  const command = new Command('leave').description(
    'Stop work and ask for the whole stake. It can be slashed until it is unbonded; `pouw node claim` takes it then.',
  );
  return withJson(withNodeAccount(command), 'pouw node leave --role miner --index 2').action(
    async (options: NodeOptions) => (await import('./registry/stake.ts')).leaveNetwork(options),
  );
}

function claim(): Command {
  const command = new Command('claim').description(
    'Take what the node is owed: its earnings, bonds and rewards of appeals, bonds of disputed checkpoints, rewards for faults it has proven, and its unbonded stake.',
  );
  return withJson(withNodeAccount(command), 'pouw node claim --role miner --index 2').action(
    async (options: NodeOptions) => (await import('./registry/claim.ts')).claimAll(options),
  );
}

function stopUnfit(): Command {
  const command = new Command('stop-unfit')
    .description(
      'Stop an active node that could not go to work now: a minimum stake rose, or a role was closed. Any account may.',
    )
    .argument('<address>', 'the node', addressOption);
  return withJson(withRequestId(withAccount(command, 'deployer')), 'pouw node stop-unfit 0x45cc… --role oracle').action(
    async (...args: Parameters<typeof stopUnfitNode>) => (await import('./registry/stop-unfit.ts')).stopUnfit(...args),
  );
}

function show(): Command {
  const command = new Command('show')
    .description('Show a node, or all of them where none is named.')
    .argument('[address]', 'the node; --role and --key name one of a key file', addressOption);
  return withJson(withNodeAccount(command), 'pouw node show').action(async (...args: Parameters<typeof showNodes>) =>
    (await import('./registry/show.ts')).showNodes(...args),
  );
}

/** `pouw claim`: earnings of any account. */
export function claimCommand(): Command {
  const command = new Command('claim').description(
    'Take all that an account has earned: of a node, or of the treasury; bonds and rewards of appeals; bonds of disputed checkpoints; rewards for faults it has proven; and for the treasury the rest of what was slashed. With --rewards, what a node gets for idle work.',
  );
  command
    .option('--rewards', 'claim the rewards of a node for its idle work, epoch by epoch, by proof')
    .option('--content <dir...>', 'with --rewards: data folders of oracles, which have the checkpoints’ manifests');
  return withJson(withAccount(command, 'deployer'), 'pouw claim --role validator').action(
    async (options: RewardOptions & { readonly rewards?: boolean }) =>
      options.rewards === true
        ? (await import('./registry/rewards.ts')).claimRewards(options)
        : (await import('./registry/claim.ts')).claimEarnings(options),
  );
}

/** The account of a node: its role must be said, unless a private key is the account. */
function withNodeAccount(command: Command): Command {
  const done = withAccount(command, 'none');
  const role = done.options.find(({ long }) => long === '--role');
  if (role instanceof Option)
    role.description = 'the role whose account of the key file it is, and for `register` the node’s';
  role?.choices(roles);
  return done;
}
