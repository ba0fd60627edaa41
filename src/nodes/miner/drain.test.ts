import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../../actors/miner/context.ts';
import type { JobEvent, MinerEvent } from '../../../actors/miner/events.ts';
import { foldMiner } from '../../../actors/miner/machine.ts';
import { foldEvents } from '../../../test/actors/actor-run.ts';
import { alice, bytes32, genesisAt, session } from '../../../test/actors/chain-facts.ts';
import { jobGood, minerStarted } from '../../../test/actors/samples/miner.ts';
import { type TaskId, taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Drain, type DrainOptions } from './drain.ts';

const { received, acked, produced, precommitted, revealOpened, revealed, done } = jobGood;
const tasks = [1, 2, 3, 4].map((number) => taskId(session, bytes32(number))) as [TaskId, TaskId, TaskId, TaskId];
const late = limits.drainLateMs;

const of = (task: TaskId, ...events: JobEvent[]): MinerEvent[] => events.map((event) => ({ ...event, task }));

function record(state: ChainTaskState, own: ChainSlotState, phaseBy = genesisAt + 20_000): ChainTaskRecord {
  const slots = [{ miner: alice, attempt: 0, state: own, dueBy: genesisAt + 20_000, precommit: bytes32(1) }];
  return {
    session,
    state,
    step: 0,
    submittedBlock: 3,
    phaseBy,
    finality: 'immediate',
    slots,
    validators: [],
    router: alice,
    outcome: undefined,
  };
}

/** A miner with this history that drains, over a chain that says what it is told to. */
function draining(history: readonly MinerEvent[], graceMs: number, options: Partial<DrainOptions> = {}) {
  const clock = new VirtualClock({ startMs: genesisAt });
  let { state } = foldEvents(foldMiner, foldMiner.initial, [minerStarted, ...history]);
  const records = new Map<TaskId, ChainTaskRecord | Error | 'silent'>();
  const warned: unknown[] = [];
  const said: string[] = [];
  const see = (...events: MinerEvent[]): void => void ({ state } = foldEvents(foldMiner, state, events));
  const log = {
    debug: () => {},
    info: () => {},
    warn: (...line: unknown[]) => void warned.push(line),
    error: () => {},
  };
  const chain = {
    task: async (task: TaskId) => {
      const found = records.get(task);
      if (found instanceof Error) throw found;
      if (found === 'silent') await new Promise(() => {});
      return found;
    },
  };
  const drain = new Drain({
    ports: { clock, chain, log } as unknown as DrainOptions['ports'],
    miner: () => state.context,
    coming: () => [],
    held: () => [],
    begin: async () => see({ type: 'MinerDraining' }),
    letGo: async ({ task, attempt }: JobContext) =>
      see({ type: 'JobCancelled', task, attempt, code: 'miner_stops', reason: 'stops', seen: null }),
    ...options,
  });
  let isOver = false;
  const run = (): void =>
    void drain
      .run(graceMs, (line) => said.push(line))
      .then(() => {
        isOver = true;
      });
  return { drain, clock, records, warned, said, see, run, isOver: () => isOver, state: () => state };
}

const bindings = [produced, precommitted, revealOpened, revealed] as const;
const inState = (task: TaskId, bound: number) => of(task, received, acked, ...bindings.slice(0, bound));

