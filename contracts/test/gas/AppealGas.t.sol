// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CarriedAttestation} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What an appeal of a task of three miners and two validators costs, each with what every transaction costs.
/// forge-config: default.isolate = true
contract AppealGasTest is AppealTest {
    function test_gasOfAnAppeal() external {
        bytes32 taskId = wronged();
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
        vm.snapshotGasLastCall("Appeal", "appeal");
        beaconOf(taskId);
        appeals.nominate(taskId, judges, effect());
        vm.snapshotGasLastCall("Appeal", "nominate 8 validators, of whom 5 are drawn");
        vm.warp(appeals.appealOf(taskId).drawBy + 1);
        CarriedAttestation[] memory carried = words(taskId, truth(), 0, 3);
        appeals.attestMany(taskId, truth(), carried, effect());
        vm.snapshotGasLastCall("Appeal", "attest with 3 signatures, overturn and slash 2 validators");
        vm.prank(CLIENT);
        appeals.withdraw(effect());
        vm.snapshotGasLastCall("Appeal", "withdraw");
    }

    function test_gasOfAnUndecidedAppeal() external {
        bytes32 taskId = heard();
        vm.warp(appeals.appealOf(taskId).attestBy + 1);
        appeals.end(taskId, effect());
        vm.snapshotGasLastCall("Appeal", "end undecided");
    }
}
