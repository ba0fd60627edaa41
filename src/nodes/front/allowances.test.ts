import { describe, expect, it } from 'vitest';
import type { SignedAllowance } from '../../core/allowance.ts';
import { sessionId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import { Allowances, type AllowancesOptions } from './allowances.ts';

const at = (digit: string) => toAddress(`0x${digit.repeat(40)}`);
const [client, mine, other] = [at('a'), at('b'), at('c')];
const session = sessionId(31_337, at('d'), 1);
const signed: SignedAllowance = {
  allowance: {
    owner: client,
    session,
    router: mine,
    limitWei: wei(4),
    taskLimitWei: wei(2),
    goodUntil: 9_000,
    nonce: '1',
  },
  signature: '0x12',
};
const grant = { owner: client, leftWei: wei(4), taskLimitWei: wei(2), goodUntil: 9_000, chainAt: 1_000 };

/** The allowances of a process with one router, and what that sends. */
function allowances({ refusal, granted = true, isChainDown = false }: Given = {}): {
  taken: Allowances;
  sent: ChainCall[];
} {
  const sent: ChainCall[] = [];
  const chain = {
    allowanceRefusal: async () => refusal,
    grant: async (_: string, router: string) => (granted && router === mine ? grant : undefined),
  };
  const router = {
    address: mine,
    base: { ports: { chain, clock: { now: () => 0 } }, send: async (call: ChainCall) => void sent.push(call) },
    session: async (id: string) => ({
      context: id === session ? { session, client, terms: { routers: [mine, other] } } : { session: null },
    }),
  };
  const front = { routerFor: () => router, isChainDown };
  return { taken: new Allowances({ front, routers: [router] } as unknown as AllowancesOptions), sent };
}
interface Given {
  refusal?: string;
  granted?: boolean;
  isChainDown?: boolean;
}

const of = (change: Partial<SignedAllowance['allowance']>): SignedAllowance => ({
  ...signed,
  allowance: { ...signed.allowance, ...change },
});

describe('an allowance that is handed to a router', () => {
  it('is brought to the chain by the router that it names', async () => {
    const { taken, sent } = allowances();
    expect(await taken.allow(session, signed)).toEqual({ router: mine, ...grant });
    expect(sent).toEqual([{ call: 'useAllowance', ...signed }]);
    expect(await taken.allowances(session)).toEqual([{ router: mine, ...grant }]);
  });

  it.each<[string, SignedAllowance, Given]>([
    ['allowance_for_another_router', of({ router: other }), {}],
    ['allowance_for_another_session', of({ session: sessionId(31_337, at('d'), 2) }), {}],
    ['allowance_not_of_owner', of({ owner: other }), {}],
    ['allowance_expired', signed, { refusal: 'AllowanceExpired' }],
    ['allowance_used', signed, { refusal: 'NonceUsed' }],
    ['allowance_not_signed', signed, { refusal: 'InvalidAllowance' }],
    ['allowance_empty', signed, { refusal: 'EmptyAllowance' }],
    ['chain_reverted', signed, { refusal: 'SomethingElse' }],
    ['chain_unreachable', signed, { isChainDown: true }],
  ])('is refused as %s, and no transaction is spent', async (code, allowance, given) => {
    const { taken, sent } = allowances(given);
    await expect(taken.allow(session, allowance)).rejects.toMatchObject({ code });
    expect(sent).toEqual([]);
  });

  it('is one of a bounded number an hour, for the router pays the gas', async () => {
    const { taken, sent } = allowances();
    for (let count = 0; count < limits.allowancesBroughtMax; count++) await taken.allow(session, signed);
    await expect(taken.allow(session, signed)).rejects.toMatchObject({ code: 'too_many_allowances', class: 'busy' });
    expect(sent).toHaveLength(limits.allowancesBroughtMax);
  });

  it('is told to be gone where it was revoked in the next block, and unknown where there is no session', async () => {
    await expect(allowances({ granted: false }).taken.allow(session, signed)).rejects.toMatchObject({
      code: 'allowance_used',
    });
    const elsewhere = sessionId(31_337, at('d'), 2);
    await expect(allowances().taken.allow(elsewhere, signed)).rejects.toMatchObject({ code: 'session_not_found' });
  });
});
