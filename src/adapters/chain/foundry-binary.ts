import { createRequire } from 'node:module';
import { PouwError } from '../../core/errors.ts';

/** A program of Foundry that npm installs. */
export type FoundryTool = 'anvil' | 'forge' | 'cast';

/** What Foundry's packages call Node's `process.arch`. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The path of a Foundry program for a platform, by default this one. It is the program itself and not npm's wrapper:
 * that one takes 70 ms to start and leaves the program running when it is killed.
 *
 * @throws PouwError `foundry_missing`.
 */
export function foundryBinary(
  tool: FoundryTool,
  platform: string = process.platform,
  architecture: string = process.arch,
): string {
  const name = `@foundry-rs/${tool}-${platform}-${architectures[architecture] ?? architecture}`;
  const file = platform === 'win32' ? `${tool}.exe` : tool;
  try {
    // Asked from the wrapper's place, because the platform's package is a dependency of the wrapper and not ours.
    const wrapper = createRequire(import.meta.url).resolve(`@foundry-rs/${tool}/package.json`);
    return createRequire(wrapper).resolve(`${name}/bin/${file}`);
  } catch (cause) {
    throw new PouwError('foundry_missing', `Foundry's ${tool} is not installed.`, {
      class: 'unavailable',
      why: `The package ${name} cannot be found.`,
      hint: 'Run npm ci again, without --omit=optional. For a network without its own chain, name another with --rpc.',
      details: { package: name },
      cause,
    });
  }
}
