// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../../src/types/Session.sol";
import {TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";

contract SettleFuzzTest is NetworkTest {
    function testFuzz_aSettlementIsExactWhateverWasFound(
        uint256 k,
        uint256 v,
        uint256 honest,
        uint32 promptTokens,
        uint32 outputTokens,
        uint128 promptTokenWei,
        uint128 outputTokenWei
    ) external {
        k = within(k, 1, 6);
        v = within(v, 1, 3);
        honest = within(honest, 1, k);
        Terms memory terms = defaultTerms();
        (terms.redundancy, terms.validators) = (uint8(k), uint8(v));
        (terms.promptTokenWei, terms.outputTokenWei) = (promptTokenWei, outputTokenWei);
        uint64 id = openSession(terms);
        bytes32 taskId = taskIn(TaskState.Committed, id, k, v);
        for (uint256 i = 0; queue.taskOf(taskId).state == TaskState.Committed; ++i) {
            attest(taskId, validators[i], first(miners, honest), promptTokens, outputTokens);
        }
        settle(taskId);

        uint256 full = uint256(promptTokens) * promptTokenWei + uint256(outputTokens) * outputTokenWei;
        uint256 price = full < MAX_PRICE ? full : MAX_PRICE;
        assertEq(sessions.totals().paidWei, price, "the price is paid");
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT - price, "the rest is back");
        assertEq(sessions.sessionOf(id).escrowedWei, 0, "nothing is left in escrow");
        for (uint256 i = 0; i < k; ++i) {
            bool good = i < honest;
            assertEq(sessions.earningsOf(miners[i]), good ? (price * 8) / 10 / honest : 0, "the honest share equally");
            assertEq(registry.nodeOf(miners[i]).stakeWei, good ? STAKE : STAKE - 10 ether, "the others are slashed");
        }
        assertMoneyConserved();
    }

    function testFuzz_theOrderInWhichTheHonestAreNamedMakesNoDifference(uint256 seed) external {
        bytes32 taskId = taskIn(TaskState.Committed, openSession(), 3, 2);
        address[] memory order = first(miners, 3);
        for (uint256 i = 2; i > 0; --i) {
            uint256 j = within(seed >> (8 * i), 0, i);
            (order[i], order[j]) = (order[j], order[i]);
        }
        attestWinner(taskId, validators[0], miners[0], first(miners, 3), 100, 50);
        attestWinner(taskId, validators[1], miners[0], order, 100, 50);
        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(uint256(task.state), uint256(TaskState.Validated), "they agree");
        assertEq(task.ballots[0].honest, task.ballots[1].honest, "the same set");
    }
}
