// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {TermsRules} from "../../src/libraries/TermsRules.sol";
import {PoolMode, SessionState, SettlementMode, TaskRules, Terms, TokenPrices} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract SessionVersionsTest is NetworkTest {
    function test_aVersionKeepsWhatItsTasksRunUnder() external {
        Terms memory terms = defaultTerms();
        (terms.appealWindowS, terms.reservePeriodS, terms.minMiners, terms.maxMiners) = (7, 8, 2, 9);
        terms.mode = PoolMode.Dedicated;
        uint64 id = openSession(terms, routers, first(miners, 2));
        TaskRules memory rules = sessions.rulesOf(id, 1);
        assertEq(rules.redundancy, 3, "redundancy");
        assertEq(rules.minMiners, 2, "fewest miners");
        assertEq(rules.maxMiners, 9, "most miners");
        assertEq(rules.validators, 2, "validators");
        assertEq(rules.level, 1, "level");
        assertEq(rules.similarityBps, 8000, "similarity");
        assertEq(uint256(rules.mode), uint256(PoolMode.Dedicated), "dedicated");
        assertEq(uint256(rules.settlement), uint256(SettlementMode.PerTask), "task by task");
        assertEq(rules.queueTimeoutS, 60, "queue");
        assertEq(rules.ackTimeoutS, 5, "ack");
        assertEq(rules.executeTimeoutS, 30, "execute");
        assertEq(rules.revealTimeoutS, 10, "reveal");
        assertEq(rules.validateTimeoutS, 20, "validate");
        assertEq(rules.appealWindowS, 7, "appeal");
        assertEq(rules.reservePeriodS, 8, "reserve");
        TokenPrices memory prices = sessions.tokenPricesOf(id, 1);
        assertEq(prices.promptTokenWei, PROMPT_TOKEN, "prompt token");
        assertEq(prices.outputTokenWei, OUTPUT_TOKEN, "output token");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownVersion.selector, id, 2));
        sessions.rulesOf(id, 2);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownVersion.selector, id, 0));
        sessions.rulesOf(id, 0);
    }

    function test_theTaskLimitHolds() external {
        Terms memory terms = defaultTerms();
        terms.taskLimit = 2;
        uint64 id = openSession(terms);
        submit(id, "first");
        submit(id, "second");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.TaskLimitReached.selector, id, 2));
        submit(id, "third");
        terms.taskLimit = 3;
        update(id, terms);
        submit(id, "third");
        assertEq(sessions.sessionOf(id).taskCount, 3, "counted from the beginning");
        terms.taskLimit = 0;
        update(id, terms);
        submit(id, "fourth");
    }

    function test_anUpdateHoldsForLaterTasksOnly() external {
        Terms memory terms = defaultTerms();
        uint64 id = openSession();
        bytes32 older = submit(id, "older");
        (terms.redundancy, terms.minMiners, terms.maxTaskPriceWei) = (5, 4, 2 ether);
        (terms.promptTokenWei, terms.outputTokenWei, terms.queueTimeoutS) = (1, 2, 90);
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "update");
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionUpdated(id, 2, terms);
        vm.prank(CLIENT);
        assertEq(sessions.update(id, terms, "update"), 2, "the second version");
        bytes32 newer = submit(id, "newer");

        assertEq(queue.taskOf(older).version, 1, "keeps its own");
        assertEq(queue.taskOf(newer).version, 2, "has the new ones");
        assertEq(queue.taskOf(newer).escrowWei, 2 ether, "the new highest price");
        assertEq(queue.taskOf(newer).expireBy, block.timestamp + 90, "the new queue time-out");
        assertEq(sessions.rulesOf(id, 1).redundancy, 3, "the old rules stay");
        assertEq(sessions.rulesOf(id, 2).redundancy, 5, "the new rules");
        assertEq(sessions.tokenPricesOf(id, 1).outputTokenWei, OUTPUT_TOKEN, "the old prices stay");
        assertEq(sessions.tokenPricesOf(id, 2).outputTokenWei, 2, "the new prices");
        assertEq(sessions.sessionOf(id).version, 2, "the newest");
    }

    function test_aTaskIsPaidByThePricesItWasSubmittedUnder() external {
        uint64 id = openSession();
        bytes32 taskId = taskIn(TaskState.Committed, id, 3, 2);
        Terms memory terms = defaultTerms();
        (terms.promptTokenWei, terms.outputTokenWei) = (0, 0);
        update(id, terms);
        attest(taskId, validators[0], first(miners, 3), 100, 50);
        attest(taskId, validators[1], first(miners, 3), 100, 50);
        settle(taskId);
        assertEq(sessions.totals().paidWei, 100 * PROMPT_TOKEN + 50 * OUTPUT_TOKEN, "the old prices");
    }

    function test_onlyTheOwnerOfAnOpenSessionUpdates() external {
        uint64 id = openSession();
        Terms memory terms = defaultTerms();
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, id, routers[0]));
        vm.prank(routers[0]);
        sessions.update(id, terms, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownSession.selector, 2));
        update(2, terms);
        vm.prank(CLIENT);
        sessions.close(id, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, id, SessionState.Closed));
        update(id, terms);
    }

    function test_anUpdateIsBoundedAndKeepsTheModel() external {
        uint64 id = openSession(defaultTerms(), routers, first(miners, 4));
        Terms memory terms = defaultTerms();
        terms.redundancy = 0;
        vm.expectRevert(abi.encodeWithSelector(TermsRules.TermOutOfBounds.selector, "redundancy", 0, 1, 16));
        update(id, terms);
        terms = defaultTerms();
        terms.maxMiners = 3;
        vm.expectRevert(abi.encodeWithSelector(TermsRules.TermOutOfBounds.selector, "dedicatedMiners", 4, 0, 3));
        update(id, terms);
        terms = defaultTerms();
        terms.model = "another";
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ModelFixed.selector, id));
        update(id, terms);
    }

    function test_anEffectUpdatesOnce() external {
        uint64 id = openSession();
        vm.prank(CLIENT);
        sessions.update(id, defaultTerms(), "update");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("update")));
        vm.prank(CLIENT);
        sessions.update(id, defaultTerms(), "update");
    }
}
