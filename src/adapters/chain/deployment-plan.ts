import { encodeDeployData, encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { ContractName } from '../../ports/chain.ts';
import {
  allowancesAbi,
  anchorsAbi,
  appealsAbi,
  batchChallengesAbi,
  batchDemandsAbi,
  batchesAbi,
  corAbi,
  networkAbi,
  parametersAbi,
  pricingAbi,
  queueAbi,
  registryAbi,
  reputationAbi,
  reservationsAbi,
  rewardsAbi,
  sessionsAbi,
  stakeToUseAbi,
  timelockAbi,
} from './abi.ts';
import * as code from './bytecode.ts';
import type { Economy, Incentives } from './economy.ts';

/** Who has which part in a deployment, and what it starts with. */
export interface DeploymentTerms {
  /** Receives the genesis supply of $COR. */
  readonly holder: Address;
  /** Proposes changes of the parameters. */
  readonly proposer: Address;
  /** May pause entries. */
  readonly guardian: Address;
  /** Authorises accounts for closed roles. */
  readonly registrar: Address;
  /** Seconds between a proposal and its execution. */
  readonly timelockDelayS: number;
  readonly economy: Economy;
  readonly incentives: Incentives;
}

type Addresses = Readonly<Record<ContractName, Address>>;

/** A library that is created by itself and linked into the task queue. */
type LibraryName = keyof typeof code.queueLinks;

/** Where the contracts of a deployment are, and its libraries, which nobody calls. */
export type Made = Addresses & Readonly<Record<LibraryName, Address>>;

/** A contract to create: its name in a deployment, its name in Solidity, and its creation code with its arguments. */
interface Creation {
  readonly name: keyof Made;
  readonly contract: string;
  /** Given the addresses of those before it. */
  readonly data: (on: Made, terms: DeploymentTerms) => Hex;
}

/** The queue's creation code with the addresses of its libraries. */
function linkedQueue(on: Made): Hex {
  const links = Object.entries(code.queueLinks) as [LibraryName, string][];
  return links.reduce<string>(
    (linked, [name, place]) => linked.replaceAll(place, on[name].slice(2)),
    code.queueBytecode,
  ) as Hex;
}

/** Every contract, in the order in which they are created: each is given those that it calls. */
export const creations: readonly Creation[] = [
  {
    name: 'cor',
    contract: 'Cor',
    data: (_, { holder }) => encodeDeployData({ abi: corAbi, bytecode: code.corBytecode, args: [holder] }),
  },
  {
    name: 'timelock',
    contract: 'Timelock',
    data: (_, { timelockDelayS, proposer }) =>
      encodeDeployData({
        abi: timelockAbi,
        bytecode: code.timelockBytecode,
        args: [BigInt(timelockDelayS), proposer],
      }),
  },
  {
    name: 'parameters',
    contract: 'Parameters',
    data: ({ timelock }, { guardian, registrar, economy }) =>
      encodeDeployData({
        abi: parametersAbi,
        bytecode: code.parametersBytecode,
        args: [timelock, guardian, registrar, economy],
      }),
  },
  {
    name: 'registry',
    contract: 'NodeRegistry',
    data: ({ cor, parameters }) =>
      encodeDeployData({ abi: registryAbi, bytecode: code.registryBytecode, args: [cor, parameters] }),
  },
  {
    name: 'pricing',
    contract: 'Pricing',
    data: ({ registry }) => encodeDeployData({ abi: pricingAbi, bytecode: code.pricingBytecode, args: [registry] }),
  },
  {
    name: 'allowances',
    contract: 'Allowances',
    data: () => encodeDeployData({ abi: allowancesAbi, bytecode: code.allowancesBytecode }),
  },
  {
    name: 'sessions',
    contract: 'Sessions',
    data: ({ cor, registry, pricing, allowances }) =>
      encodeDeployData({
        abi: sessionsAbi,
        bytecode: code.sessionsBytecode,
        args: [cor, registry, pricing, allowances],
      }),
  },
  {
    name: 'reservations',
    contract: 'Reservations',
    data: ({ sessions }) =>
      encodeDeployData({ abi: reservationsAbi, bytecode: code.reservationsBytecode, args: [sessions] }),
  },
  {
    name: 'appeals',
    contract: 'Appeals',
    data: ({ registry }) => encodeDeployData({ abi: appealsAbi, bytecode: code.appealsBytecode, args: [registry] }),
  },
  { name: 'upkeep', contract: 'Upkeep', data: () => code.upkeepBytecode },
  { name: 'verdicts', contract: 'Verdicts', data: () => code.verdictsBytecode },
  { name: 'steps', contract: 'Steps', data: () => code.stepsBytecode },
  {
    name: 'queue',
    contract: 'TaskQueue',
    data: (on) => {
      const args = [on.registry, on.sessions, on.parameters, on.appeals] as const;
      return encodeDeployData({ abi: queueAbi, bytecode: linkedQueue(on), args });
    },
  },
  {
    name: 'batches',
    contract: 'Batches',
    data: ({ registry, sessions, parameters }) =>
      encodeDeployData({ abi: batchesAbi, bytecode: code.batchesBytecode, args: [registry, sessions, parameters] }),
  },
  {
    name: 'batchChallenges',
    contract: 'BatchChallenges',
    data: ({ batches }) =>
      encodeDeployData({ abi: batchChallengesAbi, bytecode: code.batchChallengesBytecode, args: [batches] }),
  },
  {
    name: 'batchDemands',
    contract: 'BatchDemands',
    data: ({ batches }) =>
      encodeDeployData({ abi: batchDemandsAbi, bytecode: code.batchDemandsBytecode, args: [batches] }),
  },
  {
    name: 'stakeToUse',
    contract: 'StakeToUse',
    data: ({ queue }) => encodeDeployData({ abi: stakeToUseAbi, bytecode: code.stakeToUseBytecode, args: [queue] }),
  },
  {
    name: 'anchors',
    contract: 'LogAnchor',
    data: ({ registry }) => encodeDeployData({ abi: anchorsAbi, bytecode: code.anchorsBytecode, args: [registry] }),
  },
  {
    name: 'reputation',
    contract: 'Reputation',
    data: ({ registry, anchors, cor }, { incentives }) =>
      encodeDeployData({
        abi: reputationAbi,
        bytecode: code.reputationBytecode,
        args: [registry, anchors, cor, incentives.epochS, incentives.disputeS, incentives.rulingS],
      }),
  },
  {
    name: 'network',
    contract: 'NetworkSessions',
    data: ({ registry, reputation }, { incentives }) =>
      encodeDeployData({
        abi: networkAbi,
        bytecode: code.networkBytecode,
        args: [registry, reputation, incentives.roundTimes],
      }),
  },
  {
    name: 'rewards',
    contract: 'Rewards',
    data: ({ cor, reputation, network }, { incentives }) =>
      encodeDeployData({
        abi: rewardsAbi,
        bytecode: code.rewardsBytecode,
        args: [cor, reputation, network, incentives.firstEmissionWei, incentives.halvingEpochs],
      }),
  },
];

/** What a module may do, as `contracts/src/libraries/Powers.sol` numbers it. */
export const powers = { slash: 1, coolDown: 2, setLevel: 4, escrow: 8, draw: 16, price: 32, reserve: 64 } as const;

/** Which contract lets which others do what. */
const modules: readonly (readonly [target: ContractName, module: ContractName, powers: number])[] = [
  ['registry', 'queue', powers.slash | powers.coolDown],
  ['registry', 'reputation', powers.setLevel],
  ['registry', 'network', powers.slash],
  ['registry', 'appeals', powers.slash | powers.coolDown],
  ['sessions', 'queue', powers.escrow],
  ['sessions', 'reservations', powers.reserve],
  ['sessions', 'batches', powers.draw],
  ['pricing', 'sessions', powers.price],
  ['allowances', 'sessions', powers.price],
];

/** A call that binds all modules of one contract. */
export interface Binding {
  readonly target: ContractName;
  readonly call: string;
  readonly data: Hex;
}

/** The calls that bind every contract's modules, the token's minter, and whose outcomes are appealed, once all are created. */
export function bindings(on: Addresses): Binding[] {
  const mint = encodeFunctionData({ abi: corAbi, functionName: 'bindMinter', args: [on.rewards] });
  const judges: Binding = {
    target: 'batches',
    call: 'Batches.bindJudges',
    data: encodeFunctionData({
      abi: batchesAbi,
      functionName: 'bindJudges',
      args: [on.batchChallenges, on.batchDemands],
    }),
  };
  const appealed: Binding = {
    target: 'appeals',
    call: 'Appeals.bindQueue',
    data: encodeFunctionData({ abi: appealsAbi, functionName: 'bindQueue', args: [on.queue] }),
  };
  const minter: Binding = { target: 'cor', call: 'Cor.bindMinter', data: mint };
  const bound = creations.flatMap(({ name, contract }) => {
    const own = modules.filter(([of]) => of === name);
    const [target] = own[0] ?? [];
    if (target === undefined) return [];
    const list = own.map(([, module, some]) => ({ account: on[module], powers: some }));
    const data = encodeFunctionData({ abi: registryAbi, functionName: 'bindModules', args: [list] });
    return [{ target, call: `${contract}.bindModules`, data }];
  });
  return [minter, judges, appealed, ...bound];
}
