import { connectNats } from '../adapters/nats/connect.ts';
import type { NatsLink } from '../adapters/nats/link.ts';
import { addressOfNkey, readNkeyFile } from '../adapters/nats/nkey-file.ts';
import { inboxPrefixOf } from '../adapters/nats/inbox-prefix.ts';
import type { NatsPeerOptions } from './nats-options.ts';

/** Connects as who is no node: an operator, an observer, or anybody where the servers ask for no key. */
export async function connectPeer(name: string, options: NatsPeerOptions): Promise<NatsLink> {
  const { nats, natsKey, natsCa, natsCert, natsCertKey } = options;
  const key = natsKey === undefined ? undefined : readNkeyFile(natsKey);
  const tls = {
    ...(natsCa === undefined ? {} : { caFile: natsCa }),
    ...(natsCert === undefined ? {} : { certFile: natsCert }),
    ...(natsCertKey === undefined ? {} : { keyFile: natsCertKey }),
  };
  return connectNats({
    servers: nats,
    name,
    ...(key === undefined ? {} : { nkeySeed: key.seed, inboxPrefix: inboxPrefixOf(addressOfNkey(key.nkey)) }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  });
}
