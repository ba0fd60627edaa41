import { canonicalJson } from '../../../core/canonical-json.ts';
import type { Hex } from '../../../core/hash.ts';
import type { Address, TaskId } from '../../../core/ids.ts';
import type { AttestationPart, CarryBody, PrecommitPart, RevealPart } from '../../../messages/carry.ts';
import type { ChainCall, Outcome } from '../../../ports/chain.ts';
import type { ChainTaskRecord } from '../../../ports/queue-messages.ts';

/** A part that was proven, with its place on chain. */
export interface HeldPart<Part extends CarryBody = CarryBody> {
  readonly from: Address;
  readonly place: number;
  readonly part: Part;
}

/** Stores the manifest of a task that is to be settled. @returns its digest; undefined where it cannot be told. */
export type Manifests = (settled: SettledBy) => Promise<Hex | undefined>;

/** A task that the attestations of most of its validators settle, and the report that the chain will name. */
export interface SettledBy {
  readonly task: TaskId;
  readonly record: ChainTaskRecord;
  readonly outcome: Outcome;
  readonly reportDigest: Hex;
}

/** The transactions that bring parts of one phase to the chain, in order of their places. */
export async function postsOf(
  task: TaskId,
  record: ChainTaskRecord,
  held: readonly HeldPart[],
  manifests: Manifests,
): Promise<readonly ChainCall[]> {
  const parts = held.toSorted((a, b) => a.place - b.place);
  const precommits = only<PrecommitPart>(parts, 'precommit');
  if (precommits.length > 0) {
    const carried = precommits.map(({ place: slot, part: { precommit: hash, signature } }) => ({
      slot,
      hash,
      signature,
    }));
    return [{ call: 'precommitMany', task, carried }];
  }
  const reveals = only<RevealPart>(parts, 'reveal');
  if (reveals.length > 0) {
    const carried = reveals.map(({ place: slot, part: { resultRoot, salt, resultDigest } }) => ({
      slot,
      resultRoot,
      salt,
      resultDigest,
    }));
    return [{ call: 'revealMany', task, carried }];
  }
  return attestations(task, record, only<AttestationPart>(parts, 'attestation'), manifests);
}

/**
 * Where more than half agree they decide the task and it is settled, unless it may be appealed first; else each outcome is
 * brought by itself.
 */
async function attestations(
  task: TaskId,
  record: ChainTaskRecord,
  parts: readonly HeldPart<AttestationPart>[],
  manifests: Manifests,
): Promise<readonly ChainCall[]> {
  const groups = Map.groupBy(parts, ({ part }) => canonicalJson(part.outcome));
  const calls = [...groups].map(([found, group]) => {
    const carried = group.map(({ place: validator, part: { reportDigest, signature } }) => ({
      validator,
      reportDigest,
      signature,
    }));
    return { call: 'attestMany', task, outcome: JSON.parse(found) as Outcome, carried } as const;
  });
  const decisive = calls.find(({ carried }) => carried.length * 2 > record.validators.length);
  const last = decisive?.carried.at(-1);
  if (decisive === undefined || last === undefined) return calls;
  if (record.finality !== 'immediate') return [decisive];
  const { outcome } = decisive;
  const manifestDigest = await manifests({ task, record, outcome, reportDigest: last.reportDigest });
  return manifestDigest === undefined ? [decisive] : [{ ...decisive, call: 'settleWith', manifestDigest }];
}

function only<Part extends CarryBody>(parts: readonly HeldPart[], is: Part['is']): readonly HeldPart<Part>[] {
  return parts.filter((one): one is HeldPart<Part> => one.part.is === is);
}
