import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alice, bob, carol, router } from '../../test/actors/chain-facts.ts';
import { driveRandomCommands, type Moment, type Reached, withSmallLimits } from '../../test/actors/random-commands.ts';
import {
  commandFor,
  type ExpectedBook as Expected,
  isPosted,
  joined,
  next,
  noise,
  type RouterRun as Run,
  see,
} from '../../test/actors/router-commands.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { Wei } from '../../src/core/wei.ts';
import { batchSteps, type LineEntry, noBatches, type OpenBatch } from './batches.ts';
import { type RouterContext, routerStates } from './context.ts';
import type { RouterCommand } from './decide.ts';
import { routerActor } from './definition.ts';
import type { RouterEvent } from './events.ts';
import { routerMachine } from './machine.ts';
import { findings, newcomer, reputationAfter } from './reputation.ts';

withSmallLimits({ routerNodesMax: 4, routerAssignmentsMax: 2, routerOutcomesKept: 3, nodeModelsMax: 2 });

function reckonStake({ command, before }: Moment<RouterContext, RouterCommand>, { stakes }: Expected): void {
  if (command.type !== 'SeeFact' || before.value === 'offline') return;
  const { fact: seen } = command;
  if (seen.type === 'NodeRegistered' && seen.roles.includes('miner') && !stakes.has(seen.node)) {
    if (stakes.size < limits.routerNodesMax) stakes.set(seen.node, { amount: BigInt(seen.stakeWei), block: 0 });
  }
  if (seen.type !== 'StakeAdded' && seen.type !== 'StakeSlashed') return;
  const known = stakes.get(seen.node);
  if (known === undefined || seen.place.block <= known.block) return;
  const moved = known.amount + (seen.type === 'StakeAdded' ? 1n : -1n) * BigInt(seen.amountWei);
  stakes.set(seen.node, { amount: moved < 0n ? 0n : moved, block: seen.place.block });
}

function reckon(moment: Moment<RouterContext, RouterCommand>, expected: Expected): void {
  const { command, before, told } = moment;
  reckonStake(moment, expected);
  const isCounted = command.type !== 'RecordOutcome' || before.context.outcomes.includes(command.task);
  if (!isCounted && before.value !== 'offline') {
    for (const [node, finding] of findings({ ...command, tokensPerSecond: {} })) {
      if (!expected.stakes.has(node)) continue;
      const speed = command.tokensPerSecond?.[node];
      const reputation = expected.reputations.get(node) ?? newcomer;
      expected.reputations.set(node, reputationAfter(reputation, finding, speed));
    }
  }
  for (const event of told.events as readonly RouterEvent[]) {
    if (event.type === 'BatchOutcomesBound') expected.line.push({ number: event.number, paid: event.paid });
    if (event.type !== 'BatchEnded' || event.fault === null) continue;
    expected.line = standing(expected.line, event.number, Object.values(before.context.batches?.open ?? {}));
  }
}

/** A void batch takes all behind it out of the line, but for one that comes only now; one that comes too late itself alone. */
function standing(line: Expected['line'], ended: number, open: readonly OpenBatch[]): Expected['line'] {
  const place = line.findIndex(({ number }) => number === ended);
  const coming = open.find(({ step }) => step === 'ending')?.number;
  return line.filter(({ number }, index) => place < 0 || index < place || (number === coming && number !== ended));
}

const steps: ReadonlySet<string> = new Set(batchSteps);

function isBatchSound({ batches = noBatches }: RouterContext, { line }: Expected): boolean {
  const open = Object.entries(batches.open);
  const isOf = open.every(
    ([key, { number, step }]) => key === `${number}` && number <= batches.begun && steps.has(step),
  );
  const onTheirWay = ['begun', 'ending'].every((step) => open.filter(([, one]) => one.step === step).length <= 1);
  const paid: Record<Address, LineEntry> = {};
  for (const one of line) Object.assign(paid, one.paid);
  const accounts = Object.keys(batches.line) as Address[];
  const isPaid = accounts.every((account) => batches.line[account]?.totalWei === paid[account]?.totalWei);
  const isCut = open.every(
    ([, one]) => one.isOrphan === (isPosted(one) && line.every(({ number }) => number !== one.number)),
  );
  return isOf && isCut && onTheirWay && isPaid && accounts.length === Object.keys(paid).length;
}

function isWei(amount: Wei): boolean {
  return /^(0|[1-9][0-9]*)$/.test(amount);
}

