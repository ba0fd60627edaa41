// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealRecord, AppealState} from "../../src/types/Appeal.sol";
import {Terms} from "../../src/types/Session.sol";
import {CarriedAttestation, Finality, Outcome, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {vm} from "../base/Vm.sol";
import {CarryingHandler} from "./CarryingHandler.sol";

/// @title Appeals, by those who may and those who may not
abstract contract AppealingHandler is CarryingHandler {
    /// @notice How often a task was appealed.
    mapping(bytes32 taskId => uint256 count) public appealed;
    /// @notice How often an appeal came to its end.
    mapping(bytes32 taskId => uint256 count) public ruled;

    function clientOpensWithAppeals(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (sessions.sessionCount() == 4) return;
        Terms memory terms = appealable();
        terms.redundancy = uint8(within(seed, 1, 3));
        terms.validators = uint8(within(seed >> 16, 1, 3));
        terms.appealWindowS = uint24(within(seed >> 32, 1, 200));
        openSession(terms);
    }

    /// @dev The owner or an outlier appeals; whoever may not, or too late, or again, cannot.
    function partyAppeals(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _validatedAs(seed, Finality.Appealable);
        if (taskId == 0) return;
        bytes memory call = abi.encodeCall(appeals.appeal, (taskId, effect()));
        _refusedOnAppeal(STRANGER, call);
        _refusedOnAppeal(task.slots[task.outcome.winner].miner, call);
        if (block.timestamp > task.phaseBy) return _refusedOnAppeal(CLIENT, call);
        appealAs(CLIENT, taskId);
        ++appealed[taskId];
        _refusedOnAppeal(CLIENT, call);
    }

    /// @dev Anyone names whom it likes; who has a part in the task is never drawn.
    function strangerNominates(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId,) = _validatedAs(seed, Finality.Appealed);
        if (taskId == 0) return;
        AppealRecord memory made = recordOf(taskId);
        address[] memory nodes = new address[](within(seed >> 16, 1, 10));
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = _anyAccount(_mix(seed + i));
        }
        bytes memory call = abi.encodeCall(appeals.nominate, (taskId, nodes, effect()));
        bool known = made.beacon != 0 || blockhash(made.beaconBlock) != 0;
        if (block.timestamp > made.drawBy || !known) return _refusedOnAppeal(STRANGER, call);
        nominate(taskId, nodes);
        if (seed & 1 == 0) nominate(taskId, judges);
    }

    /// @dev Drawn validators say what is so, or what is not.
    function judgesAttest(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _validatedAs(seed, Finality.Appealed);
        if (taskId == 0) return;
        AppealRecord memory made = recordOf(taskId);
        Outcome memory outcome = seed & 3 == 0 ? task.outcome : _outcome(task, seed >> 16);
        CarriedAttestation[] memory carried = new CarriedAttestation[](made.validators.length);
        uint256 count = 0;
        bytes32 message = appealAttestation(taskId, outcome, "report");
        for (uint8 i = 0; i < made.validators.length; ++i) {
            if (_hasSaid(made, i) || seed & (3 << (64 + 2 * i)) == 0) continue;
            // Of nodes that sign with keys of others nobody takes a word.
            address signer = _keys[made.validators[i]] == 0 ? judges[0] : made.validators[i];
            carried[count++] = CarriedAttestation(i, "report", signedOnAppeal(signer, message));
        }
        if (count == 0) return;
        assembly ("memory-safe") {
            mstore(carried, count)
        }
        bytes memory call = abi.encodeCall(appeals.attestMany, (taskId, outcome, carried, effect()));
        if (block.timestamp <= made.drawBy) return _refusedOnAppeal(STRANGER, call);
        appeals.attestMany(taskId, outcome, carried, effect());
        _noteRuling(taskId);
        _refusedOnAppeal(STRANGER, call);
    }

    function strangerEndsAnAppeal(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_tasks.length == 0) return;
        bytes32 taskId = _tasks[within(seed, 0, _tasks.length - 1)];
        AppealRecord memory made = recordOf(taskId);
        bytes memory call = abi.encodeCall(appeals.end, (taskId, effect()));
        bool hopeless = made.validators.length < made.needed && block.timestamp > made.drawBy;
        bool due = made.state == AppealState.Open && (hopeless || block.timestamp > made.attestBy);
        if (due) _endAppeal(taskId);
        _refusedOnAppeal(STRANGER, call);
    }

    function anyoneTakesWhatItIsOwed(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address account_ = seed & 1 == 0 ? CLIENT : _anyAccount(seed >> 8);
        if (appeals.owedTo(account_) == 0) {
            return _refusedOnAppeal(account_, abi.encodeCall(appeals.withdraw, (effect())));
        }
        vm.prank(account_);
        appeals.withdraw(effect());
    }

    /// @dev Time alone ends every appeal, and everybody takes what it is owed.
    function _endAppeals() internal {
        for (uint256 i = 0; i < _tasks.length; ++i) {
            AppealRecord memory made = recordOf(_tasks[i]);
            if (made.state != AppealState.Open) continue;
            if (block.timestamp <= made.attestBy) vm.warp(made.attestBy + 1);
            _endAppeal(_tasks[i]);
        }
        for (uint256 i = 0; i <= registry.nodeCount(); ++i) {
            address account_ = i == registry.nodeCount() ? CLIENT : registry.nodeAt(i).node;
            if (appeals.owedTo(account_) == 0) continue;
            vm.prank(account_);
            appeals.withdraw(effect());
        }
    }

    function _endAppeal(bytes32 taskId) private {
        vm.prank(STRANGER);
        appeals.end(taskId, effect());
        _noteRuling(taskId);
    }

    function _noteRuling(bytes32 taskId) private {
        if (recordOf(taskId).state != AppealState.Open) ++ruled[taskId];
    }

    function _refusedOnAppeal(address sender, bytes memory call) internal {
        vm.prank(sender);
        (bool done,) = address(appeals).call(call);
        assertFalse(done, "an appeal let somebody do what nobody may");
    }

    function _validatedAs(uint256 seed, Finality finality)
        private
        view
        returns (bytes32 taskId, TaskRecord memory task)
    {
        for (uint256 i = 0; i < _tasks.length; ++i) {
            bytes32 candidate_ = _tasks[(within(seed >> 200, 0, 255) + i) % _tasks.length];
            TaskRecord memory found = queue.taskOf(candidate_);
            if (found.state == TaskState.Validated && found.finality == finality) return (candidate_, found);
        }
    }

    function _hasSaid(AppealRecord memory made, uint8 place) private pure returns (bool) {
        for (uint256 i = 0; i < made.opinions.length; ++i) {
            if (made.opinions[i].voters & (uint64(1) << place) != 0) return true;
        }
        return false;
    }
}
