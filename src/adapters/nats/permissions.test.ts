import { describe, expect, test } from 'vitest';
import { type Role, roles, toAddress } from '../../core/ids.ts';
import { inboxPrefixOf } from './inbox-prefix.ts';
import { natsPermissions } from './permissions.ts';

const address = toAddress(`0x${'ab'.repeat(20)}`);
const a = address;

/** 8 MiB in parts of half of one, and one more, twice. */
const parts = ['a', 'b'].flatMap((slot) => Array.from({ length: 17 }, (_, index) => `.${slot}.${index}`));

/** What a node may do about its own stream and keys, whatever its role; the shard is from `printf STREAM | sha256sum`. */
function ownPublishes(role: Role, shard: string): string[] {
  const stream = `${role}.${a}`;
  const subject = `pouw.v1.evt.${shard}.${stream}`;
  const buckets = ['lease', 'snap', 'done', 'node'].flatMap((bucket) => {
    const [key, store] = [`$KV.pouw_v1_${bucket}.${stream}`, `KV_pouw_v1_${bucket}`];
    const read = (name: string): string => `$JS.nodes.API.DIRECT.GET.${store}.${name}`;
    const below: Readonly<Record<string, readonly string[]>> = { done: [`.cursor.chain.${a}`], snap: parts };
    const written = (below[bucket] ?? []).map((one) => key + one);
    const info = `$JS.nodes.API.STREAM.INFO.${store}`;
    return bucket === 'lease' ? [info] : [info, key, ...written, read(key), read(`${key}.>`)];
  });
  return [
    `pouw.v1.hb.${role}.${a}`,
    '_ANSWER.*.*.*',
    subject,
    '$JS.nodes.API.STREAM.INFO.pouw_v1_evt',
    `$JS.nodes.API.DIRECT.GET.pouw_v1_evt.${subject}`,
    `$JS.nodes.API.CONSUMER.CREATE.pouw_v1_evt.own_${a}.${subject}`,
    `$JS.nodes.API.CONSUMER.MSG.NEXT.pouw_v1_evt.own_${a}`,
    `$JS.nodes.API.CONSUMER.DELETE.pouw_v1_evt.own_${a}`,
    `pouw.v1.blk.want.*.${a}`,
    `pouw.v1.blk.offer.*.${a}`,
    `pouw.v1.blk.range.*.${a}`,
    ...buckets,
    ...(role === 'client' || role === 'router' ? [] : idlePublishes),
  ];
}

/** What a node may do besides about its part in idle rounds. */
const idlePublishes = [
  `pouw.v1.evt.42.network.${a}`,
  `$JS.nodes.API.DIRECT.GET.pouw_v1_evt.pouw.v1.evt.42.network.${a}`,
  `$JS.nodes.API.CONSUMER.CREATE.pouw_v1_evt.own_${a}.pouw.v1.evt.42.network.${a}`,
  ...['snap', 'done'].flatMap((bucket) => {
    const key = `$KV.pouw_v1_${bucket}.network.${a}`;
    const read = `$JS.nodes.API.DIRECT.GET.KV_pouw_v1_${bucket}`;
    const below = bucket === 'snap' ? parts.map((part) => key + part) : [];
    return [key, ...below, `${read}.${key}`, `${read}.${key}.>`];
  }),
];

/** Where every node hears what others want of it. */
const blockSubjects = ['pouw.v1.blk.want.*.*', `pouw.v1.blk.offer.${a}.*`, `pouw.v1.blk.range.${a}.*`];

