import { describe, expect, test } from 'vitest';
import { emptyValidation, type ValidationContext } from '../../../actors/validator/context.ts';
import type { AttestOnChain } from '../../../actors/validator/effects.ts';
import { alice, bob, bytes32, carol, router, session, task, vera } from '../../../test/actors/chain-facts.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import type { CarryBody } from '../../messages/carry.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { ChainTaskRecord, QueueMessage } from '../../ports/queue-messages.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Changes } from '../carry/changes.ts';
import { attest, type Attesting } from './attest.ts';

const effect = {
  kind: 'attestOnChain',
  task,
  winner: carol,
  // In order of address, which is not that of the slots.
  honest: [alice, carol],
  promptTokens: 6,
  outputTokens: 10,
  reportDigest: bytes32(4),
} as unknown as AttestOnChain;
const attestation = { call: 'attest', task, winner: carol, honest: [alice, carol] };
const signature = { r: bytes32(1), vs: bytes32(2) };
const slot = (miner: Address) => ({ miner, attempt: 0, state: 'revealed', dueBy: 0, precommit: bytes32(0) }) as const;
const committed: ChainTaskRecord = {
  session,
  state: 'committed',
  step: 0,
  submittedBlock: 1,
  router,
  outcome: undefined,
  phaseBy: 20_000,
  finality: 'immediate',
  slots: [slot(carol), slot(bob), slot(alice)],
  validators: [{ validator: vera, hasAttested: false }],
};

/** Attests over a chain and a router that do as they are told. */
async function run(options: {
  record?: ChainTaskRecord | undefined;
  router?: Address | null;
  refuses?: boolean;
  reverts?: boolean;
  /** When the chain has it. */
  thereAtMs?: number;
}) {
  const clock = new VirtualClock({ startMs: 0 });
  const changes = new Changes();
  const parts: CarryBody[] = [];
  const signed: QueueMessage[] = [];
  const sent: ChainCall[] = [];
  const record = 'record' in options ? options.record : committed;
  const asked = options.router === undefined ? router : options.router;
  const context = { ...emptyValidation, session, task, validator: vera, attestBy: 20_000, router: asked };
  let validation: Folded<ValidationContext> = { value: 'attesting', context };
  const base = {
    identity: { address: vera },
    ports: {
      clock,
      log: { info: () => {}, warn: () => {} },
      chain: {
        task: async () => record,
        sign: async (_: Address, message: QueueMessage) => {
          signed.push(message);
          return signature;
        },
      },
    },
    command: async (...[, , , , body]: unknown[]) => {
      if (options.refuses === true) throw new PouwError('carry_full', 'no');
      parts.push(body as CarryBody);
    },
    send: async (call: ChainCall) => {
      if (options.reverts === true) throw new PouwError('chain_reverted', 'no');
      sent.push(call);
    },
  } as unknown as Attesting['base'];
  const { signal } = new AbortController();
  const id = 'validator.x:1:0' as EffectId;
  const attested = attest({ base, changes, validation: () => validation }, effect, { id, signal } as never);
  attested.catch(() => undefined);
  const { thereAtMs } = options;
  if (thereAtMs !== undefined) {
    clock.at(thereAtMs, () => {
      validation = { value: 'attested', context };
      changes.tell();
    });
  }
  await clock.advance(30_000);
  await attested;
  return { parts, signed, sent };
}

describe('a verdict', () => {
  test('goes to the router that asked, by the slots that the chain says', async () => {
    const { parts, signed, sent } = await run({ thereAtMs: 500 });
    const outcome = { winner: 0, honest: 0b101, promptTokens: 6, outputTokens: 10 };
    expect(signed).toEqual([{ is: 'Attestation', task, step: 0, outcome, reportDigest: bytes32(4) }]);
    const part = { is: 'attestation', session, task, step: 0, outcome, reportDigest: bytes32(4), signature };
    expect(parts).toEqual([part]);
    expect(sent).toEqual([]);
  });

  test('that the router withholds is sent when half of the time is over', async () => {
    const { parts, sent } = await run({});
    expect(parts.length).toBeGreaterThan(5);
    expect(sent).toMatchObject([attestation]);
  });

  test('is sent by the validator itself where the router refuses, and where nobody knows who asked', async () => {
    const refused = await run({ refuses: true });
    expect(refused.sent).toMatchObject([attestation]);
    const unknown = await run({ router: null });
    expect([unknown.parts, unknown.sent]).toMatchObject([[], [attestation]]);
  });

  test('is not signed for what the chain does not want: another session, another state, a miner without a result', async () => {
    for (const record of [
      undefined,
      { ...committed, session: '1-00000000-9' as typeof session },
      { ...committed, state: 'precommitted' },
      { ...committed, slots: [{ ...slot(carol), state: 'dropped' }, slot(bob), slot(alice)] },
      { ...committed, slots: [slot(carol), slot(bob)] },
    ] as (ChainTaskRecord | undefined)[]) {
      const { parts, signed, sent } = await run({ record });
      expect([parts, signed]).toEqual([[], []]);
      expect(sent).toMatchObject([attestation]);
    }
  });

  test('that the chain refuses is no failure where it is there, or decided without it', async () => {
    for (const record of [
      { ...committed, validators: [{ validator: vera, hasAttested: true }] },
      { ...committed, state: 'validated' },
      { ...committed, state: 'settled', slots: [], validators: [] },
    ] as ChainTaskRecord[])
      await run({ record, reverts: true, router: null });
    await expect(run({ reverts: true, router: null })).rejects.toMatchObject({ code: 'chain_reverted' });
  });
});
