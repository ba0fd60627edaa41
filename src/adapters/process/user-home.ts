import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { PouwError } from '../../core/errors.ts';

/** What the system knows of the user; of `node:os`. */
export interface UserSource {
  /** The environment's word for it first. */
  readonly homedir: () => string;
  /** The system's list of users; throws where the user is not in it. */
  readonly listed: () => string;
}

const system: UserSource = { homedir, listed: () => userInfo().homedir };

/**
 * The user's home folder. An environment that names none, or one that depends on where the process stands, does not count:
 * data would be written wherever that happens to be.
 *
 * @throws PouwError `home_unknown`.
 */
export function userHome({ homedir: named, listed }: UserSource = system): string {
  for (const find of [named, listed]) {
    const home = tried(find);
    if (home !== undefined && isAbsolute(home)) return home;
  }
  throw new PouwError('home_unknown', 'Nothing says where this user’s home folder is.', {
    class: 'unavailable',
    why: 'HOME names no absolute path, and the system does not list the user.',
    hint: 'Set HOME, or POUW_DATA and POUW_CACHE, to absolute paths.',
  });
}

function tried(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
