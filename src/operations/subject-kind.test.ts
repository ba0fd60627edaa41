import { describe, expect, test } from 'vitest';
import type { SessionId, TaskId } from '../core/ids.ts';
import { toAddress } from '../core/ids.ts';
import { commandSubject, heartbeatSubject, tokenSubject } from '../messages/subjects.ts';
import { subjectKind } from './subject-kind.ts';

const node = toAddress(`0x${'11'.repeat(20)}`);

describe('the kind of a subject', () => {
  test('is told for every subject of the network, and for its patterns', () => {
    expect(subjectKind(commandSubject('miner', node, 'job', '*'))).toEqual({
      kind: 'command',
      role: 'miner',
      verb: 'job',
    });
    const binding = commandSubject('router', node, 'bind-key', node);
    expect(subjectKind(binding)).toEqual({ kind: 'command', role: 'router', verb: 'bind-key' });
    expect(subjectKind(heartbeatSubject('*', '*')).kind).toBe('heartbeat');
    expect(subjectKind('pouw.v1.blk.want.bafy.bob').kind).toBe('content');
    expect(subjectKind(tokenSubject('31337-de75a151-1' as SessionId, '0x01' as TaskId, '*')).kind).toBe('tokens');
  });

  test.each([
    'pouw.v1.evt.07.session.1',
    'elsewhere',
    '',
    '>',
    'pouw.v1.cmd.miner.a.b.c.d',
    'pouw.v1.cmd.MINER.x.job.y',
  ])('is other for %s, whatever it says', (subject) => {
    expect(subjectKind(subject)).toEqual({ kind: 'other', role: '', verb: '' });
  });
});
