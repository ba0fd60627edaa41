import { join } from 'node:path';
import { userHome } from '../adapters/process/user-home.ts';

/**
 * Where pouw keeps its data unless `--data` says otherwise: the user's data folder of the platform.
 *
 * @throws PouwError `home_unknown`.
 */
export function defaultDataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment['POUW_DATA'] !== undefined && environment['POUW_DATA'] !== '') return environment['POUW_DATA'];
  if (platform === 'darwin') return join(userHome(), 'Library', 'Application Support', 'pouw');
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(userHome(), 'AppData', 'Local'), 'pouw');
  const base = environment['XDG_DATA_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(userHome(), '.local', 'share'), 'pouw');
}
