import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where pouw keeps what it can fetch again, such as a NATS server: the user's cache folder of the platform. */
export function defaultCacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment['POUW_CACHE'] !== undefined && environment['POUW_CACHE'] !== '') return environment['POUW_CACHE'];
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'pouw');
  if (platform === 'win32') {
    return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'pouw', 'cache');
  }
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'pouw');
}
