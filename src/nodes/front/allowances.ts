import type { SignedAllowance } from '../../core/allowance.ts';
import { PouwError } from '../../core/errors.ts';
import type { EffectId, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { AllowanceNetwork, RouterAllowance } from '../../ports/allowance-network.ts';
import { checkAllowance } from '../allowances/check-allowance.ts';
import type { RouterNode } from '../router/router-node.ts';
import { chainUnreachable, notFound } from './endings.ts';
import type { Front } from './front.ts';
import { PerHour } from './per-hour.ts';

/** What allowances stand on. */
export interface AllowancesOptions {
  readonly front: Pick<Front, 'routerFor' | 'isChainDown'>;
  readonly routers: readonly RouterNode[];
}

/** Allowances by which the owners of sessions let the routers of this process spend. */
export class Allowances implements AllowanceNetwork {
  readonly #options: AllowancesOptions;
  readonly #brought = new PerHour(limits.allowancesBroughtMax);

  constructor(options: AllowancesOptions) {
    this.#options = options;
  }

  async allow(session: SessionId, signed: SignedAllowance): Promise<RouterAllowance> {
    const { front, routers } = this.#options;
    const { router: named, owner, nonce } = signed.allowance;
    const { context } = await front.routerFor(session).session(session);
    if (context.session === null) throw notFound('session_not_found', 'session', session);
    const router = routers.find(({ address }) => address === named);
    if (router === undefined) {
      throw new PouwError('allowance_for_another_router', `The router ${named} is not here.`, {
        class: 'forbidden',
        why: 'A router spends its own gas to bring what it is allowed.',
        hint: 'Ask that router, or bring it yourself (pouw session allow --use).',
        param: 'router',
        details: { routers: routers.map(({ address }) => address) },
      });
    }
    if (front.isChainDown) throw chainUnreachable();
    const { chain, clock } = router.base.ports;
    await checkAllowance(chain, { session, client: context.client }, signed);
    if (!this.#brought.count(session, clock.now())) {
      throw new PouwError('too_many_allowances', `${limits.allowancesBroughtMax} allowances an hour are brought.`, {
        class: 'busy',
        why: 'The router pays the gas.',
        hint: 'Sign fewer and larger ones, or bring it yourself (pouw session allow --use).',
      });
    }
    await router.base.send({ call: 'useAllowance', ...signed }, `allowance:${owner}:${nonce}` as EffectId);
    const grant = await chain.grant(session, named);
    if (grant !== undefined) return { router: named, ...grant };
    throw new PouwError('allowance_used', 'The allowance was revoked as soon as it was there.', { class: 'invalid' });
  }

  async allowances(session: SessionId): Promise<readonly RouterAllowance[]> {
    const asked = this.#options.front.routerFor(session);
    const { terms, client } = (await asked.session(session)).context;
    const found = await Promise.all(
      (terms?.routers ?? []).map(async (router) => {
        const grant = await asked.base.ports.chain.grant(session, router);
        return grant === undefined || grant.owner !== client ? [] : [{ router, ...grant }];
      }),
    );
    return found.flat();
  }
}
