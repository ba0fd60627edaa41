import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { checkpointSignature } from '../../messages/checkpoints.ts';
import type { CommandVerb } from '../../messages/subjects.ts';
import type { NodeBase } from '../node-base.ts';

/** What oracles are asked to sign. */
export interface Signable {
  readonly verb: Extract<CommandVerb, 'sign-checkpoint' | 'sign-ruling'>;
  /** The id of the messages that ask. */
  readonly id: string;
  readonly body: JsonObject;
  /** For the log: of which epoch it is. */
  readonly epoch: number;
  /** This oracle's own signature. */
  readonly sign: () => Promise<Hex>;
  readonly signerOf: (signature: Hex) => Promise<Address | undefined>;
}

/**
 * The signatures of those among active oracles who find the same, in the order of their addresses, which is that of the
 * directory; no more than the contract reads. Who refuses or is silent is logged and left out.
 */
export async function collectSignatures(base: NodeBase, active: readonly Address[], what: Signable): Promise<Hex[]> {
  const { log } = base.ports;
  const signed = await Promise.all(
    active.map(async (oracle) => {
      try {
        return await signatureOf(base, oracle, what);
      } catch (error) {
        const { epoch, verb } = what;
        log.warn('an oracle did not sign', { oracle, epoch, verb, code: errorCode(error), error: errorMessage(error) });
        return undefined;
      }
    }),
  );
  return signed.filter((signature) => signature !== undefined).slice(0, limits.checkpointSignaturesMax);
}

/** @throws PouwError what the other refuses with; `checkpoint_wrong_signature`. */
async function signatureOf(base: NodeBase, oracle: Address, what: Signable): Promise<Hex> {
  if (oracle === base.identity.address) return what.sign();
  const { signature } = await base.ask('oracle', oracle, what.verb, what.id, what.body, checkpointSignature);
  if ((await what.signerOf(signature)) === oracle) return signature;
  throw new PouwError('checkpoint_wrong_signature', `${oracle} answered with a signature that is not its own.`, {
    class: 'forbidden',
  });
}
