// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {Standing} from "../../src/types/Reputation.sol";
import {Checkpoint} from "../../src/types/Reputation.sol";
import {Round, RoundState} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {Trees} from "../base/Trees.sol";
import {vm} from "../base/Vm.sol";

/// @notice What checkpoints, rewards and rounds cost, each with what every transaction costs.
/// forge-config: default.isolate = true
contract IncentivesGasTest is IncentivesTest {
    function test_gasOfReputation() external {
        settle(1, standings(3));
        Standing[] memory all = standings(5);
        vm.warp(reputation.epochEndsAt(2));
        Checkpoint memory checkpoint = checkpointOf(2, all);
        bytes[] memory signatures = signed(first(oracles, 3), reputation.checkpointDigest(checkpoint));
        reputation.post(checkpoint, signatures, effect());
        vm.snapshotGasLastCall("Incentives", "post a checkpoint with 3 signatures");
        fund(STRANGER, BOND);
        vm.prank(STRANGER);
        reputation.dispute(2, "claim", effect());
        vm.snapshotGasLastCall("Incentives", "dispute a checkpoint");
        bytes[] memory ruling = signed(first(oracles, 4), reputation.rulingDigest(2, true));
        reputation.rule(2, true, ruling, effect());
        vm.snapshotGasLastCall("Incentives", "rule with 4 signatures");
        bytes32[] memory proof = Trees.proof(all, 0);
        reputation.applyLevel(all[0], proof, effect());
        vm.snapshotGasLastCall("Incentives", "apply a level");
    }

    function test_gasOfRewards() external {
        uint64 id = roundIn(RoundState.Ended);
        Round memory round = network.roundOf(id);
        uint64[] memory work = new uint64[](12);
        for (uint256 i = 0; i < 12; ++i) {
            work[i] = network.creditsOf(1, miners[i]);
        }
        Standing[] memory all = standings(3, work);
        settle(1, all);
        for (uint256 i = 0; i < 12; ++i) {
            if (miners[i] != round.answers[0].miner) continue;
            bytes32[] memory proof = Trees.proof(all, i);
            rewards.claim(1, all[i], proof, effect());
            vm.snapshotGasLastCall("Incentives", "claim a reward");
        }
    }

    function test_gasOfARound() external {
        roundIn(RoundState.Ended);
        nextSlot();
        uint64 id = request();
        vm.snapshotGasLastCall("Incentives", "round: request");
        reachBeacon(id);
        network.draw(id, effect());
        vm.snapshotGasLastCall("Incentives", "round: draw");
        address creator = network.roundOf(id).creator;
        vm.prank(creator);
        network.create(id, "topic", effect());
        vm.snapshotGasLastCall("Incentives", "round: create");
        address preparer = network.roundOf(id).preparer;
        vm.prank(preparer);
        network.prepare(id, "questions", effect());
        vm.snapshotGasLastCall("Incentives", "round: prepare");
        reachBeacon(id);
        network.start(id, effect());
        vm.snapshotGasLastCall("Incentives", "round: start");
        _answer(id);
        address[] memory judges = first(network.roundOf(id).validators, 2);
        bytes[] memory signatures = signed(judges, network.outcomeDigest(id, "dataset", 31));
        network.end(id, "dataset", 31, signatures, effect());
        vm.snapshotGasLastCall("Incentives", "round: end");
    }

    function _answer(uint64 id) private {
        Round memory round = network.roundOf(id);
        for (uint256 i = 0; i < 5; ++i) {
            precommit(id, round.answers[i].miner);
            if (i == 1) vm.snapshotGasLastCall("Incentives", "round: precommit");
        }
        for (uint256 i = 0; i < 5; ++i) {
            reveal(id, round.answers[i].miner);
            if (i == 1) vm.snapshotGasLastCall("Incentives", "round: reveal");
        }
    }

    function test_gasOfPools() external {
        vm.prank(miners[0]);
        network.quit(Role.Miner, effect());
        vm.snapshotGasLastCall("Incentives", "quit a pool");
        vm.prank(miners[0]);
        network.join(Role.Miner, effect());
        vm.snapshotGasLastCall("Incentives", "join a pool");
    }

    function test_gasOfASilentRevealer() external {
        uint64 id = roundIn(RoundState.Revealing);
        Round memory round = network.roundOf(id);
        for (uint256 i = 0; i < 4; ++i) {
            reveal(id, round.answers[i].miner);
        }
        pass(31);
        advance(id);
        vm.snapshotGasLastCall("Incentives", "round: slash who did not reveal");
    }
}