describe('a miner that drains', () => {
  test('ends at once where it has nothing', async () => {
    const { run, clock, isOver, said, drain } = draining([], 10_000);
    run();
    await clock.advance(20);
    expect([isOver(), said, drain.left()]).toEqual([true, [], []]);
  });

  test('ends what it has in its time', async () => {
    const { run, clock, see, isOver, state } = draining(inState(tasks[0], 0), 10_000);
    run();
    await clock.advance(5_000);
    expect([isOver(), state().value]).toEqual([false, 'draining']);
    see(...of(tasks[0], ...bindings, done));
    await clock.advance(20);
    expect(isOver()).toBe(true);
  });

  test('takes the jobs of what it has accepted before it takes no more', async () => {
    let coming: readonly TaskId[] = [tasks[0]];
    const { run, clock, isOver, state } = draining([], 10_000, { coming: () => coming });
    run();
    await clock.advance(3_000);
    expect(state().value).toBe('idle');
    coming = [];
    await clock.advance(40);
    expect([isOver(), state().value]).toEqual([true, 'drained']);
  });

  test('lets go, after its time, of what binds nothing, and says so', async () => {
    const history = [...inState(tasks[0], 0), ...of(tasks[1], received, produced)];
    const { run, clock, isOver, drain, warned } = draining(history, 1_000);
    run();
    await clock.advance(1_040);
    expect(isOver()).toBe(true);
    expect(drain.left()).toEqual([
      expect.stringMatching(`${tasks[0]} .let go`),
      expect.stringMatching(`${tasks[1]} .let go`),
    ]);
    expect(warned).toHaveLength(2);
  });

  test('waits beyond its time for every reveal, and then for the judgement', async () => {
    const [first, second, third] = tasks;
    const history = [...inState(first, 1), ...inState(second, 2), ...inState(third, 4)];
    const { run, clock, isOver, records, see, said, drain } = draining(history, 100);
    records.set(first, record('executing', 'acked'));
    records.set(second, record('precommitted', 'precommitted'));
    records.set(third, record('committed', 'revealed'));
    run();
    await clock.advance(19_000);
    expect(isOver()).toBe(false);
    expect(drain.waitsUntil).toBe(genesisAt + 20_000 + late);
    expect(said[0]).toContain(`${first} (precommit), ${second} (reveal), ${third} (content).`);
    expect(said).toHaveLength(2);
    // The chain has what was owed before this process has heard of it.
    records.set(first, record('validated', 'revealed'));
    records.set(third, record('validated', 'revealed'));
    see(...of(second, revealOpened, revealed));
    records.set(second, record('committed', 'revealed'));
    await clock.advance(1_000);
    expect(isOver()).toBe(false);
    see(...of(second, done));
    await clock.advance(1_000);
    expect([isOver(), drain.left()]).toEqual([true, []]);
    expect(drain.waitsUntil).toBeLessThan(genesisAt + 22_000);
  });

  test('waits no longer than the deadlines, and then names what is left', async () => {
    const { run, clock, isOver, records, drain, warned } = draining(inState(tasks[0], 3), 100);
    records.set(tasks[0], record('precommitted', 'precommitted'));
    run();
    await clock.advance(20_000 + late - 1_000);
    expect(isOver()).toBe(false);
    await clock.advance(2_000);
    expect(isOver()).toBe(true);
    expect(drain.left()).toEqual([`${tasks[0]} (revealing, not revealed)`]);
    expect(warned).toEqual([['left undone', { task: drain.left()[0] }]]);
  });

  test('waits by its own log while the chain does not answer', async () => {
    const { run, clock, isOver, records } = draining(inState(tasks[0], 3), 0);
    records.set(tasks[0], new Error('unreachable'));
    run();
    await clock.advance(39_000 + late);
    expect(isOver()).toBe(false);
    await clock.advance(2_000);
    expect(isOver()).toBe(true);
  });

  test('waits by its own log while the chain says nothing at all', async () => {
    const { run, clock, isOver, records } = draining(inState(tasks[0], 3), 0);
    records.set(tasks[0], 'silent');
    run();
    await clock.advance(39_000 + late);
    expect(isOver()).toBe(false);
    await clock.advance(5_000);
    expect(isOver()).toBe(true);
  });

  test('that is ended in the middle names everything by how far it is', async () => {
    const history = [...inState(tasks[0], 0), ...inState(tasks[1], 2), ...inState(tasks[2], 4)];
    const { drain } = draining(history, 100, {
      coming: () => [tasks[3]],
      held: () => [{ task: tasks[3], what: 'content', until: genesisAt + 1_000 }],
    });
    expect(drain.left()).toEqual([
      `${tasks[0]} (not bound yet)`,
      `${tasks[1]} (precommitted, not revealed)`,
      `${tasks[2]} (revealed, its content may still be asked for)`,
      `${tasks[3]} (its content may still be asked for)`,
      `${tasks[3]} (accepted, its job had not come)`,
    ]);
  });
});
