import { PermissionViolationError } from 'nats';
import { errorMessage, PouwError } from '../../core/errors.ts';

/** A subject that the server does not let this node use. */
export interface NatsForbidden {
  readonly operation: 'publish' | 'subscribe';
  readonly subject: string;
  readonly queue: string | undefined;
  readonly error: PouwError;
}

/** Whether an error, or one beneath it, is the server's refusal of a subject. */
export function isPermissionError(error: unknown): error is PermissionViolationError {
  return error instanceof PermissionViolationError;
}

/** Whether something failed because the server does not let us use a subject, however deep that is said. */
export function isForbidden(error: unknown): boolean {
  return refusalIn(error) !== undefined;
}

/** The server's refusal of a subject in an error or beneath it; undefined where it is none. */
export function refusalIn(error: unknown): PermissionViolationError | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (isPermissionError(current)) return current;
  }
  return undefined;
}

/** The refusal of a subject in our own terms. */
export function forbidden(error: PermissionViolationError): NatsForbidden {
  const operation = error.operation === 'publish' ? 'publish' : 'subscribe';
  const { subject, queue } = error;
  return {
    operation,
    subject,
    queue,
    error: new PouwError('nats_forbidden', `The NATS server does not let this node ${operation} on ${subject}.`, {
      class: 'forbidden',
      why: 'The permissions of its key do not include the subject.',
      hint: 'Check the role and address that the server knows this key by; pouw nats-config writes the permissions.',
      details: { operation, subject },
      cause: error,
    }),
  };
}

/** The error for servers that do not answer. */
export function unreachable(servers: readonly string[], cause: unknown): PouwError {
  return new PouwError('nats_unreachable', `No NATS server answers at ${servers.join(', ')}.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Start the server, or check the address given with --nats.',
    details: { servers },
    cause,
  });
}

/** The error for a server that does not accept who we are. */
export function unauthorised(servers: readonly string[], cause: unknown): PouwError {
  return new PouwError('nats_unauthorised', `The NATS server at ${servers.join(', ')} does not accept this node.`, {
    class: 'unauthorised',
    why: errorMessage(cause),
    hint: "Give the seed of an nkey that the server's configuration lists, or its credentials file.",
    details: { servers },
    cause,
  });
}

/** The error for a connection that cannot be encrypted as asked. */
export function tlsFailed(servers: readonly string[], cause: unknown): PouwError {
  return new PouwError('nats_tls_failed', `No secure connection to NATS at ${servers.join(', ')} can be made.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: "Check the certificate files, and that the certificate names the server's address.",
    details: { servers },
    cause,
  });
}
