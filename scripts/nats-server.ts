/**
 * `npm run nats-server`: finds a NATS server for this machine, fetches one into the user's cache folder where there is
 * none, and prints its path. The exit code is 1 where none can be had, with what to do.
 */
import { findNatsServer } from '../src/adapters/nats/server/find-server.ts';
import { defaultCacheFolder } from '../src/cli/cache-folder.ts';
import { PouwError } from '../src/core/errors.ts';

try {
  const { path, version, origin } = await findNatsServer({
    cacheFolder: defaultCacheFolder(),
    onProgress: (what) => console.error(what),
  });
  console.error(`nats-server ${version} (${origin})`);
  console.log(path);
} catch (error) {
  if (!(error instanceof PouwError)) throw error;
  console.error(error.explain());
  process.exitCode = 1;
}