describe('the permissions of', () => {
  test('a miner are its own things, its tokens, and the jobs for its models', () => {
    const jobs = '$JS.nodes.API.CONSUMER.MSG.NEXT.pouw_v1_job.org=2fchat-1=2e7';
    expect(natsPermissions({ role: 'miner', address, models: ['org/chat-1.7', 'mini'] })).toEqual({
      publish: [
        ...ownPublishes('miner', '44'),
        `pouw.v1.tok.*.*.${a}`,
        `pouw.v1.cmd.router.*.carry.${a}`,
        '$JS.nodes.API.STREAM.INFO.pouw_v1_job',
        '$JS.nodes.API.STREAM.INFO.pouw_v1_dead',
        'pouw.v1.dead.org=2fchat-1=2e7',
        `pouw.v1.cmd.router.*.claim.${a}`,
        '$JS.nodes.API.CONSUMER.INFO.pouw_v1_job.org=2fchat-1=2e7',
        jobs,
        '$JS.ACK.pouw_v1_job.org=2fchat-1=2e7.>',
        'pouw.v1.dead.mini',
        '$JS.nodes.API.CONSUMER.INFO.pouw_v1_job.mini',
        '$JS.nodes.API.CONSUMER.MSG.NEXT.pouw_v1_job.mini',
        '$JS.ACK.pouw_v1_job.mini.>',
      ],
      subscribe: [
        `_INBOX_${a}.>`,
        `_ANSWER.${a}.>`,
        `pouw.v1.cmd.miner.${a}.accept.*`,
        `pouw.v1.cmd.miner.${a}.job.*`,
        `pouw.v1.cmd.miner.${a}.cancel.*`,
        `pouw.v1.cmd.miner.${a}.resend.*`,
        `pouw.v1.cmd.miner.${a}.show.*`,
        `pouw.v1.new.44.miner.${a}`,
        ...blockSubjects,
        `pouw.v1.new.42.network.${a}`,
      ],
    });
  });

  test('a validator are its own things, what a router is to carry, and what validators ask of each other', () => {
    expect(natsPermissions({ role: 'validator', address })).toEqual({
      publish: [
        ...ownPublishes('validator', '05'),
        `pouw.v1.cmd.router.*.carry.${a}`,
        `pouw.v1.cmd.validator.*.sign-round.${a}`,
      ],
      subscribe: [
        `_INBOX_${a}.>`,
        `_ANSWER.${a}.>`,
        `pouw.v1.cmd.validator.${a}.validate.*`,
        `pouw.v1.cmd.validator.${a}.sign-round.*`,
        `pouw.v1.new.05.validator.${a}`,
        ...blockSubjects,
        `pouw.v1.new.42.network.${a}`,
      ],
    });
  });

  test('an oracle are its own things, the log that it reads, and what oracles ask of each other', () => {
    expect(natsPermissions({ role: 'oracle', address })).toEqual({
      publish: [
        ...ownPublishes('oracle', '15'),
        '$JS.nodes.API.DIRECT.GET.pouw_v1_evt.>',
        '$JS.nodes.API.CONSUMER.CREATE.pouw_v1_evt',
        '$JS.nodes.API.CONSUMER.CREATE.pouw_v1_evt.>',
        '$JS.nodes.API.CONSUMER.MSG.NEXT.pouw_v1_evt.*',
        '$JS.nodes.API.CONSUMER.INFO.pouw_v1_evt.*',
        '$JS.nodes.API.CONSUMER.DELETE.pouw_v1_evt.*',
        '$JS.FC.pouw_v1_evt.>',
        '$JS.nodes.API.STREAM.MSG.GET.pouw_v1_evt',
        '$JS.nodes.API.DIRECT.GET.pouw_v1_evt',
        `pouw.v1.cmd.oracle.*.sign-checkpoint.${a}`,
        `pouw.v1.cmd.oracle.*.sign-ruling.${a}`,
      ],
      subscribe: [
        `_INBOX_${a}.>`,
        `_ANSWER.${a}.>`,
        `pouw.v1.cmd.oracle.${a}.sign-checkpoint.*`,
        `pouw.v1.cmd.oracle.${a}.sign-ruling.*`,
        `pouw.v1.new.15.oracle.${a}`,
        ...blockSubjects,
        `pouw.v1.new.42.network.${a}`,
        'pouw.v1.new.>',
      ],
    });
  });

  test('a client are its own things and the tokens of its sessions', () => {
    const session = '31337-abcdef01-7' as never;
    expect(natsPermissions({ role: 'client', address, sessions: [session] })).toEqual({
      publish: [...ownPublishes('client', '23'), `pouw.v1.cmd.router.*.bind-key.${a}`],
      subscribe: [
        `_INBOX_${a}.>`,
        `_ANSWER.${a}.>`,
        `pouw.v1.new.23.client.${a}`,
        ...blockSubjects,
        'pouw.v1.tok.31337-abcdef01-7.*.*',
      ],
    });
  });

  test('a router are its own things, what it leads, and hearing everybody', () => {
    const { publish, subscribe } = natsPermissions({ role: 'router', address });
    // One for each place that a router can have among those that the terms of a session name.
    const leases = Array.from({ length: 16 }, (_, n) => `$KV.pouw_v1_lease.sessions.*.${'*.'.repeat(n)}${a}.>`);
    expect(subscribe).toEqual([
      `_INBOX_${a}.>`,
      `_ANSWER.${a}.>`,
      `pouw.v1.cmd.router.${a}.bind-key.*`,
      `pouw.v1.cmd.router.${a}.claim.*`,
      `pouw.v1.cmd.router.${a}.submit.*`,
      `pouw.v1.cmd.router.${a}.plan.*`,
      `pouw.v1.cmd.router.${a}.cancel.*`,
      `pouw.v1.cmd.router.${a}.keep.*`,
      `pouw.v1.cmd.router.${a}.carry.*`,
      `pouw.v1.new.41.router.${a}`,
      ...blockSubjects,
      'pouw.v1.hb.*.*',
      'pouw.v1.new.>',
      'pouw.v1.tok.*.*.*',
    ]);
    expect(publish.filter((subject) => subject.startsWith('pouw.'))).toEqual([
      `pouw.v1.hb.router.${a}`,
      `pouw.v1.evt.41.router.${a}`,
      `pouw.v1.blk.want.*.${a}`,
      `pouw.v1.blk.offer.*.${a}`,
      `pouw.v1.blk.range.*.${a}`,
      `pouw.v1.cmd.miner.*.accept.${a}`,
      `pouw.v1.cmd.miner.*.job.${a}`,
      `pouw.v1.cmd.miner.*.cancel.${a}`,
      `pouw.v1.cmd.miner.*.resend.${a}`,
      `pouw.v1.cmd.miner.*.show.${a}`,
      `pouw.v1.cmd.validator.*.validate.${a}`,
      `pouw.v1.cmd.router.*.submit.${a}`,
      `pouw.v1.cmd.router.*.plan.${a}`,
      `pouw.v1.cmd.router.*.cancel.${a}`,
      `pouw.v1.cmd.router.*.keep.${a}`,
      'pouw.v1.evt.*.session.*',
      'pouw.v1.job.*',
      'pouw.v1.dead.*',
    ]);
    expect(publish).toEqual(expect.arrayContaining(ownPublishes('router', '41')));
    expect(publish.filter((subject) => subject.startsWith('$KV.pouw_v1_lease.sessions.'))).toEqual(leases);
    expect(publish.filter((subject) => subject.startsWith('$KV.') && !subject.includes(a))).toEqual([
      '$KV.pouw_v1_lease.anchor',
      '$KV.pouw_v1_snap.session.*',
      '$KV.pouw_v1_snap.session.*.>',
      '$KV.pouw_v1_done.session.*',
      '$KV.pouw_v1_done.session.*.>',
    ]);
  });

  test('an observer are to hear and read, and to write nothing', () => {
    const { publish, subscribe } = natsPermissions({ role: 'observer', address });
    expect(subscribe).toEqual([`_INBOX_${a}.>`, `_ANSWER.${a}.>`, 'pouw.v1.hb.*.*', 'pouw.v1.new.>']);
    expect(
      publish.filter(
        (subject) => !/^\$JS\.(nodes\.API\.(STREAM\.INFO|STREAM\.MSG\.GET|DIRECT\.GET|CONSUMER)|FC)\./.test(subject),
      ),
    ).toEqual([]);
  });

  test('an operator are JetStream, and no message of the network', () => {
    expect(natsPermissions({ role: 'operator', address })).toEqual({
      publish: ['$JS.API.>', '$JS.nodes.API.>', '$JS.ACK.>', '$JS.FC.>'],
      subscribe: [`_INBOX_${a}.>`, `_ANSWER.${a}.>`, 'pouw.v1.>'],
    });
  });
});

describe('nobody but an operator', () => {
  const others = [...roles, 'observer' as const].map((role) => ({
    role,
    ...natsPermissions({ role, address, models: ['m'] }),
  }));

  test.each(others)('may change or delete a stream: not a $role', ({ publish }) => {
    const changing = publish.filter((subject) =>
      /^\$JS\.(?:nodes\.)?API\.(STREAM\.(?!INFO|MSG\.GET)|ACCOUNT|META|SERVER|>|\*)/.test(subject),
    );
    expect(changing).toEqual([]);
  });

  test.each(others)('hears answers to others: not a $role', ({ subscribe }) => {
    const wide = subscribe.filter((subject) => /^([*>]|_INBOX|_ANSWER)/.test(subject));
    expect(wide).toEqual([`${inboxPrefixOf(address)}.>`, `_ANSWER.${address}.>`]);
  });
});
