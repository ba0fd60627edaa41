import { join } from 'node:path';
import { userHome } from '../adapters/process/user-home.ts';

/**
 * Where pouw keeps what it can fetch again, such as a NATS server: the user's cache folder of the platform.
 *
 * @throws PouwError `home_unknown`.
 */
export function defaultCacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment['POUW_CACHE'] !== undefined && environment['POUW_CACHE'] !== '') return environment['POUW_CACHE'];
  if (platform === 'darwin') return join(userHome(), 'Library', 'Caches', 'pouw');
  if (platform === 'win32') {
    return join(environment['LOCALAPPDATA'] ?? join(userHome(), 'AppData', 'Local'), 'pouw', 'cache');
  }
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(userHome(), '.cache'), 'pouw');
}
