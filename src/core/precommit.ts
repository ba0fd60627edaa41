import { type Hex, keccakWords, sha256 } from './hash.ts';
import { type Address, type SessionId, sessionNumber, type TaskId } from './ids.ts';
import { merkleRoot, recordLeaf } from './merkle.ts';

/** Tokens in one leaf of a result's tree; also the unit of stream checks. */
export const resultChunkTokens = 32;

/** How a generation ended. */
export type FinishReason = 'stop' | 'length' | 'cancelled';

/** What a miner made: the ids it emitted and their text (or its vectors), how it ended and what it counted. */
export interface ResultContent {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/**
 * The Merkle root over a result in chunks of {@link resultChunkTokens} token ids, the last leaf being
 * finish reason, usage and the hash of the text, so that a precommit binds the words too. A router that
 * watched the stream computes the same root.
 */
export function resultRoot(result: ResultContent): Hex {
  const leaves: Hex[] = [];
  for (let from = 0; from < result.tokens.length; from += resultChunkTokens) {
    leaves.push(recordLeaf('tokens', from, ...result.tokens.slice(from, from + resultChunkTokens)));
  }
  const { finishReason, promptTokens, outputTokens, text } = result;
  leaves.push(recordLeaf('end', finishReason, promptTokens, outputTokens, sha256(text)));
  return merkleRoot(leaves);
}

/** Everything a precommit binds. */
export interface PrecommitFields {
  readonly chainId: number;
  readonly queueContract: Address;
  readonly session: SessionId;
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly miner: Address;
  readonly resultRoot: Hex;
  /** 32 random bytes that keep the precommit unguessable until the reveal. */
  readonly salt: Hex;
}

/** The hash a miner publishes before it may see any other result; the contract recomputes it at the reveal. */
export function precommitHash(fields: PrecommitFields): Hex {
  return numberedPrecommitHash({ ...fields, session: sessionNumber(fields.session) });
}

/** {@link precommitHash} where the session is known by its number on chain. */
export function numberedPrecommitHash(
  fields: Omit<PrecommitFields, 'session'> & { readonly session: number | bigint },
): Hex {
  return keccakWords([
    fields.chainId,
    fields.queueContract,
    fields.session,
    fields.task,
    fields.step,
    fields.attempt,
    fields.miner,
    fields.resultRoot,
    fields.salt,
  ]);
}

/** The seed a miner must sample with: two honest miners differ, and a validator recomputes every draw. */
export function samplingSeed(session: SessionId, task: TaskId, step: number, attempt: number, miner: Address): Hex {
  return keccakWords([sessionNumber(session), task, step, attempt, miner]);
}
