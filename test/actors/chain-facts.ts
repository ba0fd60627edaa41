import type { ChainFact, ChainFactBody, ChainPlace, SessionTerms } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Hex } from '../../src/core/hash.ts';
import { sessionId, taskId, toAddress } from '../../src/core/ids.ts';
import { plainTerms } from '../../src/core/session-terms.ts';
import { wei } from '../../src/core/wei.ts';

/** 32 bytes that end in a number. */
export function bytes32(value: number): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** Addresses by number: the order of the numbers is the order of the addresses. */
export const address = (value: number) => toAddress(`0x${value.toString(16).padStart(40, '0')}`);

export const client = address(0xc1);
export const router = address(0x40);
export const miners = [address(0x11), address(0x12), address(0x13), address(0x14)] as const;
export const [alice, bob, carol, dave] = miners;
export const validators = [address(0x21), address(0x22)] as const;
export const [vera, victor] = validators;
export const oracles = [address(0x31), address(0x32)] as const;
export const [olga, otto] = oracles;

export const session = sessionId(31_337, address(0x99), 1);
export const task = taskId(session, bytes32(1));
export const prompt = contentCid({ kind: 'prompt', text: 'Why is the sky blue?' });

export const terms: SessionTerms = {
  ...plainTerms,
  model: 'pebble-chat',
  redundancy: 2,
  validators: 1,
  similarityBps: 8_000,
  level: 1,
  routerMaySubmit: true,
  maxTaskPriceWei: wei(100),
  promptTokenWei: wei(1),
  outputTokenWei: wei(2),
  queueTimeoutS: 60,
  ackTimeoutS: 5,
  executeTimeoutS: 30,
  revealTimeoutS: 10,
  validateTimeoutS: 20,
  routers: [router],
};

/** Blocks of these tests are a second apart, the first at this time. */
export const genesisAt = 1_700_000_000_000;

/** The place of a fact in a block, one transaction each unless said otherwise. */
export function place(block: number, logIndex = 0): ChainPlace {
  const hash = bytes32(block * 1_000 + logIndex);
  return { block, blockHash: bytes32(block), blockAt: genesisAt + block * 1_000, txHash: hash, logIndex };
}

/** A fact in a block. */
export function fact<Body extends ChainFactBody>(
  block: number,
  body: Body,
  logIndex = 0,
): Body & Pick<ChainFact, 'place'> {
  return { ...body, place: place(block, logIndex) };
}

/** Where a fact of a block was seen, as events keep it. */
export function seen(block: number, logIndex = 0) {
  const { blockHash, txHash } = place(block, logIndex);
  return { block, blockHash, txHash };
}
