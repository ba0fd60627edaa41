import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Hex } from '../../core/hash.ts';
import { type Address, isAddress, isSessionId, roles, type SessionId, toAddress } from '../../core/ids.ts';
import { type Wei, wei } from '../../core/wei.ts';
import { folderOption, rpcUrlsOption, wholeNumber } from '../parse-options.ts';

/** Where chain and contracts are. */
export function withPlace(command: Command): Command {
  return command
    .option(
      '--data <dir>',
      'data folder of a network or node: its chain, its contracts, its keys (POUW_DATA, default below the user’s data folder)',
      folderOption,
    )
    .option(
      '--rpc <url>',
      'endpoint of the chain, several with commas between them (POUW_RPC); default the chain that runs on --data',
      rpcUrlsOption,
    )
    .option('--deployment <file>', 'the deployment.json of the contracts (POUW_DEPLOYMENT); default the one in --data');
}

/** Whose account, beside {@link withPlace}; `role` is the one that is meant where none is named. */
export function withAccount(command: Command, role: string): Command {
  return withPlace(command)
    .option(
      '--key <file>',
      'key file of the account (POUW_KEY); default keys.json in --data. A private key may be in POUW_ACCOUNT_KEY instead',
    )
    .addOption(
      new Option('--role <role>', `whose account of the key file (default: ${role})`).choices([...roles, 'deployer']),
    )
    .option('--index <number>', 'which one of that role, from 0', wholeNumber(0, 1_000_000));
}

/** An id for what a command does: with the same one it is done once, however often the command is run. */
export function withRequestId(command: Command): Command {
  return command.option(
    '--request-id <text>',
    'do it once under this name; default made of what is asked for, so that the same command does nothing twice',
    requestIdOption,
  );
}

/** `--json`, and an example below the help. */
export function withJson(command: Command, example: string): Command {
  return command.option('--json', 'print one JSON line').addHelpText('after', `\nExample:\n  ${example}`);
}

function requestIdOption(text: string): string {
  if (/^[\w.:-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 letters, digits and . _ : -');
}

/** An amount of $COR: `12`, `0.5`, or `500wei`. */
export function amountOption(text: string): Wei {
  const inWei = /^(\d{1,39})wei$/.exec(text)?.[1];
  if (inWei !== undefined) return wei(inWei);
  const [, whole, fraction = ''] = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (whole !== undefined) return wei(BigInt(whole) * 10n ** 18n + BigInt(fraction.padEnd(18, '0')));
  throw new InvalidArgumentError('It must be an amount of $COR such as 12 or 0.5, or of wei such as 500wei.');
}

/** {@link amountOption} that is more than nothing. */
export function positiveAmountOption(text: string): Wei {
  const amount = amountOption(text);
  if (amount !== '0') return amount;
  throw new InvalidArgumentError('It must be more than nothing.');
}

/** An account's address. */
export function addressOption(text: string): Address {
  if (isAddress(text)) return toAddress(text);
  throw new InvalidArgumentError('It must be an address: 0x and 40 hex digits.');
}

/** {@link addressOption}, several times. */
export function addressesOption(text: string, before: readonly Address[] | undefined): readonly Address[] {
  return [...(before ?? []), addressOption(text)];
}

/** The id of a session. */
export function sessionOption(text: string): SessionId {
  if (isSessionId(text)) return text;
  throw new InvalidArgumentError('It must be a session id such as 31337-de75a151-1.');
}

/** An Ed25519 public key. */
export function signingKeyOption(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('It must be a public key: 0x and 64 hex digits.');
}
