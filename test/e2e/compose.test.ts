import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeRun } from '../kit/compose-run.ts';
import { scratch } from '../kit/local-network.ts';
import { firstLine } from '../kit/pouw-process.ts';

const place = scratch('compose');
const compose = new ComposeRun(place.path);
let isDown = false;

beforeAll(() => compose.up());
afterAll(async () => {
  if (!isDown) await compose.down();
  place.remove();
});

/** What a process has printed after a name. */
async function printed(service: string, name: string): Promise<string> {
  const pattern = new RegExp(`^  ${name} +(\\S+)$`, 'm');
  return pattern.exec(await firstLine(compose.process(service), (text) => pattern.test(text)))?.[1] ?? '';
}

async function ask(url: string, key: string): Promise<{ status: number; state: string | undefined }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'pebble-chat',
      max_tokens: 24,
      messages: [{ role: 'user', content: 'Define dog.' }],
    }),
  });
  const answer = (await response.json()) as { x_pouw?: { state: string } };
  return { status: response.status, state: answer.x_pouw?.state };
}

// No container is started here: the commands, settings and scripts of compose.yaml are run as processes.
describe('the network of compose.yaml', () => {
  it('has its contracts and its streams made by one command each, which then end', async () => {
    const ended = await Promise.all(['deploy', 'prepare'].map((name) => compose.process(name).ended));
    expect(ended.map(({ code, stderr }) => [code, stderr.includes('error')])).toEqual([
      [0, false],
      [0, false],
    ]);
  });

  it('answers a question with the key that the client prints', async () => {
    const key = await printed('client', 'apiKey');
    const answers: { status: number; state: string | undefined }[] = [];
    // Only the router that owns the session has to know it.
    for (const router of ['router-1', 'router-2']) answers.push(await ask(await printed(router, 'url'), key));
    expect(answers).toContainEqual({ status: 200, state: 'settled' });
  });

  it('shows every node to an observer, and every metric to Prometheus', async () => {
    await Promise.all(compose.nodes.map((name) => printed(name, 'address')));
    const status = await compose.start('status').ended;
    expect(status).toMatchObject({ code: 0 });
    const roles = status.stdout.split('\n').flatMap((line) => /^(\w+) +0x/.exec(line)?.[1] ?? []);
    const wanted = compose.nodes.map((name) => name.replace(/-\d$/, ''));
    expect(roles.toSorted()).toEqual(wanted.toSorted());
    for (const name of compose.nodes) expect(await compose.metrics(name)).toContain('pouw_process_info');
    for (const router of ['router-1', 'router-2'])
      expect(await compose.metrics(router)).toMatch(/^pouw_http_requests_total\{.*\} \d+$/m);
  });

  it('ends in good order when it is told to', async () => {
    isDown = true;
    const ended = await compose.down();
    expect(ended.map(({ code }) => code)).toEqual(compose.nodes.map(() => 0));
  });
});
