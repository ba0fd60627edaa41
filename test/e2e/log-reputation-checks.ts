import { expect, it } from 'vitest';
import type { RouterEvent } from '../../actors/router/events.ts';
import { type Outcome, reputationScore, reputationsOf } from '../../actors/router/reputation.ts';
import { type Standing, standingsTree } from '../../src/core/checkpoint.ts';
import type { StoppedNetwork } from '../kit/stopped-network.ts';
import { tamperableDatabase } from '../kit/tamper.ts';

type Network = () => StoppedNetwork;

/** What `log reputation` says of a real network's log. */
export function reputationChecks(on: Network): void {
  it('computes from the sessions alone what the routers wrote into their books', async () => {
    const { commands, data } = on();
    const { code, report } = await commands.json('log', 'reputation', data);
    expect(code).toBe(0);
    const outcomes = tamperableDatabase(data)
      .commits()
      .filter(({ commit }) => commit.stream.startsWith('router.'))
      .flatMap(({ commit }) => commit.events as unknown as readonly RouterEvent[])
      .filter((event): event is RouterEvent & Outcome => event.type === 'OutcomeRecorded');
    expect(report['tasks']).toBe(3);
    const standings = report['standings'] as readonly Standing[];
    const known = new Map(standings.map((standing) => [standing.node, standing]));
    const books = reputationsOf(outcomes);
    expect([...known.keys()].toSorted()).toEqual([...books.keys()].toSorted());
    for (const [node, book] of books) {
      const { honest, outlier, timedOut, level } = book;
      const scoreBps = Math.round(reputationScore(book) * 10_000);
      expect(known.get(node)).toEqual({ node, honest, outlier, timedOut, level, scoreBps, idleWork: 0 });
    }
    expect(report['root']).toBe(standingsTree(standings).root);
  });

  it('is the same from an export, and as of an epoch of anchors', async () => {
    const { commands, data, exported } = on();
    const { report } = await commands.json('log', 'reputation', data);
    const { report: other } = await commands.json('log', 'reputation', exported);
    expect({ ...other, source: '' }).toEqual({ ...report, source: '' });
    const { report: verified } = await commands.json('log', 'verify', data);
    const newest = String(verified['epoch']);
    const { report: anchored } = await commands.json('log', 'reputation', data, '--epoch', newest);
    expect(anchored['to']).toBe(verified['ordered']);
    const { report: fromExport } = await commands.json('log', 'reputation', exported, '--epoch', newest);
    expect({ ...fromExport, source: '' }).toEqual({ ...anchored, source: '' });
  });

  it('shows a person a table and the root', async () => {
    const { commands, data } = on();
    const { report } = await commands.json('log', 'reputation', data);
    const { stdout } = await commands.run('log', 'reputation', data);
    expect(stdout).toMatch(/^node +score +level +honest +outlier +timed out +idle work$/m);
    expect(stdout).toContain(`root       ${String(report['root'])}\n`);
    expect(stdout).toContain(`manifest   ${String(report['manifestDigest'])}\n`);
  });

  it('refuses an epoch and a position that are not there', async () => {
    const { commands, data } = on();
    const epoch = await commands.run('log', 'reputation', data, '--epoch', '999');
    expect([epoch.code, epoch.stderr]).toEqual([1, expect.stringContaining('anchor_not_found')]);
    const position = await commands.run('log', 'reputation', data, '--from', '99999');
    expect([position.code, position.stderr]).toEqual([1, expect.stringContaining('position_not_found')]);
  });
}
