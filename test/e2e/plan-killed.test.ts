import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditChain } from '../kit/chain-audit.ts';
import { type Body, httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, runPouw, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

const place = scratch('plan-killed');
const files = scratch('plan-files');
const file = join(files.path, 'plan.json');
const steps = [
  { name: 'first', prompt: 'Define dog.', max_tokens: 16 },
  { name: 'second', prompt: 'Define: {{first}}', after: ['first'], max_tokens: 64 },
  { name: 'third', prompt: 'Define: {{second}} {{first}}', after: ['second', 'first'], max_tokens: 16 },
];
let pouw: StartedPouw;

beforeAll(async () => {
  writeFileSync(file, JSON.stringify({ request_id: 'killed', steps }));
  pouw = await startPouw(place.path);
}, 150_000);
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
  files.remove();
});

const door = (): string[] => ['--url', `${pouw.ready.url}/v1`, '--key', pouw.ready.apiKey];
const stepsOf = (plan: Body): readonly Body[] => plan['steps'] as Body[];

describe('pouw plan', () => {
  it('goes on with a plan whose network was killed in the middle of its second step', async () => {
    const client = httpClient(pouw.ready);
    const { id, state } = await client.post('/v1/plans', { request_id: 'killed', steps });
    expect(state).toBe('running');
    const second = async (): Promise<unknown> => stepsOf(await client.get(`/v1/plans/${String(id)}`))[1]?.['state'];
    await expect
      .poll(second, { timeout: 60_000, interval: 10 })
      .toMatch(/assigned|executing|precommitted|committed|validated/);
    pouw.kill('SIGKILL');
    await pouw.ended;
    pouw = await startPouw(place.path);
    const { code, stdout, stderr } = await runPouw(['plan', 'run', file, '--json', ...door()]);
    expect([code, stderr]).toEqual([0, '']);
    const plan = JSON.parse(stdout) as Body;
    expect([plan['id'], plan['state']]).toEqual([id, 'settled']);
    expect(stepsOf(plan).map((step) => [step['name'], step['state']])).toEqual([
      ['first', 'settled'],
      ['second', 'settled'],
      ['third', 'settled'],
    ]);
    const audit = await auditChain(pouw.ready.rpcUrl, place.path);
    expect([...audit.submitted.values()].every((times) => times === 1)).toBe(true);
  });

  it('shows one, and says what is wrong with another', async () => {
    const { id } = await httpClient(pouw.ready).post('/v1/plans', { request_id: 'killed', steps });
    const shown = await runPouw(['plan', 'show', String(id), ...door()]);
    expect(shown.stdout).toMatch(/second +settled +0\.\d+/);
    const none = await runPouw(['plan', 'show', `0x${'00'.repeat(32)}`, ...door()]);
    expect([none.code === 0, none.stderr]).toEqual([false, expect.stringContaining('plan_not_found')]);
    const unreadable = await runPouw(['plan', 'run', join(files.path, 'none.json'), ...door()]);
    expect(unreadable.stderr).toContain('plan_file_unreadable');
    const keyless = await runPouw(['plan', 'run', file, '--url', pouw.ready.url], { POUW_KEY: '' });
    expect(keyless.stderr).toContain('api_key_missing');
    const nobody = await runPouw(['plan', 'run', file, '--url', 'http://127.0.0.1:9/v1', '--key', 'k']);
    expect(nobody.stderr).toContain('network_unreachable');
  });

  it('fails with the plan, and the log of all of it verifies', async () => {
    const failing = join(files.path, 'failing.json');
    const doomed = [
      { name: 'a', prompt: 'Define water.', max_tokens: 300 },
      { name: 'b', prompt: '{{a}}', after: ['a'] },
    ];
    writeFileSync(failing, JSON.stringify({ request_id: 'failing', steps: doomed }));
    const client = httpClient(pouw.ready);
    const { id, steps: made } = await client.post('/v1/plans', { request_id: 'failing', steps: doomed });
    await client.cancel(String((made as Body[])[0]?.['id']));
    const { code, stderr, stdout } = await runPouw(['plan', 'run', failing, ...door()]);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('plan_failed')]);
    expect(stdout).toContain(`plan ${String(id)}: failed`);
    const verified = await runPouw(['log', 'verify', place.path]);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('OK: every hash')]);
  });
});
