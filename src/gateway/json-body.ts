import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PouwError } from '../core/errors.ts';

/** Wrong bytes are an error: replaced by a sign of their own, the text would be another one than was sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Every body is JSON, whatever its content type says: curl calls it a form when it is not told otherwise. */
export function readBodiesAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    body.length === 0 ? undefined : parseJson(decode(body)),
  );
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw new PouwError('invalid_encoding', 'The body is not UTF-8.', {
      class: 'invalid',
      why: 'It has bytes that are no character in it.',
      hint: 'Send JSON in UTF-8.',
      cause: error,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new PouwError('invalid_json', 'The body is not JSON.', {
      class: 'invalid',
      why: `${(error as Error).message}.`,
      hint: 'Send one JSON object.',
      cause: error,
    });
  }
}
