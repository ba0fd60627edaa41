import { expect, test } from 'vitest';
import { sqliteError, unwritable } from './sqlite-errors.ts';

const failed = (errcode: number): Error => Object.assign(new Error('the disk said no'), { errcode });

test('what SQLite says of the disk is log_io_failed, also by its extended codes; another failure is a defect', () => {
  const ioError = 10;
  const ioErrorOnFsync = 1_034;
  for (const code of [ioError, ioErrorOnFsync]) {
    expect(sqliteError('log.sqlite', failed(code))).toMatchObject({
      code: 'log_io_failed',
      class: 'unavailable',
      why: 'the disk said no',
    });
  }
  const constraint = 19;
  expect(sqliteError('log.sqlite', failed(constraint))).toMatchObject({ code: 'log_io_failed', class: 'internal' });
});

test('what cannot be written for want of room is disk_full, for want of rights data_dir_unwritable', () => {
  const told = (code: string): string => unwritable('owner.json', Object.assign(new Error('no'), { code })).code;
  expect(['ENOSPC', 'EACCES', 'EROFS'].map(told)).toEqual(['disk_full', 'data_dir_unwritable', 'data_dir_unwritable']);
});
