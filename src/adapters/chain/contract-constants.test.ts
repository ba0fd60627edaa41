import { readFileSync } from 'node:fs';
import { encodeAbiParameters } from 'viem';
import { expect, test } from 'vitest';
import { hexToBytes, keccak256 } from '../../core/hash.ts';
import { roles, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { disputeBondWei, disputeFeeWei } from '../../core/checkpoint.ts';
import { oneCor, timesWei } from '../../core/wei.ts';
import { parametersAbi } from './abi.ts';
import { powers } from './deployment-plan.ts';
import { defaultEconomy, incentives, timelockDelayS } from './economy.ts';
import { roleSet, rolesIn } from './role-set.ts';
import { shareBps } from '../../core/price-split.ts';

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
    TASK_LIMIT_MAX: limits.taskLimitMax,
    CANDIDATES_MAX: limits.candidatesMax,
    WEIGHT_PPM_MAX: limits.selectionWeightMax,
    SESSION_LANES_MAX: limits.sessionLanesMax,
    PARENTS_MAX: limits.stepParentsMax,
    STEP_MAX: limits.stepMax,
    ACCESS_LIST_MAX: limits.accessAccountsPerCallMax,
    ACCESS_LISTED_MAX: limits.accessListedMax,
  });
  expect(contract['APPEAL_WINDOW_S_MAX']).toBe(limits.appealWindowSMax);
  expect(contract['RESERVE_PERIOD_S_MAX']).toBe(limits.reservePeriodSMax);
});

test('no task can outlast the unbonding of a miner it was assigned to', () => {
  const contract = constantsOf(solidity('libraries/Limits.sol'));
  const attempts = limits.slotAttemptsMax + 1;
  const expireS = 2 * (attempts * 2 + 2) * limits.phaseTimeoutSMax;
  const revealAndValidateS = 3 * limits.phaseTimeoutSMax;
  const appealS = (contract['APPEAL_WINDOW_S_MAX'] ?? Number.NaN) + 3 * limits.phaseTimeoutSMax;
  const lifeS = expireS + revealAndValidateS + appealS;
  expect(lifeS).toBeLessThan(contract['UNBONDING_S_MIN'] ?? 0);
  // Nor is any settled by rates that were not public when it was submitted.
  expect(lifeS + limits.queueTimeoutSMax).toBeLessThan(timelockDelayS);
});

test('both languages deploy with the same numbers', () => {
  const treasury = toAddress(`0x${'7e'.repeat(20)}`);
  const { inputs } = parametersAbi.find((item) => item.type === 'constructor') ?? { inputs: [] };
  const economy = inputs.filter(({ name }) => name === 'economy');
  const hash = keccak256(hexToBytes(encodeAbiParameters(economy, [defaultEconomy(treasury)] as never)));
  const vectors = new URL('../../../contracts/test/vectors/economy.json', import.meta.url);
  expect(JSON.parse(readFileSync(vectors, 'utf8'))).toMatchObject({ treasury, hash });
});

test('both languages deploy with the same epochs, emission and times of rounds', () => {
  const defaults = solidity('../script/Defaults.sol');
  expect(constantsOf(defaults)).toMatchObject({
    EPOCH_S: incentives.epochS,
    DISPUTE_S: incentives.disputeS,
    RULING_S: incentives.rulingS,
    HALVING_EPOCHS: incentives.halvingEpochs,
  });
  const [, firstCor = ''] = /FIRST_EMISSION_WEI = ([\d_]+) ether;/.exec(defaults) ?? [];
  expect(BigInt(firstCor.replaceAll('_', '')) * 10n ** 18n).toBe(incentives.firstEmissionWei);
  const [, times = ''] = /RoundTimes\(\{([^}]*)\}\)/.exec(defaults) ?? [];
  const given = [...times.matchAll(/(\w+): (\d+)/g)].map(([, name = '', value]) => [name, Number(value)] as const);
  expect(Object.fromEntries(given)).toEqual(incentives.roundTimes);
});

test('roles and powers are the same bits on chain and off it', () => {
  const { CLIENT, ROUTER, MINER, VALIDATOR, ORACLE, ALL } = constantsOf(solidity('libraries/Roles.sol'));
  expect([CLIENT, ROUTER, MINER, VALIDATOR, ORACLE]).toEqual(roles.map((role) => roleSet([role])));
  expect(ALL).toBe(roleSet(roles));
  expect(rolesIn(roleSet(['oracle', 'miner']))).toEqual(['miner', 'oracle']);
  expect(constantsOf(solidity('libraries/Powers.sol'))).toEqual({
    SLASH: powers.slash,
    COOL_DOWN: powers.coolDown,
    SET_LEVEL: powers.setLevel,
    ESCROW: powers.escrow,
    DRAW: powers.draw,
    PRICE: powers.price,
    RESERVE: powers.reserve,
  });
});

test('roles have the same order on chain and off it', () => {
  const members = enumOf(solidity('types/Node.sol'), 'Role').map((member) => member.toLowerCase());
  expect(members).toEqual(['none', ...roles]);
});

test('a price is split by the rates that a deployment starts with', () => {
  const { minersBps, validatorsBps, routerBps, oracleBps } = defaultEconomy(toAddress(`0x${'1'.repeat(40)}`)).shares;
  expect(shareBps).toEqual({ miner: minersBps, validator: validatorsBps, router: routerBps, oracle: oracleBps });
});

test('the bond of a dispute, and what of it is lost where nobody rules, are those of the contract', () => {
  const ether = /constant (DISPUTE_\w+_WEI) = (\d+) ether;/g;
  const found = [...solidity('libraries/IncentiveLimits.sol').matchAll(ether)].map(([, name, count]) => [
    name,
    timesWei(oneCor, Number(count)),
  ]);
  expect(Object.fromEntries(found)).toEqual({ DISPUTE_BOND_WEI: disputeBondWei, DISPUTE_FEE_WEI: disputeFeeWei });
});
