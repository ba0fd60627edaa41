import { openLedger } from '../../adapters/chain/ledger.ts';
import type { TaskId } from '../../core/ids.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';
import { momentText } from '../../replay/timeline.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, type Facts, report } from '../wallet/report.ts';
import { requireTask } from './require-task.ts';

/** Shows a task as the chain has it now. */
export async function showTask(task: TaskId, options: PlaceOptions & { readonly json?: boolean }): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const found = await requireTask(ledger, task);
  const appeal = await ledger.appeal(task);
  const value = { task, ...found, ...(appeal === undefined ? {} : { appeal }) };
  await report(options.json, value, `The task is ${found.state}.`, {
    task,
    ...taskFacts(found),
    ...appealFacts(appeal),
  });
}

function taskFacts({ session, state, finality, phaseBy, slots, validators, outcome }: ChainTaskRecord): Facts {
  const isWaiting = state === 'validated' && (finality === 'appealable' || finality === 'appealed');
  const words = slots.map(({ miner, state: phase }, place) => {
    if (outcome === undefined) return `${miner} ${phase}`;
    const isHonest = (outcome.honest & (1 << place)) !== 0;
    return `${miner} ${outcome.winner === place ? 'won' : isHonest ? 'honest' : 'outlier'}`;
  });
  const asked = validators.map(({ validator, hasAttested }) => `${validator}${hasAttested ? '' : ' silent'}`);
  return {
    session,
    miners: words.length === 0 ? undefined : words.join(', '),
    validators: asked.length === 0 ? undefined : asked.join(', '),
    outcome: state === 'validated' ? finality : undefined,
    until: isWaiting ? `${momentText(phaseBy)} UTC` : undefined,
  };
}

function appealFacts(appeal: ChainAppeal | undefined): Facts {
  if (appeal === undefined) return {};
  const { state, appellant, bondWei, validators, needed, drawBy, attestBy } = appeal;
  const attested = validators.filter(({ hasAttested }) => hasAttested).length;
  return {
    appeal: state,
    appellant,
    bond: cor(bondWei),
    drawn: `${validators.length}, of whom ${attested} have attested; ${needed} alike decide`,
    'nominations until': `${momentText(drawBy)} UTC`,
    'decided by': `${momentText(attestBy)} UTC`,
  };
}
