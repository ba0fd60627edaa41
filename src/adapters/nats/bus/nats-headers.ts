import { headers as emptyHeaders, type MsgHdrs } from 'nats';
import type { BusHeaders } from '../../../ports/bus.ts';
import { isHeader } from '../../bus/message-bounds.ts';

/** Headers as the vendor's client sends them. */
export function toNatsHeaders(headers: BusHeaders): MsgHdrs {
  const sent = emptyHeaders();
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  return sent;
}

/** Headers as a subscriber sees them; undefined where there are none. What pouw could not have sent is left out. */
export function fromNatsHeaders(received: MsgHdrs | undefined): BusHeaders | undefined {
  if (received === undefined) return undefined;
  const headers = received.keys().flatMap((name): [string, string][] => {
    const value = received.get(name);
    return isHeader(name, value) ? [[name, value]] : [];
  });
  return headers.length === 0 ? undefined : Object.freeze(Object.fromEntries(headers));
}
