import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultCacheFolder } from './cache-folder.ts';

test.each([
  { environment: { POUW_CACHE: '/mine' }, platform: 'linux', folder: '/mine' },
  { environment: { XDG_CACHE_HOME: '/xdg' }, platform: 'linux', folder: '/xdg/pouw' },
  { environment: { XDG_CACHE_HOME: 'relative' }, platform: 'linux', folder: join(homedir(), '.cache/pouw') },
  { environment: { POUW_CACHE: '' }, platform: 'linux', folder: join(homedir(), '.cache/pouw') },
  { environment: {}, platform: 'darwin', folder: join(homedir(), 'Library/Caches/pouw') },
  { environment: { LOCALAPPDATA: '/local' }, platform: 'win32', folder: '/local/pouw/cache' },
] as const)('on $platform with $environment it is $folder', ({ environment, platform, folder }) => {
  expect(defaultCacheFolder(environment, platform)).toBe(folder);
});
