import { open } from 'node:fs/promises';
import { errorMessage, PouwError } from '../../core/errors.ts';

/** The PEM files of a connection. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Looks whether the files of a certificate can be read: the vendor's client would call it a server that cannot be reached.
 *
 * @throws PouwError `file_unreadable` naming the file.
 */
export async function requireTlsFiles(tls: TlsFiles = {}): Promise<void> {
  const params = { caFile: 'natsCa', certFile: 'natsCert', keyFile: 'natsCertKey' } as const;
  for (const name of Object.keys(params) as (keyof typeof params)[]) {
    const path = tls[name];
    if (path !== undefined) await requireReadable(path, params[name]);
  }
}

/** Looks whether a file can be read. @throws PouwError `file_unreadable` naming it. */
export async function requireReadable(path: string, param: string): Promise<void> {
  try {
    await (await open(path)).close();
  } catch (cause) {
    throw new PouwError('file_unreadable', `The file ${path} cannot be read: ${errorMessage(cause)}`, {
      class: 'invalid',
      hint: 'Check the path, and that this user may read the file.',
      param,
      cause,
    });
  }
}
