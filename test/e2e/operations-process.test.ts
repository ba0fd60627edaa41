import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskId } from '../../src/core/ids.ts';
import { rootSpanOf, traceIdOf } from '../../src/core/trace-ids.ts';
import { exitCodes } from '../../src/cli/report-error.ts';
import { version } from '../../src/cli/version.ts';
import { httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../kit/otlp-receiver.ts';
import { type Ended, firstLine, killLeftovers, type ReadyLine, runPouw, spawnPouw } from '../kit/pouw-process.ts';
import { readMetrics, sumOf } from '../kit/prometheus.ts';

const place = scratch('operations-process');
let collector: OtlpReceiver;
let ready: ReadyLine & { readonly opsUrl: string };
let ended: Ended;
let task: TaskId;
let seen: { metrics: string; atGateway: string; ready: unknown; second: Ended };

beforeAll(async () => {
  collector = await startOtlpReceiver();
  const data = join(place.path, 'data');
  const pouw = spawnPouw(['start', '--json', '--port', '0', '--ops-port', '0', '--log-level', 'warn', '--data', data], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  ready = JSON.parse(await firstLine(pouw, (text) => text.includes('\n'))) as typeof ready;
  const client = httpClient(ready);
  const { id } = await client.submit('What is a dog?', 'first');
  task = id as TaskId;
  for await (const update of client.events(task)) if (update['type'] === 'verdict') break;
  const text = async (url: string): Promise<string> => (await fetch(url)).text();
  seen = {
    metrics: await text(`${ready.opsUrl}/metrics`),
    atGateway: await text(`${ready.url}/metrics`),
    ready: JSON.parse(await text(`${ready.opsUrl}/readyz`)),
    second: await runPouw(['start', '--data', join(place.path, 'other'), '--ops-port', new URL(ready.opsUrl).port]),
  };
  pouw.kill('SIGINT');
  ended = await pouw.ended;
});
afterAll(async () => {
  await killLeftovers(place.path);
  await collector.close();
  place.remove();
});

it('a started network serves its metrics at both doors, and says that it is ready', () => {
  expect(ready.opsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  for (const page of [seen.metrics, seen.atGateway]) {
    const samples = readMetrics(page);
    expect(sumOf(samples, 'pouw_tasks_settled_total')).toBe(1);
    expect(sumOf(samples, 'pouw_process_info', { version, role: 'network' })).toBe(1);
    expect(sumOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(page).not.toContain(ready.apiKey);
  }
  expect(seen.ready).toEqual({ status: 'ready', checks: { log: 'ok', chain: 'ok', miners: 'ok' } });
});

it('a network that is stopped exports its last spans first', () => {
  expect(ended).toMatchObject({ code: exitCodes.ok, stderr: '' });
  const spans = collector.spans.filter(({ traceId }) => traceId === traceIdOf(task));
  expect(spans.filter(({ id }) => id === rootSpanOf(task))).toHaveLength(1);
  expect(spans.map(({ name }) => name)).toContain('chain settleWith');
  const ids = new Set(spans.map(({ id }) => id));
  expect(spans.filter(({ parent }) => parent !== '' && !ids.has(parent))).toEqual([]);
});

it('an operations port that is taken is named, with the way out', () => {
  expect(seen.second.code).toBe(exitCodes.failed);
  expect(seen.second.stderr).toMatch(/error port_in_use: .*\n(.*\n)*.*--ops-port/);
});
