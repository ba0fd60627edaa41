import { afterAll, beforeAll, describe } from 'vitest';
import { scratch } from '../kit/local-network.ts';
import { stoppedNetwork, type StoppedNetwork } from '../kit/stopped-network.ts';
import { badInputChecks, exportChecks, listChecks, replayChecks, showChecks } from './log-reading-checks.ts';
import { reputationChecks } from './log-reputation-checks.ts';
import { chainChecks, databaseChecks, soundLogChecks, tamperingChecks } from './log-verify-checks.ts';

const place = scratch('log-commands');
let network: StoppedNetwork;
const on = (): StoppedNetwork => network;

beforeAll(async () => {
  network = await stoppedNetwork(place.path);
});
afterAll(() => place.remove());

describe('log list', () => {
  listChecks(on);
});
describe('log show', () => {
  showChecks(on);
});
describe('log export', () => {
  exportChecks(on);
});
describe('log reputation', () => {
  reputationChecks(on);
});
describe('log verify of a sound log', () => {
  soundLogChecks(on);
});
describe('log verify of a log that was tampered with', () => {
  tamperingChecks(on);
});
describe('log verify of a damaged database', () => {
  databaseChecks(on);
});
describe('log verify of an exported file against a chain', () => {
  chainChecks(on);
});
describe('replay', () => {
  replayChecks(on);
});
describe('bad input', () => {
  badInputChecks(on);
});
