import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { refusals } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-refusals-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('finds what nodes and servers say of refused subjects, wherever a server has its log, but what comes late or tidies up', () => {
  const lines = {
    'miner-1/pouw.log':
      '{"level":"warn","subject":"pouw.v1.evt.>","message":"NATS refused a subject"}\n{"message":"ready"}',
    'router-1/pouw.log': '{"message":"ready"}',
    'oracle-1/pouw.log': [
      `{"subject":"_INBOX_0x${'ab'.repeat(20)}.x.1","operation":"publish","message":"NATS refused a subject"}`,
      '{"subject":"$JS.nodes.API.CONSUMER.DELETE.pouw_v1_evt.x","operation":"publish","message":"NATS refused a subject"}',
    ].join('\n'),
    'nats/server.log': '[ERR] 127.0.0.1:1 - cid:5 - Publish Violation - Nkey "UA", Subject "a"',
    'nats/pouw-2/server.log':
      '[ERR] 127.0.0.1:1 - cid:6 - Subscription Violation - Nkey "UB", Subject "b", SID 1\n[INF] hi',
  };
  for (const [name, text] of Object.entries(lines)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  expect(refusals(folder).map((line) => line.slice(-10))).toEqual([' subject"}', 'ubject "a"', '"b", SID 1']);
});
