import type { FastifyInstance } from 'fastify';
import { PouwError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { isSessionId } from '../../core/ids.ts';
import type { WalletNetwork } from '../../ports/wallet-network.ts';
import { type Edge, findModel, ownSession, pathParam } from '../edge.ts';
import { readTaskRequest } from '../requests/session-requests.ts';
import { readSessionKey } from '../requests/wallet-request.ts';

/** `POST /v1/sessions/{id}/prompts`: a prompt whose task its client puts on chain itself. */
export function promptRoute(app: FastifyInstance, { network }: Edge, wallets: WalletNetwork): void {
  app.post('/v1/sessions/:session/prompts', async (request, reply) => {
    const session = ownSession(request);
    const { terms } = await network.session(session);
    const { task } = readTaskRequest(request.body, terms.model);
    findModel(network, task.model, 'chat');
    const held = await wallets.holdPrompt({ session, ...task });
    return reply.code(201).send({
      object: 'pouw.prompt',
      session,
      prompt: held.prompt,
      digest: held.digest,
      prompt_tokens: held.promptTokens,
      max_tokens: held.maxTokens,
      max_price_wei: held.maxPriceWei,
    });
  });
}

/** `POST /v1/sessions/{id}/keys`: binds a key at its owner's signature, so it takes no key. */
export function keyRoute(app: FastifyInstance, { exchanges }: Edge, wallets: WalletNetwork): void {
  app.post('/v1/sessions/:session/keys', async (request, reply) => {
    const id = pathParam(request, 'session');
    if (!isSessionId(id)) {
      throw new PouwError('session_not_found', `There is no session ${JSON.stringify(id.slice(0, 100))}.`, {
        class: 'not-found',
      });
    }
    // All that ask for a session share one bound, as those with one key do.
    request.exchange = exchanges.admit(request.id, sha256(`keys of ${id}`), id, reply.raw);
    await wallets.bindKey(readSessionKey(id, request.body));
    return reply.code(201).send({ object: 'pouw.key', session: id });
  });
}
