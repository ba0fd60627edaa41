import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import { digestToCid } from '../../core/cid.ts';
import { bytesToHex, hexToBytes, keccak256 } from '../../core/hash.ts';
import { type Address, sessionId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { plainTerms } from '../../core/session-terms.ts';
import { sessionKeyDigest, type SignedSessionKey } from '../../core/session-key.ts';
import { wei } from '../../core/wei.ts';
import type { TaskRequest } from '../../ports/gateway-network.ts';
import { Wallets, type WalletsOptions } from './wallets.ts';

const at = (digit: string) => toAddress(`0x${digit.repeat(40)}`);
const deployment = { chainId: 31_337, sessions: at('d'), stakeToUse: at('e') };
const session = sessionId(31_337, deployment.sessions, 1);
const [ownerKey, otherKey] = [secp256k1.utils.randomSecretKey(), secp256k1.utils.randomSecretKey()];
const addressOf = (key: Uint8Array): Address =>
  toAddress(`0x${keccak256(secp256k1.getPublicKey(key, false).subarray(1)).slice(-40)}`);
const now = 1_000_000;

function signed(by: Uint8Array, change: Partial<SignedSessionKey> = {}): SignedSessionKey {
  const key = { session, keyHash: 'ab'.repeat(32), goodUntil: now + 60_000, ...change };
  const bytes = secp256k1.sign(hexToBytes(sessionKeyDigest(deployment, key)), by, {
    prehash: false,
    format: 'recovered',
  });
  const [parity, r, s] = [bytes[0] ?? 0, bytes.subarray(1, 33), bytes.slice(33)];
  s[0] = (s[0] ?? 0) | (parity << 7);
  return { ...key, signature: { r: bytesToHex(r), vs: bytesToHex(s) } };
}

interface Given {
  client?: Address;
  user?: Address;
  bound?: Record<string, string>;
}

/** A desk over one router, and what that is told and keeps. */
function desk({ client = addressOf(ownerKey), user, bound = {} }: Given = {}) {
  const told: SessionCommand[] = [];
  const kept: object[] = [];
  const keys = new Map(Object.entries(bound));
  let time = now;
  const terms = {
    ...plainTerms,
    model: 'm',
    maxTaskPriceWei: wei(1_000),
    promptTokenWei: wei(1),
    outputTokenWei: wei(2),
  };
  const router = {
    session: async (id: string) => ({
      context: id === session ? { session, client, terms } : { session: null, terms: null },
    }),
    dispatch: async (_: string, command: SessionCommand) => {
      told.push(command);
      if (command.type === 'BindApiKey') keys.set(command.keyHash, session);
    },
    base: {
      ports: {
        chain: { deployment, poolUser: async () => user },
        clock: { now: () => time, sleep: async () => {} },
        content: {
          put: async (value: object) => {
            kept.push(value);
            return digestToCid(`0x${'12'.repeat(32)}`);
          },
          flush: async () => {},
        },
      },
    },
  };
  const inference = {
    countTokens: async () => 10,
    models: () => [{ id: 'm', kind: 'chat', contextTokens: 30 }],
  };
  const wallets = new Wallets({
    front: { routerFor: () => router },
    index: { sessionOfKey: (hash: string) => keys.get(hash) },
    inference,
  } as unknown as WalletsOptions);
  return { wallets, told, kept, pass: (ms: number) => (time += ms) };
}

describe('a key that the owner of a session has signed', () => {
  it('is bound, once', async () => {
    const { wallets, told } = desk();
    await wallets.bindKey(signed(ownerKey));
    await wallets.bindKey(signed(ownerKey));
    expect(told).toEqual([{ type: 'BindApiKey', keyHash: 'ab'.repeat(32) }]);
  });

  it('is its user’s to sign where a pool pays', async () => {
    const pooled = desk({ client: deployment.stakeToUse, user: addressOf(otherKey) });
    await expect(pooled.wallets.bindKey(signed(ownerKey))).rejects.toMatchObject({ code: 'key_not_of_owner' });
    await pooled.wallets.bindKey(signed(otherKey));
    expect(pooled.told).toHaveLength(1);
    const nobody = desk({ client: deployment.stakeToUse });
    await expect(nobody.wallets.bindKey(signed(otherKey))).rejects.toMatchObject({ code: 'key_not_of_owner' });
  });

  it.each<[string, () => SignedSessionKey, Given]>([
    ['key_not_of_owner', () => signed(otherKey), {}],
    ['key_not_of_owner', () => ({ ...signed(ownerKey), keyHash: 'ac'.repeat(32) }), {}],
    ['key_expired', () => signed(ownerKey, { goodUntil: now - 1 }), {}],
    ['key_bound_elsewhere', () => signed(ownerKey), { bound: { ['ab'.repeat(32)]: 'another' } }],
    ['session_not_found', () => signed(ownerKey, { session: sessionId(31_337, deployment.sessions, 2) }), {}],
  ])('is refused as %s', async (code, key, given) => {
    const { wallets, told } = desk(given);
    await expect(wallets.bindKey(key())).rejects.toMatchObject({ code });
    expect(told).toEqual([]);
  });
});

describe('a prompt whose task its client puts on chain itself', () => {
  const request = (change: Partial<TaskRequest> = {}): TaskRequest => ({
    session,
    model: 'm',
    prompt: { text: 'x' },
    sampling: { temperature: 0, topP: 1, topK: 0 },
    maxTokens: 64,
    stop: [],
    topLogprobs: 0,
    delivery: 'fast',
    ...change,
  });

  it('is kept, and its digest and bounds are told', async () => {
    const { wallets, told, kept } = desk();
    expect(await wallets.holdPrompt(request())).toMatchObject({
      digest: `0x${'12'.repeat(32)}`,
      promptTokens: 10,
      maxTokens: 20,
      maxPriceWei: wei(50),
    });
    expect(await wallets.holdPrompt(request({ maxPriceWei: wei(12) }))).toMatchObject({ maxPriceWei: wei(12) });
    expect(kept).toHaveLength(2);
    expect(told).toEqual([]);
  });

  it('is refused for another model, and where there is no session', async () => {
    const { wallets } = desk();
    await expect(wallets.holdPrompt(request({ model: 'other' }))).rejects.toMatchObject({ code: 'model_not_found' });
    const none = sessionId(31_337, deployment.sessions, 2);
    await expect(wallets.holdPrompt(request({ session: none }))).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('is one of a bounded number an hour', async () => {
    const { wallets, kept, pass } = desk();
    for (let count = 0; count < limits.heldPromptsMax; count++) await wallets.holdPrompt(request());
    await expect(wallets.holdPrompt(request())).rejects.toMatchObject({ code: 'too_many_prompts', class: 'busy' });
    expect(kept).toHaveLength(limits.heldPromptsMax);
    pass(3_600_000);
    await wallets.holdPrompt(request());
  });
});
