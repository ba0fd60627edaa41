import { clientActor } from '../../actors/client/definition.ts';
import { minerActor } from '../../actors/miner/definition.ts';
import { networkActor } from '../../actors/network/definition.ts';
import { oracleActor } from '../../actors/oracle/definition.ts';
import { routerActor } from '../../actors/router/definition.ts';
import { sessionActor } from '../../actors/session/definition.ts';
import { validatorActor } from '../../actors/validator/definition.ts';
import type { Folded } from '../core/fold.ts';
import { type ActorKind, parseStreamId, type StreamId } from '../core/ids.ts';
import type { StreamFold } from './fold-stream.ts';

const folds: Readonly<Record<ActorKind, StreamFold<Folded<unknown>>>> = {
  session: sessionActor.fold,
  router: routerActor.fold,
  miner: minerActor.fold,
  validator: validatorActor.fold,
  oracle: oracleActor.fold,
  client: clientActor.fold,
  network: networkActor.fold,
};

/** The fold of a stream's actor: the one the live node runs. */
export function actorFold(stream: StreamId): StreamFold<Folded<unknown>> {
  return folds[parseStreamId(stream).kind];
}
