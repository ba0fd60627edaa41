import { expect, test } from 'vitest';
import { trackedText } from '../../scripts/tracked-files.ts';
import { figures } from '../../scripts/bench/table.ts';

const page = trackedText('docs/operations.md');
const sizing = page.slice(page.indexOf('## Sizing'), page.indexOf('\n## ', page.indexOf('## Sizing') + 1));

test('how large a network must be is told by the figures of one page, and not by copies of them', () => {
  expect(sizing).toContain('performance.md');
  expect(sizing.match(/\d[\d,.]*(?:\/s| ?(?:MiB|KiB|GiB|KB|ms|s|gas)\b)/g) ?? []).toEqual([]);
});

test('what it says to measure is a figure that there is, and the sections are there', () => {
  const names = new Set(figures.map(({ name }) => name));
  const asked = [...sizing.matchAll(/--only ([\w-]+)/g)].map(([, name]) => name ?? '');
  expect(asked.length).toBeGreaterThan(4);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
  const sections = [...sizing.matchAll(/performance\.md#([\w-]+)/g)].map(([, section]) => section ?? '');
  const heads = trackedText('docs/performance.md').matchAll(/^## (.+)$/gm);
  const anchors = new Set([...heads].map(([, head]) => (head ?? '').toLowerCase().replaceAll(' ', '-')));
  expect(sections.filter((section) => !anchors.has(section))).toEqual([]);
});
