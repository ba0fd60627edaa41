import type { AnyStateMachine } from 'xstate';

/** A way from one state to another, as a machine declares it. */
interface Way {
  readonly from: string;
  readonly event: string;
  readonly guard: string | undefined;
  readonly to: string;
  readonly actions: readonly string[];
}

/** Events named on an arrow before the rest is only counted. */
const namedOnArrow = 3;

const nameOf = (reference: unknown): string =>
  typeof reference === 'string' ? reference : String((reference as { readonly type: unknown }).type);

/** All ways through a machine, in the order in which they are declared. */
function waysOf(machine: AnyStateMachine): Way[] {
  return Object.entries(machine.states).flatMap(([from, node]) =>
    [...node.transitions].flatMap(([event, transitions]) =>
      transitions.map(({ guard, target, actions }) => ({
        from,
        event,
        guard: guard === undefined ? undefined : nameOf(guard),
        to: target?.[0]?.key ?? from,
        actions: actions.map(nameOf),
      })),
    ),
  );
}

/** Puts what has the same key together, in the order of first sight. */
function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  return [...Map.groupBy(items, key).values()];
}

const withGuard = ({ guard }: Way): string => (guard === undefined ? '' : ` [${guard}]`);

function arrow(ways: readonly Way[]): string {
  const [first] = ways as readonly [Way, ...Way[]];
  const labels = groupBy(ways, withGuard).map((same) => {
    const named = same.slice(0, namedOnArrow).map(({ event }) => event);
    const more = same.length - named.length;
    return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}${withGuard(same[0] as Way)}`;
  });
  return `  ${first.from} --> ${first.to} : ${labels.join('<br/>')}`;
}

/** The Mermaid state diagram of a machine: what changes its state; the table says the rest. */
export function diagramOf(machine: AnyStateMachine): string {
  const ways = waysOf(machine);
  const changes = ways.filter(({ from, to }) => from !== to);
  const ends = Object.keys(machine.states).filter((state) => !ways.some(({ from }) => from === state));
  return [
    'stateDiagram-v2',
    `  [*] --> ${machine.root.initial.target[0]?.key ?? ''}`,
    ...groupBy(changes, ({ from, to }) => `${from} ${to}`).map(arrow),
    ...ends.map((state) => `  ${state} --> [*]`),
  ].join('\n');
}

/** The table of all transitions; events that do the same in the same state share a row. */
export function tableOf(machine: AnyStateMachine): string {
  const rows = groupBy(waysOf(machine), ({ from, guard, to, actions }) =>
    JSON.stringify([from, guard, to, actions]),
  ).map((same) => {
    const { from, guard, to, actions } = same[0] as Way;
    const events = same.map(({ event }) => `\`${event}\``).join(', ');
    return `| ${from} | ${events} | ${guard ?? ''} | ${to === from ? '' : to} | ${actions.join(', ')} |`;
  });
  return ['| in | on | if | to | actions |', '|---|---|---|---|---|', ...rows].join('\n');
}

const preface = `<!-- Written by \`npm run diagrams\` from the machines in actors/. Do not edit. -->

# State machines

Every actor is a fold over its events by one of these machines. An arrow is an event, its guard in brackets; the
tables list every transition, those that stay in their state too. An event that a state does not list, or whose
guards all fail, changes nothing. Of several transitions on one event the first whose guard holds is taken.
`;

/** The page on all machines. */
export function machinesPage(machines: Readonly<Record<string, AnyStateMachine>>): string {
  const sections = Object.entries(machines).map(
    ([name, machine]) => `## ${name}\n\n\`\`\`mermaid\n${diagramOf(machine)}\n\`\`\`\n\n${tableOf(machine)}\n`,
  );
  return [preface, ...sections].join('\n');
}
