// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowances} from "../src/Allowances.sol";
import {Appeals} from "../src/Appeals.sol";
import {BatchChallenges} from "../src/BatchChallenges.sol";
import {BatchDemands} from "../src/BatchDemands.sol";
import {Batches} from "../src/Batches.sol";
import {Cor} from "../src/Cor.sol";
import {LogAnchor} from "../src/LogAnchor.sol";
import {NetworkSessions} from "../src/NetworkSessions.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {Parameters} from "../src/Parameters.sol";
import {Pricing} from "../src/Pricing.sol";
import {Reputation} from "../src/Reputation.sol";
import {Reservations} from "../src/Reservations.sol";
import {Rewards} from "../src/Rewards.sol";
import {Sessions} from "../src/Sessions.sol";
import {StakeToUse} from "../src/StakeToUse.sol";
import {TaskQueue} from "../src/TaskQueue.sol";
import {Timelock} from "../src/Timelock.sol";
import {Powers} from "../src/libraries/Powers.sol";
import {Module} from "../src/types/Module.sol";
import {Defaults} from "./Defaults.sol";

/// @notice The contracts of one deployment.
struct Deployment {
    Cor cor;
    Timelock timelock;
    Parameters parameters;
    NodeRegistry registry;
    Pricing pricing;
    Allowances allowances;
    Sessions sessions;
    Reservations reservations;
    Appeals appeals;
    TaskQueue queue;
    Batches batches;
    BatchChallenges batchChallenges;
    BatchDemands batchDemands;
    StakeToUse stakeToUse;
    LogAnchor anchors;
    Reputation reputation;
    NetworkSessions network;
    Rewards rewards;
}

/// @notice Who has which part in a deployment.
struct People {
    /// Receives the genesis supply of $COR.
    address holder;
    /// Gets the treasury's part of every price.
    address treasury;
    /// Proposes changes of the parameters to the timelock.
    address proposer;
    /// May pause entries.
    address guardian;
    /// Authorises accounts for closed roles.
    address registrar;
}

/// @title How the contracts come to be
/// @notice Deploys and binds everything in the one order that works; the tests deploy with it too.
library Deployments {
    /// @dev Whoever runs this deploys, and so may bind the modules.
    /// @param people Who has which part.
    /// @param timelockDelayS Seconds between a proposal to change parameters and its execution.
    function deploy(People memory people, uint256 timelockDelayS) internal returns (Deployment memory made) {
        made.cor = new Cor(people.holder);
        made.timelock = new Timelock(timelockDelayS, people.proposer);
        made.parameters = new Parameters(
            address(made.timelock), people.guardian, people.registrar, Defaults.economy(people.treasury)
        );
        made.registry = new NodeRegistry(made.cor, made.parameters);
        made.pricing = new Pricing(made.registry);
        made.allowances = new Allowances();
        made.sessions = new Sessions(made.cor, made.registry, made.pricing, made.allowances);
        made.reservations = new Reservations(made.sessions);
        made.appeals = new Appeals(made.registry);
        made.queue = new TaskQueue(made.registry, made.sessions, made.parameters, address(made.appeals));
        made.batches = new Batches(made.registry, made.sessions, made.parameters);
        made.batchChallenges = new BatchChallenges(made.batches);
        made.batchDemands = new BatchDemands(made.batches);
        made.stakeToUse = new StakeToUse(made.queue);
        made.anchors = new LogAnchor(made.registry);
        made.reputation = new Reputation(
            made.registry, made.anchors, made.cor, Defaults.EPOCH_S, Defaults.DISPUTE_S, Defaults.RULING_S
        );
        made.network = new NetworkSessions(made.registry, made.reputation, Defaults.roundTimes());
        made.rewards =
            new Rewards(made.cor, made.reputation, made.network, Defaults.FIRST_EMISSION_WEI, Defaults.HALVING_EPOCHS);
        made.cor.bindMinter(address(made.rewards));
        made.appeals.bindQueue(made.queue);
        made.batches.bindJudges(address(made.batchChallenges), address(made.batchDemands));
        made.registry.bindModules(ofRegistry(made));
        made.sessions.bindModules(ofSessions(made));
        made.pricing.bindModules(ofHelpers(made));
        made.allowances.bindModules(ofHelpers(made));
    }

    /// @dev What may command the registry: a line each.
    function ofRegistry(Deployment memory made) internal pure returns (Module[] memory modules) {
        modules = new Module[](4);
        modules[0] = Module(address(made.queue), Powers.SLASH | Powers.COOL_DOWN);
        modules[1] = Module(address(made.reputation), Powers.SET_LEVEL);
        modules[2] = Module(address(made.network), Powers.SLASH);
        modules[3] = Module(address(made.appeals), Powers.SLASH | Powers.COOL_DOWN);
    }

    /// @dev What may command the sessions: a line each.
    function ofSessions(Deployment memory made) internal pure returns (Module[] memory modules) {
        modules = new Module[](3);
        modules[0] = Module(address(made.queue), Powers.ESCROW);
        modules[1] = Module(address(made.reservations), Powers.RESERVE);
        modules[2] = Module(address(made.batches), Powers.DRAW);
    }

    /// @dev What may command the sessions' helpers: the sessions.
    function ofHelpers(Deployment memory made) internal pure returns (Module[] memory modules) {
        modules = new Module[](1);
        modules[0] = Module(address(made.sessions), Powers.PRICE);
    }
}

/// @notice The cheatcodes of `forge script` that {Deploy} uses.
interface ScriptVm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function envOr(string calldata name, address fallbackValue) external view returns (address);
    function envOr(string calldata name, uint256 fallbackValue) external view returns (uint256);
}

/// @title `forge script contracts/script/Deploy.s.sol --rpc-url URL --private-key KEY --broadcast`
/// @notice The sender holds the supply, is the treasury, proposes, guards and authorises, unless `COR_HOLDER`, `TREASURY`,
/// `PROPOSER`, `GUARDIAN` and `REGISTRAR` name others. `TIMELOCK_DELAY` is in seconds, 4 days where it is left out.
contract Deploy {
    /// @notice Tells forge that this is a script.
    bool public constant IS_SCRIPT = true;

    ScriptVm private constant VM = ScriptVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys.
    /// @return made Where everything is.
    function run() external returns (Deployment memory made) {
        People memory people = People({
            holder: VM.envOr("COR_HOLDER", msg.sender),
            treasury: VM.envOr("TREASURY", msg.sender),
            proposer: VM.envOr("PROPOSER", msg.sender),
            guardian: VM.envOr("GUARDIAN", msg.sender),
            registrar: VM.envOr("REGISTRAR", msg.sender)
        });
        uint256 delayS = VM.envOr("TIMELOCK_DELAY", Defaults.TIMELOCK_DELAY_S);
        VM.startBroadcast();
        made = Deployments.deploy(people, delayS);
        VM.stopBroadcast();
    }
}
