import { errorMessage } from '../../core/errors.ts';
import { greeting, type GreetingOptions, type NatsServerInfo } from './server-info.ts';
import { isNatsVersionEnough, requireNatsVersion } from './server/server-version.ts';

/**
 * The servers in the order to try them: those that say they are what pouw needs first, in random order, so that nodes
 * spread over them. The vendor's client is led to no other: one that takes connections and says nothing would leave a
 * socket behind at each try that keeps the process from ending, and it cannot read every version.
 *
 * @throws PouwError `nats_too_old` where all that answer are too old; Error that says why none answers.
 */
export async function answeringFirst(servers: readonly string[], options: GreetingOptions): Promise<string[]> {
  const greeted = await Promise.allSettled(servers.map((url) => greeting(url, options)));
  options.signal?.throwIfAborted();
  const infos = new Map<string, NatsServerInfo>();
  const reasons = new Set<string>();
  for (const [index, result] of greeted.entries()) {
    if (result.status === 'fulfilled') infos.set(servers[index] as string, result.value);
    else reasons.add(errorMessage(result.reason));
  }
  if (infos.size === 0) throw new Error([...reasons].join('; '));
  const fit = [...infos].filter(([, { version }]) => isNatsVersionEnough(String(version))).map(([url]) => url);
  if (fit.length === 0) for (const [url, { version }] of infos) requireNatsVersion(String(version), url);
  const first = shuffled(fit);
  return [...first, ...servers.filter((url) => !first.includes(url))];
}

function shuffled(urls: readonly string[]): string[] {
  return urls
    .map((url) => ({ url, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ url }) => url);
}
