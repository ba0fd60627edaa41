// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Timelock} from "../../src/Timelock.sol";
import {Shares} from "../../src/types/Economy.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @notice Parameters change after their new values were public for the whole delay, and not before.
contract TimelockTest is NetworkTest {
    function test_aChangeIsPublicForTheWholeDelay() external {
        Shares memory shares = parameters.shares();
        shares.minersBps = 7000;
        bytes memory call = abi.encodeCall(parameters.setShares, (shares, "seven"));
        bytes32 id = timelock.hashOperation(address(parameters), 0, call, 0, "salt");
        vm.prank(PROPOSER);
        timelock.schedule(address(parameters), 0, call, 0, "salt", TIMELOCK_DELAY);
        uint256 readyAt = block.timestamp + TIMELOCK_DELAY;
        assertEq(timelock.getTimestamp(id), readyAt, "when");

        vm.warp(readyAt - 1);
        bytes32 ready = bytes32(1 << uint8(TimelockController.OperationState.Ready));
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnexpectedOperationState.selector, id, ready));
        timelock.execute(address(parameters), 0, call, 0, "salt");
        assertEq(parameters.shares().minersBps, 8000, "as before");

        vm.warp(readyAt);
        vm.prank(STRANGER);
        timelock.execute(address(parameters), 0, call, 0, "salt");
        assertEq(parameters.shares().minersBps, 7000, "anyone has it done");
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnexpectedOperationState.selector, id, ready));
        timelock.execute(address(parameters), 0, call, 0, "salt");
    }

    function test_nothingIsDoneSooner() external {
        assertEq(timelock.getMinDelay(), TIMELOCK_DELAY, "delay");
        vm.expectRevert(
            abi.encodeWithSelector(
                TimelockController.TimelockInsufficientDelay.selector, TIMELOCK_DELAY - 1, TIMELOCK_DELAY
            )
        );
        vm.prank(PROPOSER);
        timelock.schedule(address(parameters), 0, "", 0, 0, TIMELOCK_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, PROPOSER));
        vm.prank(PROPOSER);
        timelock.updateDelay(0);
    }

    function test_onlyTheProposerProposesAndCancels() external {
        bytes memory call = abi.encodeCall(parameters.openEntries, (0));
        bytes32 proposer = timelock.PROPOSER_ROLE();
        bytes32 canceller = timelock.CANCELLER_ROLE();
        address[3] memory others = [STRANGER, GUARDIAN, address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(_unauthorised(others[i], proposer));
            vm.prank(others[i]);
            timelock.schedule(address(parameters), 0, call, 0, 0, TIMELOCK_DELAY);
        }
        vm.prank(PROPOSER);
        timelock.schedule(address(parameters), 0, call, 0, 0, TIMELOCK_DELAY);
        bytes32 id = timelock.hashOperation(address(parameters), 0, call, 0, 0);
        vm.expectRevert(_unauthorised(STRANGER, canceller));
        vm.prank(STRANGER);
        timelock.cancel(id);
        vm.prank(PROPOSER);
        timelock.cancel(id);
        assertFalse(timelock.isOperation(id), "taken back");
    }

    function test_itsOnlyAdministratorIsItself() external {
        bytes32 admin = timelock.DEFAULT_ADMIN_ROLE();
        assertTrue(timelock.hasRole(admin, address(timelock)), "itself");
        address[3] memory others = [address(this), PROPOSER, GUARDIAN];
        for (uint256 i = 0; i < 3; ++i) {
            assertFalse(timelock.hasRole(admin, others[i]), "and nobody else");
            bytes32 role = timelock.PROPOSER_ROLE();
            vm.expectRevert(_unauthorised(others[i], admin));
            vm.prank(others[i]);
            timelock.grantRole(role, STRANGER);
        }
    }

    function test_theProposerIsNotTheOwner() external {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, PROPOSER));
        vm.prank(PROPOSER);
        parameters.setGuardian(PROPOSER, effect());
    }

    function test_aNewTimelockTakesOverInTwoSteps() external {
        Timelock other = new Timelock(5 days, STRANGER);
        govern(address(parameters), abi.encodeCall(parameters.transferOwnership, (address(other))));
        assertEq(parameters.owner(), address(timelock), "not yet");
        bytes memory call = abi.encodeCall(parameters.acceptOwnership, ());
        vm.prank(STRANGER);
        other.schedule(address(parameters), 0, call, 0, 0, 5 days);
        pass(5 days);
        other.execute(address(parameters), 0, call, 0, 0);
        assertEq(parameters.owner(), address(other), "the other one");
    }

    /// @dev Locally there is nobody to warn.
    function test_withoutADelayTheProposerActsAtOnce() external {
        Timelock other = new Timelock(0, PROPOSER);
        asOwner(abi.encodeCall(parameters.transferOwnership, (address(other))));
        bytes memory call = abi.encodeCall(parameters.acceptOwnership, ());
        vm.prank(PROPOSER);
        other.schedule(address(parameters), 0, call, 0, 0, 0);
        other.execute(address(parameters), 0, call, 0, 0);
        assertEq(parameters.owner(), address(other), "in one block");
    }

    function _unauthorised(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }
}
