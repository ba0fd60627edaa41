// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What a task costs at k = 3 with two validators, transaction by transaction, each with what every
/// transaction costs. The nodes have earned before, as those of a running network have.
/// forge-config: default.isolate = true
contract TaskGasTest is NetworkTest {
    uint64 private _session;
    uint256 private _total;

    function setUp() public override {
        super.setUp();
        _session = openSession();
        taskIn(TaskState.Settled, _session, 3, 2);
    }

    function test_gasOfATaskOfThreeMiners() external {
        bytes32 taskId = submit(_session);
        _note("submit");
        assign(taskId, 3, 2);
        _note("assign");
        for (uint256 i = 0; i < 3; ++i) {
            ack(taskId, miners[i]);
            _note(_nth("ack", i));
        }
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, miners[i]);
            _note(_nth("precommit", i));
        }
        for (uint256 i = 0; i < 3; ++i) {
            reveal(taskId, miners[i]);
            _note(_nth("reveal", i));
        }
        for (uint256 i = 0; i < 2; ++i) {
            attest(taskId, validators[i], first(miners, 3));
            _note(_nth("attest", i));
        }
        settle(taskId);
        _note("settle");
        vm.snapshotValue("Task", "all 13 transactions", _total);
    }

    function _nth(string memory name, uint256 index) private pure returns (string memory) {
        return string.concat(name, " ", vm.toString(index + 1));
    }

    function _note(string memory name) private {
        _total += vm.snapshotGasLastCall("Task", name);
    }
}
