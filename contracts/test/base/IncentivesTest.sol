// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defaults} from "../../script/Defaults.sol";
import {Cor} from "../../src/Cor.sol";
import {LogAnchor} from "../../src/LogAnchor.sol";
import {NetworkSessions} from "../../src/NetworkSessions.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Reputation} from "../../src/Reputation.sol";
import {Rewards} from "../../src/Rewards.sol";
import {IdleWork} from "../../src/interfaces/IdleWork.sol";
import {IncentiveLimits} from "../../src/libraries/IncentiveLimits.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Module} from "../../src/types/Module.sol";
import {Role} from "../../src/types/Node.sol";
import {Checkpoint, CheckpointState, Standing} from "../../src/types/Reputation.sol";
import {Round, RoundState, RoundTimes} from "../../src/types/Round.sol";
import {Test} from "./Test.sol";
import {Trees} from "./Trees.sol";
import {vm} from "./Vm.sol";

/// @title Reputation, rewards and network sessions with their people
/// @notice Five oracles, twelve miners and four validators, all active, miners and validators in their pools; and a short
/// way to a checkpoint and to any state of a round.
abstract contract IncentivesTest is Test {
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant EPOCH_S = 1 days;
    uint40 internal constant DISPUTE_S = 1 hours;
    uint40 internal constant RULING_S = 2 hours;
    uint128 internal constant STAKE = 1000 ether;
    uint128 internal constant FIRST_WEI = 20_000 ether;
    uint32 internal constant HALVING_EPOCHS = 1000;
    uint128 internal constant BOND = IncentiveLimits.DISPUTE_BOND_WEI;

    Cor public cor;
    Parameters internal parameters;
    NodeRegistry public registry;
    LogAnchor internal anchors;
    Reputation public reputation;
    Rewards public rewards;
    NetworkSessions public network;

    address internal immutable HOLDER = account("holder");
    address internal immutable TREASURY = account("treasury");
    address internal immutable GUARDIAN = account("guardian");
    address internal immutable STRANGER = account("stranger");
    address[] internal oracles;
    address[] internal miners;
    address[] internal validators;

    uint256 private _effects;
    mapping(address node => uint256) internal keys;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        cor = new Cor(HOLDER);
        parameters = new Parameters(address(this), GUARDIAN, address(0), Defaults.economy(TREASURY));
        registry = new NodeRegistry(cor, parameters);
        anchors = new LogAnchor(registry);
        reputation = new Reputation(registry, anchors, cor, EPOCH_S, DISPUTE_S, RULING_S);
        network = new NetworkSessions(registry, reputation, times());
        rewards = new Rewards(cor, reputation, _idleWork(), FIRST_WEI, HALVING_EPOCHS);
        cor.bindMinter(address(rewards));
        Module[] memory modules = new Module[](2);
        modules[0] = Module(address(reputation), Powers.SET_LEVEL);
        modules[1] = Module(address(network), Powers.SLASH);
        registry.bindModules(modules);
        oracles = _nodes("oracle", 5, Role.Oracle);
        miners = _nodes("miner", 12, Role.Miner);
        validators = _nodes("validator", 4, Role.Validator);
        _anchorLog();
        for (uint256 i = 0; i < miners.length; ++i) {
            enter(miners[i], Role.Miner);
        }
        for (uint256 i = 0; i < validators.length; ++i) {
            enter(validators[i], Role.Validator);
        }
    }

    /// @dev Who credits idle work.
    function _idleWork() internal virtual returns (IdleWork) {
        return network;
    }

    function times() internal pure returns (RoundTimes memory) {
        return RoundTimes({
            slotS: 600, drawS: 60, createS: 30, prepareS: 30, answerS: 60, revealS: 30, validateS: 60, graceS: 20
        });
    }

    // ---------------------------------------------------------------- people

    function effect() internal returns (bytes32) {
        return bytes32(++_effects);
    }

    function fund(address to, uint256 amountWei) internal {
        vm.prank(HOLDER);
        assertTrue(cor.transfer(to, amountWei), "funded");
        vm.prank(to);
        cor.approve(address(reputation), type(uint256).max);
        vm.prank(to);
        cor.approve(address(registry), type(uint256).max);
    }

    /// @dev Registers with a set of roles, active at once.
    function register(address node, uint8 roles) internal {
        fund(node, STAKE);
        vm.prank(node);
        registry.register(roles, keccak256(abi.encode(node)), STAKE, "", new string[](0), effect());
    }

    /// @dev Has a node go to work or stop.
    function setActive(address node, bool active) internal {
        vm.prank(node);
        registry.setActive(active, effect());
    }

    function enter(address node, Role role) internal {
        vm.prank(node);
        network.join(role, effect());
    }

    function _nodes(string memory name, uint256 count, Role role) private returns (address[] memory nodes) {
        nodes = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            string memory own = string.concat(name, vm.toString(i));
            nodes[i] = account(own);
            keys[nodes[i]] = uint256(keccak256(bytes(own)));
            register(nodes[i], Roles.bit(role));
        }
    }

    /// @dev Nine anchors of a log.
    function _anchorLog() private {
        address router = account("router");
        register(router, Roles.ROUTER);
        for (uint64 i = 1; i <= 9; ++i) {
            vm.prank(router);
            anchors.anchor("root", "heads", i * 100, effect());
        }
    }

    // ---------------------------------------------------------------- signatures

    function sign(address who, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[who], digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The signatures of some, in ascending order of their addresses.
    function signed(address[] memory who, bytes32 digest) internal view returns (bytes[] memory signatures) {
        address[] memory sorted = ascending(who);
        signatures = new bytes[](sorted.length);
        for (uint256 i = 0; i < sorted.length; ++i) {
            signatures[i] = sign(sorted[i], digest);
        }
    }

    function ascending(address[] memory nodes) internal pure returns (address[] memory sorted) {
        sorted = new address[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint256 j = i;
            for (; j > 0 && sorted[j - 1] > nodes[i]; --j) {
                sorted[j] = sorted[j - 1];
            }
            sorted[j] = nodes[i];
        }
    }

    function first(address[] memory nodes, uint256 count) internal pure returns (address[] memory some) {
        some = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            some[i] = nodes[i];
        }
    }

    // ---------------------------------------------------------------- checkpoints

    function standingOf(address node, uint8 level, uint64 idleWork) internal pure returns (Standing memory) {
        return
            Standing({node: node, level: level, scoreBps: 7500, honest: 9, outlier: 1, timedOut: 2, idleWork: idleWork});
    }

    /// @dev All miners, with a level and idle work for the first ones.
    function standings(uint8 level, uint64[] memory idleWork) internal view returns (Standing[] memory all) {
        all = new Standing[](miners.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = standingOf(miners[i], level, i < idleWork.length ? idleWork[i] : 0);
        }
    }

    function standings(uint8 level) internal view returns (Standing[] memory) {
        return standings(level, new uint64[](0));
    }

    /// @dev What honest oracles would sign next for an epoch.
    function checkpointOf(uint64 epoch, Standing[] memory all) internal view returns (Checkpoint memory next) {
        Checkpoint memory before = reputation.checkpointOf(reputation.newestEpoch()).checkpoint;
        next.epoch = epoch;
        next.skipped = epoch - before.epoch - 1;
        next.fromPosition = before.toPosition + 1;
        next.toPosition = before.toPosition + 50;
        next.anchorEpoch = before.anchorEpoch == 0 ? 1 : before.anchorEpoch;
        next.revision = reputation.revision();
        next.nodes = uint32(all.length);
        next.root = Trees.root(all);
        next.manifestDigest = "manifest";
        for (uint256 i = 0; i < all.length; ++i) {
            next.idleWork += all[i].idleWork;
        }
    }

    function post(Checkpoint memory checkpoint) internal {
        bytes[] memory signatures = signed(first(oracles, 3), reputation.checkpointDigest(checkpoint));
        reputation.post(checkpoint, signatures, effect());
    }

    function post(uint64 epoch, Standing[] memory all) internal {
        if (block.timestamp < reputation.epochEndsAt(epoch)) vm.warp(reputation.epochEndsAt(epoch));
        post(checkpointOf(epoch, all));
    }

    /// @dev Posts and lets the time for disputes pass.
    function settle(uint64 epoch, Standing[] memory all) internal {
        post(epoch, all);
        pass(DISPUTE_S + 1);
    }

    function dispute(uint64 epoch, address by) internal {
        fund(by, BOND);
        vm.prank(by);
        reputation.dispute(epoch, "claim", effect());
    }

    function rule(uint64 epoch, bool stands) internal {
        reputation.rule(epoch, stands, signed(first(oracles, 4), reputation.rulingDigest(epoch, stands)), effect());
    }

    function assertCheckpoint(uint64 epoch, CheckpointState expected) internal view {
        assertEq(uint256(reputation.stateOf(epoch)), uint256(expected), "checkpoint state");
    }

    // ---------------------------------------------------------------- rounds

    function rootOf(address miner) internal pure returns (bytes32) {
        return keccak256(abi.encode("root", miner));
    }

    function saltOf(address miner) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", miner));
    }

    function hashOf(uint64 id, address miner) internal view returns (bytes32) {
        bytes32 task = network.taskIdOf(id);
        return keccak256(
            abi.encode(
                block.chainid, network, uint256(id), task, uint256(2), uint256(0), miner, rootOf(miner), saltOf(miner)
            )
        );
    }

    function request() internal returns (uint64) {
        vm.prank(oracles[0]);
        return network.request(effect());
    }

    /// @dev Lets the block come that decides a draw.
    function reachBeacon(uint64 id) internal {
        vm.roll(network.roundOf(id).beaconBlock + 1);
    }

    function precommit(uint64 id, address miner) internal {
        bytes32 hash = hashOf(id, miner);
        vm.prank(miner);
        network.precommit(id, hash, effect());
    }

    function reveal(uint64 id, address miner) internal {
        vm.prank(miner);
        network.reveal(id, rootOf(miner), saltOf(miner), "answers", effect());
    }

    function end(uint64 id, uint16 honest, address[] memory judges) internal {
        network.end(id, "dataset", honest, signed(judges, network.outcomeDigest(id, "dataset", honest)), effect());
    }

    /// @dev Brings the round of this slot to a state, everybody doing well.
    function roundIn(RoundState state) internal returns (uint64 id) {
        id = request();
        if (state == RoundState.Requested) return id;
        reachBeacon(id);
        network.draw(id, effect());
        if (state == RoundState.Creating) return id;
        vm.prank(network.roundOf(id).creator);
        network.create(id, "topic", effect());
        if (state == RoundState.Preparing) return id;
        vm.prank(network.roundOf(id).preparer);
        network.prepare(id, "questions", effect());
        if (state == RoundState.Prepared) return id;
        reachBeacon(id);
        network.start(id, effect());
        if (state == RoundState.Answering) return id;
        Round memory round = network.roundOf(id);
        for (uint256 i = 0; i < round.answers.length; ++i) {
            precommit(id, round.answers[i].miner);
        }
        if (state == RoundState.Revealing) return id;
        for (uint256 i = 0; i < round.answers.length; ++i) {
            reveal(id, round.answers[i].miner);
        }
        if (state == RoundState.Validating) return id;
        end(id, 31, first(round.validators, 2));
    }

    function advance(uint64 id) internal {
        vm.prank(oracles[1]);
        network.advance(id, effect());
    }

    function assertRound(uint64 id, RoundState expected) internal view {
        assertEq(uint256(network.roundOf(id).state), uint256(expected), "round state");
    }

    function nextSlot() internal {
        vm.warp(START + uint256(network.slotAt(block.timestamp)) * 600);
    }

    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
    }
}
