import { limits } from '../core/limits.ts';

const names = [
  'httpBodyBytesMax',
  'httpRequestsPerKeyMax',
  'httpRequestsMax',
  'httpReceiveMsMax',
  'httpRequestMsMax',
  'httpKeepAliveMs',
  'httpStallMsMax',
  'httpDrainMsMax',
  'socketPendingBytesMax',
] as const satisfies readonly (keyof typeof limits)[];

/** The bounds an operator may set for one gateway, under their names in `limits`. */
export type GatewayLimits = { readonly [Name in (typeof names)[number]]: number };

/** The bounds in `limits`, with an operator's own in their place. */
export function gatewayLimits(own: Partial<GatewayLimits> = {}): GatewayLimits {
  const chosen = Object.fromEntries(names.map((name) => [name, own[name] ?? limits[name]]));
  return chosen as GatewayLimits;
}
