import { headers as emptyHeaders, type MsgHdrs } from 'nats';
import type { BusHeaders } from '../../../ports/bus.ts';
import { isHeader } from '../../bus/message-bounds.ts';

/** The header of a message of nothing: one without any is a server's. */
const emptyHeader = 'Pouw-Empty';

/** Headers as the vendor's client sends them; undefined where none are needed. */
export function toNatsHeaders(headers: BusHeaders, data: Uint8Array): MsgHdrs | undefined {
  const sent = emptyHeaders();
  if (data.length === 0) sent.set(emptyHeader, '1');
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  return sent.keys().length === 0 ? undefined : sent;
}

/** Headers as a subscriber sees them; undefined where there are none. What pouw could not have sent is left out. */
export function fromNatsHeaders(received: MsgHdrs | undefined): BusHeaders | undefined {
  if (received === undefined) return undefined;
  const headers = [...received].flatMap(([name, [value = '']]): [string, string][] => {
    return name !== emptyHeader && isHeader(name, value) ? [[name, value]] : [];
  });
  return headers.length === 0 ? undefined : Object.freeze(Object.fromEntries(headers));
}
