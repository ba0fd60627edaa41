import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { sampleLog, streams } from '../../test/fixtures/signed-log.ts';
import { scratchDirectory } from '../../test/features/scratch-directory.ts';
import { commitFormat } from '../core/commit.ts';
import { verifyLog, type VerifyReport } from './verify.ts';

/** What a verification says of the sample in a database that somebody has changed with SQL. */
async function tampered(sql: string): Promise<VerifyReport> {
  const scratch = scratchDirectory();
  const sample = await sampleLog(scratch.file('log.db'));
  try {
    const database = new DatabaseSync(scratch.file('log.db'));
    database.exec(sql);
    database.close();
    return await verifyLog(sample.source);
  } finally {
    await sample.close();
    scratch.remove();
  }
}

const anotherRatio = (position: number): string =>
  `UPDATE commits SET body = replace(body, '"ratio":0.5', '"ratio":0.6') WHERE position = ${position};`;

describe('a commit in a database', () => {
  it('that was changed is named', async () => {
    const report = await tampered(anotherRatio(3));
    expect(report.first).toMatchObject({ code: 'wrong_hash', stream: streams.session, version: 2, position: 3 });
  });

  it('that was changed is named before a later one that cannot be read at all', async () => {
    const report = await tampered(`${anotherRatio(5)} UPDATE commits SET body = 'x' || body WHERE position = 9`);
    expect(report.faults.map(({ code, position }) => `${code} ${position}`)).toEqual(['wrong_hash 5', 'log_corrupt 9']);
  });

  it('of which a newer pouw says that it wrote it is named where it is', async () => {
    const newer = `UPDATE commits SET body = replace(body, '"v":${commitFormat}', '"v":${commitFormat + 1}') WHERE position = 9`;
    const report = await tampered(newer);
    expect(report.first).toMatchObject({ code: 'log_newer_version', stream: streams.otherSession, position: 9 });
    expect(report.commits).toBe(8);
  });

  it('that changed places with a neighbour of another stream is named', async () => {
    const report = await tampered(`
      UPDATE commits SET position = 1000 WHERE position = 6;
      UPDATE commits SET position = 6 WHERE position = 7;
      UPDATE commits SET position = 7 WHERE position = 1000`);
    expect(report.first).toMatchObject({ code: 'wrong_position', stream: streams.otherSession, position: 6 });
    expect(report.first?.message).toContain('at position 6, and was at position 7');
  });
});
