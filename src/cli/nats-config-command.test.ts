import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { toAddress } from '../core/ids.ts';
import { publicKeys } from './keys-run.ts';
import { natsConfigCommand } from './nats-config-command.ts';
import { statusTable } from './status-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-nats-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function configOf(members: string): Promise<string> {
  const file = join(folder, 'members');
  writeFileSync(file, members);
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  const program = new Command().addCommand(natsConfigCommand().exitOverride()).exitOverride();
  await program.parseAsync(['nats-config', '--members', file, '--store', '/store'], { from: 'user' });
  return printed;
}

describe('the configuration of NATS', () => {
  it('has each member whose keys were collected, with the subjects of its own address', async () => {
    const router = publicKeys({ role: 'router', data: join(folder, 'router') });
    const miner = publicKeys({ role: 'miner', data: join(folder, 'miner') });
    const config = await configOf(`${JSON.stringify(router)}\n\n${JSON.stringify(miner)}\n`);
    for (const { nkey, role, address } of [router, miner]) {
      expect(config).toContain(nkey);
      expect(config).toContain(`pouw.v1.hb.${role}.${address}`);
    }
    expect(config).toContain('store_dir: "/store"');
    expect(config).toContain(`pouw.v1.tok.*.*.${miner.address}`);
    expect(config).not.toContain(`pouw.v1.tok.*.*.${router.address}`);
  });

  it.each(['', '\n', ' \n\n'])('is not made for nobody (%j): such a server takes everybody', async (members) => {
    await expect(configOf(members)).rejects.toMatchObject({ code: 'members_malformed', param: 'members' });
  });

  it.each(['a\nb', '', 'a b', 'x'.repeat(65), 'é'])('is refused the name %j', async (name) => {
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const program = new Command().addCommand(natsConfigCommand().exitOverride()).exitOverride();
    const asked = program.parseAsync(['nats-config', '--members', 'm', '--store', '/s', '--name', name], {
      from: 'user',
    });
    await expect(asked).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });

  let printed = '';
  const asked = (...more: readonly string[]): Promise<Command> => {
    printed = '';
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    const file = join(folder, 'one-member');
    writeFileSync(file, JSON.stringify(publicKeys({ role: 'miner', data: join(folder, 'miner') })));
    const program = new Command().addCommand(natsConfigCommand().exitOverride()).exitOverride();
    return program.parseAsync(['nats-config', '--members', file, '--store', '/s', ...more], { from: 'user' });
  };

  it.each(['nats-2', 'nats-2:', ':6222', 'nats-2:0', 'nats-2:65536', 'http://nats-2:6222', '::1:6222', 'a b:1'])(
    'is refused the route %j',
    async (route) => {
      await expect(asked('--cluster', 'c', '--route', route)).rejects.toMatchObject({
        code: 'commander.invalidArgument',
      });
    },
  );

  it('takes routes by name, by address, and by several', async () => {
    await asked('--cluster', 'c', '--route', 'nats-2.internal:6222', '[::1]:1', '127.0.0.1:65535');
    for (const one of ['nats-2.internal:6222', '[::1]:1', '127.0.0.1:65535']) expect(printed).toContain(one);
  });

  it.each(['tlsCert', 'tlsKey', 'tlsCa'] as const)('is not made with a %s that is not there', async (param) => {
    const there = join(folder, 'there.pem');
    writeFileSync(there, 'pem');
    const paths = { tlsCert: there, tlsKey: there, tlsCa: there, [param]: join(folder, 'nowhere.pem') };
    const files = ['--tls-cert', paths.tlsCert, '--tls-key', paths.tlsKey, '--tls-ca', paths.tlsCa];
    await expect(asked(...files)).rejects.toMatchObject({ code: 'file_unreadable', param });
    expect(printed).toBe('');
  });

  it.each([[['']], [['\ud800']], [Array.from({ length: 257 }, (_, index) => `m${index}`)]])(
    'is not made for a miner of the models %j',
    async (models) => {
      const member = { ...publicKeys({ role: 'miner', data: join(folder, 'miner') }), models };
      await expect(configOf(JSON.stringify(member))).rejects.toMatchObject({ code: 'members_malformed' });
    },
  );

  it('names the line of what is no member, and does not show what stands there', async () => {
    const good = JSON.stringify(publicKeys({ role: 'miner', data: join(folder, 'miner') }));
    const refused = configOf(`${good}\nSUSECRET\n`);
    await expect(refused).rejects.toMatchObject({ code: 'members_malformed', param: 'members' });
    await expect(refused).rejects.toThrow(/line 2/);
    await expect(refused).rejects.not.toThrow(/SUSECRET/);
  });
});

describe('the table of who is there', () => {
  it('has a line for each node, or says that there is none', () => {
    const address = toAddress(`0x${'ab'.repeat(20)}`);
    const node = { role: 'miner', address, models: ['m'], version: '0', startedAt: 0, host: 'here', pid: 7 } as const;
    const lines = statusTable([node, { ...node, role: 'oracle', models: [] }], 3_725_000).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^miner +0xabab…abab +m +here +7 +1 h 2 min$/);
    expect(lines[3]).toMatch(/^oracle .* – /);
    expect(statusTable([], 0)).toBe('Nobody is there.');
  });
});
