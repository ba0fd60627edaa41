import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { roles } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

const solidity = (path: string) => readFileSync(new URL(`../../../contracts/src/${path}`, import.meta.url), 'utf8');

const unitsS: Readonly<Record<string, number>> = { hours: 3_600, days: 86_400 };

/** The numeric constants of a Solidity source; `1 days` in seconds. */
function constantsOf(source: string): Record<string, number> {
  const found = source.matchAll(/constant (\w+) = ([\d_]+)(?: (hours|days))?;/g);
  return Object.fromEntries(
    [...found].map(([, name = '', digits = '', unit]) => [
      name,
      Number(digits.replaceAll('_', '')) * (unit === undefined ? 1 : (unitsS[unit] ?? Number.NaN)),
    ]),
  );
}

/** The members of an enum of a Solidity source, in order. */
function enumOf(source: string, name: string): string[] {
  const [, body = ''] = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source) ?? [];
  return body.split(',').map((member) => member.trim());
}

test('the contracts hold to the same bounds as the nodes', () => {
  const contract = constantsOf(solidity('libraries/Limits.sol'));
  expect(contract).toMatchObject({
    REDUNDANCY_MAX: limits.redundancyMax,
    VALIDATORS_MAX: limits.validatorsMax,
    SLOT_ATTEMPTS_MAX: limits.slotAttemptsMax,
    SESSION_ROUTERS_MAX: limits.sessionRoutersMax,
    DEDICATED_MINERS_MAX: limits.dedicatedMinersMax,
    MODEL_ID_BYTES_MAX: limits.modelIdBytesMax,
    QUEUE_TIMEOUT_S_MAX: limits.queueTimeoutSMax,
    PHASE_TIMEOUT_S_MAX: limits.phaseTimeoutSMax,
  });
});

test('no task can outlast the unbonding of a miner it was assigned to', () => {
  const contract = constantsOf(solidity('libraries/Limits.sol'));
  const attempts = limits.slotAttemptsMax + 1;
  const expireS = 2 * (attempts * 2 + 2) * limits.phaseTimeoutSMax;
  const revealAndValidateS = 3 * limits.phaseTimeoutSMax;
  expect(expireS + revealAndValidateS).toBeLessThan(contract['UNBONDING_S'] ?? 0);
});

test('roles have the same order on chain and off it', () => {
  const members = enumOf(solidity('types/Node.sol'), 'Role').map((member) => member.toLowerCase());
  expect(members).toEqual(['none', ...roles]);
});
