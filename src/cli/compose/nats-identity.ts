import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnectOptions } from '../../adapters/nats/connect.ts';
import { nkeyFileName } from '../../adapters/nats/nkey-file.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Address, Role } from '../../core/ids.ts';
import type { NodeConfig } from '../config/schema.ts';

/** How a node shows itself to NATS: name, inbox of its own, key (the one it is told, else the one in its folder), certificate. */
export function natsIdentity(config: NodeConfig, role: Role, address: Address, folder: string): NatsConnectOptions {
  const { nats, natsCa, natsCert, natsCertKey } = config;
  const ownKey = join(folder, nkeyFileName);
  const natsKey = config.natsKey ?? (existsSync(ownKey) ? ownKey : undefined);
  const tls = {
    ...(natsCa === undefined ? {} : { caFile: natsCa }),
    ...(natsCert === undefined ? {} : { certFile: natsCert }),
    ...(natsCertKey === undefined ? {} : { keyFile: natsCertKey }),
  };
  return {
    servers: nats,
    name: `pouw ${role} ${address}`,
    inboxPrefix: `_INBOX_${address}`,
    ...(natsKey === undefined ? {} : { nkeySeed: readSeed(natsKey) }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

function readSeed(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new PouwError('invalid_nats_key', `The file ${path} with the key for NATS cannot be read.`, {
      class: 'invalid',
      why: errorMessage(cause),
      hint: '`pouw keys` writes one.',
      cause,
    });
  }
}
