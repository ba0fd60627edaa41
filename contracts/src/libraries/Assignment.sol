// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Role} from "../types/Node.sol";
import {TaskRules} from "../types/Session.sol";
import {Chosen, Draw, Round, Scheme, Task} from "../types/Task.sol";
import {Limits} from "./Limits.sol";
import {Selection} from "./Selection.sol";

/// @title How a task is given to its nodes
library Assignment {
    /// @dev Who a draw gives the task to. Reverts unless its beacon is good, there are enough of everybody, and all that are
    /// chosen may work and weigh no more than their levels may.
    function chosenBy(
        Draw calldata draw,
        Task storage task,
        bytes32 taskId,
        TaskRules memory rules,
        NodeRegistry registry
    ) internal view returns (Chosen memory chosen) {
        _requireBeacon(draw, task);
        uint256[] memory nodes;
        if (draw.scheme == Scheme.Drawn) {
            nodes = Selection.draw(draw.beacon, taskId, draw.miners, rules.redundancy);
        } else {
            uint256 came = draw.miners.length;
            if (came > rules.redundancy) {
                revert TaskQueueEvents.MinerCountOutOfBounds(came, rules.minMiners, rules.redundancy);
            }
            nodes = Selection.listed(draw.miners);
        }
        if (nodes.length < rules.minMiners) {
            revert TaskQueueEvents.MinerCountOutOfBounds(nodes.length, rules.minMiners, rules.redundancy);
        }
        chosen.minerNumbers = registry.requireDrawn(nodes, Role.Miner, 0);
        chosen.miners = Selection.nodesOf(nodes);
        nodes = Selection.draw(draw.beacon, taskId, draw.validators, rules.validators);
        uint256 minimum = rules.level == 0 ? 0 : 1;
        if (nodes.length < minimum) {
            revert TaskQueueEvents.ValidatorCountOutOfBounds(nodes.length, minimum, rules.validators);
        }
        chosen.validatorNumbers = registry.requireDrawn(nodes, Role.Validator, 0);
        chosen.validators = Selection.nodesOf(nodes);
    }

    /// @dev Says who works on the task, and what they were drawn from.
    function announce(Draw calldata draw, Task storage task, bytes32 taskId, Chosen memory chosen, uint40 ackBy)
        internal
    {
        uint64 sessionId = task.sessionId;
        emit TaskQueueEvents.CandidatesNamed(sessionId, taskId, draw.scheme, draw.miners, draw.validators);
        emit TaskQueueEvents.MinersAssigned(
            sessionId,
            taskId,
            chosen.miners,
            chosen.validators,
            draw.beaconBlock,
            draw.beacon,
            draw.selectionDigest,
            ackBy,
            task.step
        );
    }

    /// @dev Where the session has a list of dedicated miners, all of these are on it.
    function requireDedicated(Task storage task, address[] memory miners, Sessions sessions) internal view {
        uint64 sessionId = task.sessionId;
        address other = sessions.firstUndedicated(sessionId, miners);
        if (other != address(0)) revert TaskQueueEvents.MinerNotDedicated(sessionId, other);
    }

    /// @dev The first free lane from a hint on. Lanes are used again and again, which costs a quarter of fresh storage.
    function freeLane(Round[256] storage lanes, uint8 hint, uint64 sessionId) internal view returns (uint8) {
        for (uint256 i = 0; i < Limits.SESSION_LANES_MAX; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast) what is cut off is the way round
            uint8 lane = uint8(uint256(hint) + i);
            if (lanes[lane].taken == 0) return lane;
        }
        revert TaskQueueEvents.NoLaneFree(sessionId);
    }

    /// @dev Writes what a round begins with; the seats are written apart.
    function begin(Round storage round, uint32 router, uint256 minerCount, uint32[] memory validators) internal {
        // forge-lint: disable-start(unsafe-typecast) both are at most 16
        uint8 slotCount = uint8(minerCount);
        uint8 validatorCount = uint8(validators.length);
        // forge-lint: disable-end(unsafe-typecast)
        round.taken = 1;
        round.slotCount = slotCount;
        round.liveCount = slotCount;
        round.doneCount = 0;
        round.validatorCount = validatorCount;
        round.dissentCount = 0;
        round.router = router;
        round.oracle = 0;
        round.phaseBy = 0;
        round.winner = 0;
        round.honest = 0;
        round.voters = 0;
        round.promptTokens = 0;
        round.outputTokens = 0;
        for (uint256 i = 0; i < validatorCount; ++i) {
            round.validators[i] = validators[i];
        }
    }

    /// @dev Every slot through every attempt, then the reveal and the attestations; twice, because oracles take time.
    function hardDeadline(TaskRules memory rules) internal view returns (uint32) {
        uint256 attempts = uint256(Limits.SLOT_ATTEMPTS_MAX) + 1;
        uint256 work = attempts * (uint256(rules.ackTimeoutS) + rules.executeTimeoutS);
        uint256 rest = uint256(rules.revealTimeoutS) + rules.validateTimeoutS;
        // forge-lint: disable-next-line(unsafe-typecast) 28 hours after now at most
        return uint32(block.timestamp + 2 * (work + rest));
    }

    /// @dev The beacon is the hash of a block that nobody knew when the task was submitted.
    function _requireBeacon(Draw calldata draw, Task storage task) private view {
        uint64 submittedBlock = task.submittedBlock;
        if (draw.beaconBlock <= submittedBlock) {
            revert TaskQueueEvents.BeaconTooOld(draw.beaconBlock, submittedBlock);
        }
        bytes32 actual = blockhash(draw.beaconBlock);
        if (actual == 0 || actual != draw.beacon) {
            revert TaskQueueEvents.BeaconMismatch(draw.beaconBlock, actual, draw.beacon);
        }
    }
}
