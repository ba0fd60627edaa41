import { expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { renderServerConfig } from './server-config.ts';

const plain = { name: 'pouw', host: '127.0.0.1', port: 4222 };

const bounds = `max_pending: ${limits.natsPendingBytesMax}\nmax_subscriptions: ${limits.natsSubscriptionsMax}`;

test('a plain server says little', () => {
  expect(renderServerConfig(plain)).toBe(
    `server_name: "pouw"\nlisten: "127.0.0.1:4222"\nmax_payload: ${limits.natsPayloadBytesMax}\n${bounds}\n`,
  );
});

test('a server with everything', () => {
  const tls = { certFile: '/c.pem', keyFile: '/k.pem', caFile: '/ca.pem' };
  const text = renderServerConfig({
    ...plain,
    monitorPort: 8222,
    logFile: '/var/log/a "quoted" name.log',
    maxPayloadBytes: 2_000_000,
    jetStream: { directory: '/store', maxFileBytes: 1_000, sync: 500 },
    tls: { ...tls, verifyClients: true },
    cluster: { name: 'c', port: 6222, routes: ['10.0.0.2:6222', '10.0.0.3:6222'], tls },
    users: [{ nkey: 'UABC', publish: ['a.b'], subscribe: ['_INBOX.>', 'c.*'] }],
  });
  expect(text).toBe(`server_name: "pouw"
listen: "127.0.0.1:4222"
max_payload: 2000000
${bounds}
http: "127.0.0.1:8222"
log_file: "/var/log/a \\"quoted\\" name.log"
logfile_size_limit: 10485760
logfile_max_num: 3
jetstream {
  store_dir: "/store"
  max_file_store: 1000
  sync_interval: "500ms"
}
tls {
  cert_file: "/c.pem"
  key_file: "/k.pem"
  ca_file: "/ca.pem"
  verify: true
}
cluster {
  name: "c"
  listen: "127.0.0.1:6222"
  routes: [
    "nats-route://10.0.0.2:6222"
    "nats-route://10.0.0.3:6222"
  ]
  tls {
    cert_file: "/c.pem"
    key_file: "/k.pem"
    ca_file: "/ca.pem"
    verify: true
  }
}
authorization {
  users: [
    {
      nkey: "UABC"
      permissions {
        publish: [
          "a.b"
        ]
        subscribe: [
          "_INBOX.>"
          "c.*"
        ]
      }
    }
  ]
}
`);
});

test('a user without subjects gets none, which an empty list would not say', () => {
  const user = { nkey: 'UABC', publish: [], subscribe: [] };
  expect(renderServerConfig({ ...plain, users: [user] })).toContain(`      permissions {
        publish {
          deny: ">"
        }
        subscribe {
          deny: ">"
        }
      }`);
});

test('what was acknowledged is on the disk unless asked otherwise', () => {
  expect(renderServerConfig({ ...plain, jetStream: { directory: '/s' } })).toContain('sync_interval: always');
});

test('a name or path that the format cannot carry is a mistake of ours', () => {
  expect(() => renderServerConfig({ ...plain, name: 'a\nauthorization {}' })).toThrow('control characters');
});
