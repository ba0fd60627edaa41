import { type BatchFact, batchFaults } from '../../core/batch/fact.ts';
import { leafKinds } from '../../core/batch/leaves.ts';
import { toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import { fromHeader } from './batch-values.ts';
import { at, type Decoded } from './fact-events.ts';

/** What an event says about a batch; undefined for the others. */
export function batchFact(log: Decoded): BatchFact | undefined {
  const type = log.eventName;
  switch (type) {
    case 'BatchPrecommitted': {
      const { batchId, poster, manifestDigest, header } = log.args;
      return { type, batch: Number(batchId), poster: toAddress(poster), manifestDigest, header: fromHeader(header) };
    }
    case 'BatchRevealed':
      return {
        type,
        batch: Number(log.args.batchId),
        manifestDigest: log.args.manifestDigest,
        root: log.args.root,
      };
    case 'BatchPosted': {
      const { batchId, place: linePlace, drawnWei, ...rest } = log.args;
      return { type, batch: Number(batchId), ...rest, linePlace, drawnWei: drawnWei.map(wei) };
    }
    case 'LeafDemanded': {
      const { batchId, kind, position, asker, answerBy } = log.args;
      const leaf = { batch: Number(batchId), kind: at(leafKinds, kind), position: Number(position) };
      return { type, ...leaf, asker: toAddress(asker), answerBy: answerBy * 1_000 };
    }
    case 'BatchFinal':
      return { type, batch: Number(log.args.batchId), drawnWei: wei(log.args.drawnWei) };
    case 'BatchVoid': {
      const { batchId, fault, challenger } = log.args;
      return { type, batch: Number(batchId), fault: at(batchFaults, fault), challenger: toAddress(challenger) };
    }
    default:
      return undefined;
  }
}
