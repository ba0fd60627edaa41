import { errorCode } from '../core/errors.ts';
import type { Role } from '../core/ids.ts';
import type { NodeLoad, NodeWatch, NodeWatcher } from '../nodes/node-watch.ts';
import type { Metrics } from '../ports/metrics.ts';
import { subjectKind } from './subject-kind.ts';
import { countTaskEvents } from './task-metrics.ts';

/** What effects may be in hand as, in the words of the metric. */
const effectStates = { running: 'running', waiting: 'waiting', backedOff: 'backed_off' } as const;

/** Measures what nodes do: commands, effects, tasks, dropped messages, what they have in hand. */
export function meterNodes(metrics: Metrics): NodeWatch {
  const live = new Map<object, { readonly role: Role; readonly load: () => NodeLoad }>();
  metrics.onCollect(() => {
    const byRole = Map.groupBy(live.values(), ({ role }) => role);
    for (const [role, nodes] of byRole) {
      const loads = nodes.map(({ load }) => load());
      const sum = (of: keyof NodeLoad): number => loads.reduce((total, load) => total + load[of], 0);
      metrics.set('pouw_actors', { role }, sum('actors'));
      for (const [of, state] of Object.entries(effectStates)) {
        metrics.set('pouw_effects', { role, state }, sum(of as keyof typeof effectStates));
      }
    }
  });
  return {
    begin({ role }, load) {
      const key = {};
      live.set(key, { role, load });
      return watcherOf(role, metrics, () => live.delete(key));
    },
  };
}

function watcherOf(role: Role, metrics: Metrics, end: () => void): NodeWatcher {
  return {
    command: async (_, command, run) => {
      const seconds = metrics.timer();
      const name = nameOf(command);
      let code = 'ok';
      try {
        const result = await run();
        if (!result.ok) code = result.rejection.code;
        return result;
      } catch (error) {
        code = errorCode(error);
        throw error;
      } finally {
        metrics.add('pouw_commands_total', { role, command: name, code });
        metrics.observe('pouw_command_duration_seconds', { role, command: name }, seconds());
      }
    },
    effect: async ({ kind: effect }, _, run) => {
      const seconds = metrics.timer();
      metrics.add('pouw_effect_attempts_total', { role, effect });
      try {
        await run();
      } finally {
        metrics.observe('pouw_effect_duration_seconds', { role, effect }, seconds());
      }
    },
    committed: ({ stream, events, at }, state) => {
      if (stream.startsWith('session.')) countTaskEvents(events, at, state, metrics);
    },
    failed: ({ kind: effect, code }) => {
      metrics.add('pouw_effect_failures_total', { role, effect, code });
    },
    dropped: (code, subject) => {
      metrics.add('pouw_bus_dropped_total', { kind: subjectKind(subject).kind, code });
    },
    end,
  };
}

/** Commands are told apart by their `type`. */
function nameOf(command: unknown): string {
  const { type } = command as { readonly type?: unknown };
  return typeof type === 'string' ? type : 'unknown';
}
