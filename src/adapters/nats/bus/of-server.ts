import type { Msg } from 'nats';
import { isOfStream } from '../ack-subject.ts';

/** How JetStream's own answers begin: to a request, to a message that was stored, and to one that was not. */
const answers = ['{"type":"io.nats.jetstream.', '{"stream":', '{"error":'].map((text) => Buffer.from(text));

/** The header with which a server hands out a message of a stream, or says why it does not. */
const streamHeader = 'Nats-Stream';

/**
 * Whether a server said this and no node, although it is on a node's subject: whoever asks JetStream chooses where the
 * answer goes, and may choose what is another's. It is nobody's message, so it must not count as one of who may send there:
 * else a node could use up what is taken of a rival. Who had the server say it, the message does not tell. To an
 * acknowledgement a server answers with nothing at all; what a node sends without a body has a header (`toNatsHeaders`).
 */
export function isOfServer({ data, headers, reply }: Pick<Msg, 'data' | 'headers' | 'reply'>): boolean {
  if (data.length === 0 && headers === undefined) return true;
  if (isOfStream({ reply }) || (headers !== undefined && (headers.code !== 0 || headers.has(streamHeader))))
    return true;
  return answers.some((start) => start.equals(data.subarray(0, start.length)));
}
