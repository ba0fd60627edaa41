import { type AbiEvent, encodeAbiParameters, encodeEventTopics } from 'viem';
import { expect, test } from 'vitest';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, sessionId, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import { contractNames, type Deployment } from '../../ports/chain.ts';
import { appealsAbi } from './abi.ts';
import { decodeFacts } from './facts.ts';
import type { RawLog } from './logs.ts';

const word = (digits: string): Hex => `0x${digits.repeat(32)}`;
const account = (digits: string): Address => toAddress(`0x${digits.repeat(20)}`);
const addresses = contractNames.map((name, index) => [name, account((index + 16).toString(16))] as const);
const deployment = { ...Object.fromEntries(addresses), chainId: 31_337, fromBlock: 1 } as unknown as Deployment;
const about = { sessionId: 7n, taskId: word('ab') };
const named = { session: sessionId(31_337, deployment.sessions, 7n), task: word('ab') };

/** What the appeals of the deployment, or another contract, log. */
function logOf(eventName: string, args: Readonly<Record<string, unknown>>, address = deployment.appeals): RawLog {
  const event = present(
    appealsAbi.find((item) => item.type === 'event' && item.name === eventName) as AbiEvent | undefined,
    eventName,
  );
  const plain = event.inputs.filter(({ indexed }) => indexed !== true);
  return {
    address,
    topics: encodeEventTopics({ abi: [event], eventName, args: about }),
    data: encodeAbiParameters(
      plain,
      plain.map(({ name }) => args[name ?? '']),
    ),
    blockNumber: '0x5',
    blockHash: word('05'),
    transactionHash: word('06'),
    logIndex: '0x1',
  } as unknown as RawLog;
}

const decoded = (log: RawLog) => decodeFacts(deployment, [log], () => 5_000).map(({ place: _, ...body }) => body);

test('an appeal is a fact, with its times in milliseconds', () => {
  const log = logOf('OutcomeAppealed', {
    appellant: account('a1'),
    bondWei: 10n ** 19n,
    beaconBlock: 6,
    wanted: 5,
    drawBy: 100,
    attestBy: 120,
  });
  expect(decoded(log)).toEqual([
    {
      type: 'OutcomeAppealed',
      ...named,
      appellant: account('a1'),
      bondWei: wei(10n ** 19n),
      drawBy: 100_000,
      attestBy: 120_000,
    },
  ]);
});

test('so is what it ends with', () => {
  const found = { overturned: true, promptTokens: 6, outputTokens: 9, reportDigest: word('0d') };
  const miners = { winner: account('b1'), honest: [account('b1'), account('b2')] };
  expect(decoded(logOf('AppealDecided', { ...found, ...miners }))).toEqual([
    { type: 'AppealDecided', ...named, ...found, ...miners },
  ]);
  expect(decoded(logOf('AppealUndecided', {}))).toEqual([{ type: 'AppealUndecided', ...named }]);
});

test('what another contract says of an appeal is none', () => {
  expect(decoded(logOf('AppealUndecided', {}, account('ee')))).toEqual([]);
});
