// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionShare} from "../../src/types/Batch.sol";
import {Plan} from "../base/BatchPlans.sol";
import {BatchTest} from "../base/BatchTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What batches cost, transaction by transaction, each with what every transaction costs: three miners and two
/// validators a task, one claim for all accounts, refunds included. Poster and accounts have had batches before, as
/// those of a running network have.
/// forge-config: default.isolate = true
contract BatchGasTest is BatchTest {
    uint256 private _total;

    function test_gasOf16Tasks() external {
        _measure(16, 1);
    }

    function test_gasOf64Tasks() external {
        _measure(64, 1);
    }

    function test_gasOf256Tasks() external {
        _measure(256, 1);
    }

    function test_gasOf1024Tasks() external {
        _measure(1024, 1);
    }

    function test_gasOf256TasksOf4Sessions() external {
        _measure(256, 4);
    }

    function test_gasOf1024TasksOf16Sessions() external {
        _measure(1024, 16);
    }

    function _measure(uint16 tasks, uint16 count) private {
        SessionShare[] memory shares = new SessionShare[](count);
        for (uint256 i = 0; i < count; ++i) {
            shares[i] = SessionShare(openBatched(), tasks / count, 0);
            _deposit(shares[i].sessionId);
        }
        _fillTheLine(shares[0].sessionId);
        Plan memory warm = plan(routers[0], _copy(shares, 6));
        postHonestly(warm);
        finaliseAfterWindow(warm);
        claimAll(warm);
        string memory name =
            string.concat(vm.toString(tasks), " tasks of ", vm.toString(count), count == 1 ? " session" : " sessions");
        Plan memory b = plan(routers[0], shares);
        postPrecommits(b);
        _note(name, "precommits");
        b.header = _headerOf(b);
        vm.roll(block.number + 1);
        revealAll(b);
        _note(name, "reveals");
        pay(b);
        postAll(b);
        _note(name, "outcomes");
        pass(1 hours + 1);
        batches.finalise(b.id, b.header, effect());
        _note(name, "finalise");
        claimAll(b);
        _note(name, "claims");
        vm.snapshotValue("Batch", string.concat(name, ": all"), _total);
        vm.snapshotValue("Batch", string.concat(name, ": per task"), _total / tasks);
    }

    /// @dev So many batches that places in the line are used again.
    function _fillTheLine(uint64 sessionId) private {
        bond(routers[0], 10_000 ether);
        for (uint256 i = 0; i < 64; ++i) {
            finaliseAfterWindow(posted(sessionId, 1));
        }
    }

    function _deposit(uint64 sessionId) private {
        vm.prank(CLIENT);
        sessions.deposit(sessionId, 1000 ether, effect());
    }

    function _copy(SessionShare[] memory shares, uint16 tasks) private pure returns (SessionShare[] memory copies) {
        copies = new SessionShare[](shares.length);
        for (uint256 i = 0; i < shares.length; ++i) {
            copies[i] = SessionShare(shares[i].sessionId, tasks, 0);
        }
    }

    function _note(string memory name, string memory what) private {
        _total += vm.snapshotGasLastCall("Batch", string.concat(name, ": ", what));
    }
}
