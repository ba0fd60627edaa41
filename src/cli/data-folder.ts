import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where pouw keeps its data unless `--data` says otherwise: the user's data folder of the platform. */
export function defaultDataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment['POUW_DATA'] !== undefined && environment['POUW_DATA'] !== '') return environment['POUW_DATA'];
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'pouw');
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'pouw');
  const base = environment['XDG_DATA_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.local', 'share'), 'pouw');
}
