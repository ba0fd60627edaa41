import { InvalidArgumentError, Option } from 'commander';
import { type DeviceChoice, devices } from '../adapters/transformers/devices.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import { idleRoundsChoices } from '../core/idle-rounds.ts';
import { schedulings } from '../core/scheduling.ts';
import { settlements } from '../core/settlement.ts';
import { isHttpUrl, rpcUrls } from './config/rpc-urls.ts';
import { type AttackSpec, parseAttack } from '../sim/attacks/table.ts';

/** A whole number between two bounds, both included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** How many NATS servers keep each commit. */
export function replicaCount(text: string): 1 | 3 | 5 {
  const count = ([1, 3, 5] as const).find((one) => String(one) === text);
  if (count !== undefined) return count;
  throw new InvalidArgumentError('It must be 1, 3 or 5.');
}

/** One `--attack NAME@COUNT`; may be given several times. */
export function attackOption(text: string, before: readonly AttackSpec[]): AttackSpec[] {
  try {
    return [...before, parseAttack(text)];
  } catch (error) {
    const hint = error instanceof PouwError && error.hint !== undefined ? ` ${error.hint}` : '';
    throw new InvalidArgumentError(`${errorMessage(error)}${hint}`);
  }
}

/** An `http(s)://` address of a JSON-RPC endpoint. */
export function rpcUrlOption(text: string): string {
  if (isHttpUrl(text)) return text;
  throw new InvalidArgumentError('It must be an http:// or https:// address.');
}

/** One or several endpoints of one chain: commas between them, or the option given again. The first is preferred. */
export function rpcUrlsOption(text: string, before: readonly string[] | undefined): readonly string[] {
  const urls = rpcUrls(text);
  if (urls.every(isHttpUrl)) return [...(before ?? []), ...urls];
  throw new InvalidArgumentError('It must be an http:// or https:// address, or several with commas between them.');
}

/** A folder. An empty name would be the current one, as a variable that is not set gives it. */
export function folderOption(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must name a folder.');
}

/** A seed. An empty one would look like a fresh one, as a variable that is not set gives it. */
export function seedOption(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}

/** A sampling temperature, 0 to 2. */
export function temperatureOption(text: string): number {
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 2) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 2.');
}

/** `--scheduling`, with the default of the configuration. */
export function schedulingOption(): Option {
  return new Option('--scheduling <mode>', 'how routers find miners: draw them, or take those who come first')
    .choices(schedulings)
    .default(schedulings[0]);
}

/** `--idle-rounds`, with the default of the configuration. */
export function idleRoundsOption(): Option {
  return new Option('--idle-rounds <off|on>', 'whether idle nodes work on idle rounds, which cost gas and earn rewards')
    .choices(idleRoundsChoices)
    .default(idleRoundsChoices[0]);
}

/** `--settlement`, with the default of the terms. */
export function settlementOption(): Option {
  return new Option('--settlement <mode>', 'each task settled by itself, or many together in batches')
    .choices(settlements)
    .default(settlements[0]);
}

/** A device by name. */
export function deviceOption(text: string): DeviceChoice {
  const choices: readonly DeviceChoice[] = ['auto', ...devices];
  const found = choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
}
