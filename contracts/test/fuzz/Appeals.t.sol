// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealState} from "../../src/types/Appeal.sol";
import {Appeals as Bonds} from "../../src/types/Economy.sol";
import {Terms} from "../../src/types/Session.sol";
import {Outcome} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Appeals with any numbers.
contract AppealsFuzzTest is AppealTest {
    /// @dev Whoever names whom in whatever parts and order: the draw is that of all who were named.
    function testFuzz_theDrawIsOfTheSetOnly(uint256 seed, uint8 parts) external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        uint256 state = vm.snapshotState();
        nominate(taskId, judges);
        address[] memory expected = drawnOf(taskId);
        vm.revertToState(state);
        address[] memory shuffled = judges;
        for (uint256 i = shuffled.length - 1; i > 0; --i) {
            uint256 j = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }
        uint256 step = within(parts, 1, shuffled.length);
        for (uint256 from = 0; from < shuffled.length; from += step) {
            uint256 count = from + step > shuffled.length ? shuffled.length - from : step;
            address[] memory part = new address[](count);
            for (uint256 i = 0; i < count; ++i) {
                part[i] = shuffled[from + i];
            }
            nominate(taskId, part);
        }
        assertEq(keccak256(abi.encode(drawnOf(taskId))), keccak256(abi.encode(expected)), "the same");
    }

    /// @dev Whatever the second round finds, three equal words decide it, the money adds up, and who was right is never
    /// worse off than before.
    function testFuzz_moneyIsConserved(uint8 winner, uint8 honest, uint32 tokens, uint8 against, uint96 bond) external {
        _bond(within(bond, 0.01 ether, 10_000 ether));
        bytes32 taskId = heard();
        Outcome memory other = _sound(winner, honest, tokens);
        bool same = other.winner == 0 && other.honest == 1 && tokens == 50;
        uint8 wrong = uint8(within(against, 0, 2));
        if (wrong != 0 && !same) attestOnAppeal(taskId, lie(), 0, wrong);
        else wrong = 0;
        uint256 staked = registry.totals().stakedWei;
        attestOnAppeal(taskId, other, wrong, 3);
        assertAppeal(taskId, same ? AppealState.Upheld : AppealState.Overturned);
        uint256 culprits = same ? 0 : 2 + wrong;
        assertEq(staked - registry.totals().stakedWei, culprits * CONTRADICTED, "who was wrong loses");
        assertEq(appeals.totals().owedWei, recordOf(taskId).bondWei + culprits * CONTRADICTED / 2, "all of it is owed");
        settle(taskId);
        assertMoneyConserved();
        _everybodyWithdraws(taskId);
        assertEq(cor.balanceOf(address(appeals)), 0, "and can be withdrawn");
        assertMoneyConserved();
    }

    /// @dev Within the window it is an appeal, after it a settlement, never both and never neither.
    function testFuzz_theWindowHasNoGap(uint24 window, uint32 later) external {
        Terms memory terms = appealable();
        terms.appealWindowS = uint24(within(window, 1, 1 hours));
        session = openSession(terms);
        bytes32 taskId = wronged();
        vm.warp(block.timestamp + within(later, 0, 2 hours));
        uint256 state = vm.snapshotState();
        vm.prank(CLIENT);
        (bool appealed,) = address(appeals).call(abi.encodeCall(appeals.appeal, (taskId, effect())));
        vm.revertToState(state);
        (bool settled,) = address(queue).call(abi.encodeCall(queue.settle, (taskId, "manifest", effect())));
        assertTrue(appealed != settled, "one of the two");
    }

    function _bond(uint256 amountWei) private {
        Bonds memory numbers = parameters.appeals();
        numbers.bondWei = uint96(amountWei);
        asOwner(abi.encodeCall(parameters.setAppeals, (numbers, effect())));
    }

    function _sound(uint8 winner, uint8 honest, uint32 tokens) private pure returns (Outcome memory outcome) {
        outcome.honest = uint16(within(honest, 1, 7));
        outcome.winner = uint8(within(winner, 0, 2));
        while (outcome.honest & (1 << outcome.winner) == 0) {
            outcome.winner = (outcome.winner + 1) % 3;
        }
        (outcome.promptTokens, outcome.outputTokens) = (100, tokens);
    }

    function _everybodyWithdraws(bytes32 taskId) private {
        address[] memory drawn = drawnOf(taskId);
        for (uint256 i = 0; i < drawn.length; ++i) {
            _withdraw(drawn[i]);
        }
        _withdraw(validators[0]);
        _withdraw(validators[1]);
        _withdraw(TREASURY);
        _withdraw(CLIENT);
    }

    function _withdraw(address account_) private {
        if (appeals.owedTo(account_) == 0) return;
        vm.prank(account_);
        appeals.withdraw(effect());
    }
}