function check({ state: { context } }: Run, moment: Moment<RouterContext, RouterCommand>, expected: Expected) {
  reckon(moment, expected);
  const { nodes: known, assignments, outcomes } = context;
  const all = Object.entries(known) as [Address, RouterContext['nodes'][Address]][];
  const told = moment.told.events as readonly RouterEvent[];
  const assigned = (node: Address) => Object.values(assignments).filter((miners) => miners.includes(node)).length;
  return {
    'its book has whom the registry has': all.length === expected.stakes.size,
    'stakes are what the registry has said': all.every(
      ([node, { stakeWei }]) => isWei(stakeWei) && stakeWei === `${expected.stakes.get(node)?.amount}`,
    ),
    'reputations are what outcomes have said': all.every(
      ([node, { reputation }]) =>
        JSON.stringify(reputation) === JSON.stringify(expected.reputations.get(node) ?? newcomer),
    ),
    'loads are the tasks a node has': all.every(([node, { load }]) => load === assigned(node)),
    'nodes, tasks and outcomes are bounded':
      all.length <= limits.routerNodesMax &&
      Object.keys(assignments).length <= limits.routerAssignmentsMax &&
      outcomes.length <= limits.routerOutcomesKept,
    'models are bounded and told once': all.every(
      ([, { models: said }]) => said.length <= limits.nodeModelsMax && new Set(said).size === said.length,
    ),
    'no outcome is counted twice': new Set<TaskId>(outcomes).size === outcomes.length,
    'a node that fails is left alone for a time that is bounded': told.every((event) => {
      const waitMs = event.type === 'NodeBackedOff' ? event.coolDownUntil - moment.now : limits.nodeCoolDownMsMin;
      return waitMs >= limits.nodeCoolDownMsMin && waitMs <= limits.nodeCoolDownMsMax;
    }),
    'the line is what the batches that stand have paid': isBatchSound(context, expected),
  };
}

describe('whatever is said to a router, in any order,', () => {
  const wanted = fc.oneof({ weight: 5, arbitrary: next }, { weight: 2, arbitrary: noise });
  const numRuns = 200;
  let reached: Reached;

  test('its state is sound after every command', () => {
    reached = driveRandomCommands({
      actor: routerActor,
      machine: routerMachine,
      opening: [{ type: 'StartRouter', router }, ...[alice, bob, carol].map((node) => see(1, joined(node)))],
      wanted,
      commandFor,
      isNewEachTime: ({ type }) => type === 'ReportFailure',
      expected: (): Expected => ({ stakes: new Map(), reputations: new Map(), line: [] }),
      check,
      marks: ({ nodes: known, assignments, outcomes, batches = noBatches }) => [
        ...Object.values(batches.open).flatMap(({ step, isOrphan }) => [
          `batch:${step}`,
          ...(isOrphan ? ['orphan'] : []),
        ]),
        ...(Object.keys(known).length === limits.routerNodesMax ? ['full:nodes'] : []),
        ...(Object.keys(assignments).length === limits.routerAssignmentsMax ? ['full:assignments'] : []),
        ...(outcomes.length === limits.routerOutcomesKept ? ['full:outcomes'] : []),
      ],
      numRuns,
      seed: 20_267,
    });
    expect(reached.runs).toBe(numRuns);
  });

  test('and that has led to every event, every state and every reason to refuse', () => {
    expect(reached.names('event:')).toEqual(
      (
        [
          'RouterStarted',
          'RouterDraining',
          'NodeJoined',
          'NodeActivitySet',
          'NodeSlashed',
          'NodeStakeAdded',
          'NodeServes',
          'NodeDropsModel',
          'NodeRests',
          'NodeLevelled',
          'WeightsBounded',
          'NodeSeen',
          'NodeLost',
          'NodeBackedOff',
          'LoadTaken',
          'LoadMoved',
          'LoadReleased',
          'OutcomeRecorded',
          'AnchorProposed',
          'AnchorSeen',
          'AnchorFailed',
          'AccountListed',
          'OthersRuled',
          'BatchBegun',
          'BatchDropped',
          'BatchPrecommitsSeen',
          'BatchRevealsBound',
          'BatchRevealsSeen',
          'BatchOutcomesBound',
          'BatchOutcomesSeen',
          'BatchEnding',
          'BatchEnded',
        ] satisfies RouterEvent['type'][]
      ).toSorted(),
    );
    expect(reached.names('state:')).toEqual([...routerStates].toSorted());
    expect(reached.names('refusal:')).toEqual([
      'anchor_pending',
      'batch_line_moved',
      'batch_pending',
      'router_not_started',
      'too_many_models',
      'wrong_stream',
    ]);
  });

  test('in most runs, so that the bounds and the ends of what goes on were reached', () => {
    expect(
      reached.rarerThan(
        0.5,
        batchSteps
          .filter((step) => step !== 'finalising')
          .map((step) => `batch:${step}`)
          .concat([
            'event:BatchEnded',
            'event:LoadMoved',
            'event:AnchorSeen',
            'event:NodeSlashed',
            'full:assignments',
            'full:outcomes',
          ]),
      ),
    ).toEqual([]);
    expect(
      reached.rarerThan(0.02, ['batch:finalising', 'orphan', 'full:nodes', 'event:NodeLost', 'event:NodeDropsModel']),
    ).toEqual([]);
  });
});
