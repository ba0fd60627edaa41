// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Modules} from "../../src/Modules.sol";
import {Pricing} from "../../src/Pricing.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Forecast} from "../../src/types/Market.sol";
import {Terms} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice With one miner counted a model can earn 0.3 $COR in a period of 60 seconds; a task here costs 0.6.
contract PricingTest is NetworkTest {
    bytes32 private constant HASH = keccak256("pebble-chat");
    uint64 private _id;

    function setUp() public override {
        super.setUp();
        _id = openSession();
    }

    // ---------------------------------------------------------------- the multiplier

    function test_withoutCapacityNothingMoves() external {
        taskIn(TaskState.Settled, _id, 3, 2);
        pass(600);
        assertEq(pricing.demandOf(HASH), 1_000_000, "left alone");
        assertEq(pricing.demandOf("unknown"), 1_000_000, "one for a model that nobody knows");
    }

    function test_idleMinersMakeItCheaperDownToTheFloor() external {
        _count(miners[0]);
        pass(59);
        assertEq(pricing.demandOf(HASH), 1_000_000, "the period is not over");
        pass(1);
        assertEq(pricing.demandOf(HASH), 980_000, "two per cent");
        pass(60);
        assertEq(pricing.demandOf(HASH), 960_400, "and again");
        pass(365 days);
        assertEq(pricing.demandOf(HASH), 500_000, "not below the floor, however long nobody looked");
    }

    function test_usedMinersMakeItDearerAndTheNextTaskPaysMore() external {
        _count(miners[0]);
        taskIn(TaskState.Settled, _id, 3, 2);
        pass(60);
        uint256 paid = sessions.totals().paidWei;
        assertEq(paid, 0.6 ether, "at the base price");
        bytes32 taskId = submit(_id, "dearer");
        assertEq(queue.taskOf(taskId).demandPpm, 1_020_000, "two per cent more");
        _finish(taskId);
        assertEq(sessions.totals().paidWei - paid, 0.612 ether, "and so is what is paid");
        assertMoneyConserved();
    }

    function test_aTaskKeepsTheDemandItWasSubmittedAt() external {
        bytes32 taskId = submit(_id, "early");
        _count(miners[0]);
        pass(60 * 20);
        vm.roll(block.number + 2);
        assertTrue(pricing.demandOf(HASH) < 1_000_000, "it fell");
        bytes32 next = submit(_id, "late");
        assertTrue(queue.taskOf(next).demandPpm < 1_000_000, "the later one is cheaper");
        assertEq(queue.taskOf(taskId).demandPpm, 1_000_000, "the earlier one is not");
    }

    function test_demandNeverExceedsTheEscrow() external {
        Terms memory terms = defaultTerms();
        terms.maxTaskPriceWei = 0.6 ether;
        update(_id, terms);
        _count(miners[0]);
        taskIn(TaskState.Settled, _id, 3, 2);
        pass(60);
        bytes32 taskId = submit(_id, "bounded");
        assertEq(queue.taskOf(taskId).demandPpm, 1_020_000, "dearer");
        uint256 paid = sessions.totals().paidWei;
        _finish(taskId);
        assertEq(sessions.totals().paidWei - paid, 0.6 ether, "not above the session's highest price");
    }

    function test_workIsCountedAtBasePrices() external {
        // Else a high multiplier would count as demand and raise itself.
        _count(miners[0]);
        taskIn(TaskState.Settled, _id, 3, 2);
        pass(60);
        bytes32 taskId = submit(_id, "dearer");
        _finish(taskId);
        for (uint256 i = 1; i < 6; ++i) {
            _count(miners[i]);
        }
        // Six miners can earn 1.8, and 0.6 was done: a third.
        assertEq(pricing.forecastOf(HASH).useBps, 3333, "what was done, not what it cost");
    }

    function test_cancelledTasksMoveNothing() external {
        _count(miners[0]);
        for (uint256 i = 0; i < 20; ++i) {
            bytes32 taskId = submit(_id, bytes32(i));
            vm.prank(CLIENT);
            queue.cancel(taskId, effect());
        }
        assertEq(pricing.forecastOf(HASH).useBps, 0, "nothing was paid for");
    }

    function test_aPeriodIsToldWhenItEnds() external {
        _count(miners[0]);
        pass(60);
        vm.expectEmit(address(pricing));
        emit Pricing.DemandMoved(1, 980_000, 0, 1, 3);
        submit(_id);
    }

    // ---------------------------------------------------------------- capacity

    function test_anyoneCountsAndStrikesAsTheRegistrySays() external {
        _serve(miners[0]);
        vm.expectEmit(address(pricing));
        emit Pricing.MinerCounted(1, miners[0]);
        vm.prank(STRANGER);
        pricing.countMiner(HASH, miners[0], effect());
        assertTrue(pricing.isCounted(HASH, miners[0]), "counted");
        vm.expectRevert(abi.encodeWithSelector(Pricing.AlreadyCounted.selector, 1, miners[0]));
        pricing.countMiner(HASH, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Pricing.StillServing.selector, HASH, miners[0]));
        pricing.strikeMiner(HASH, miners[0], effect());

        vm.prank(miners[0]);
        registry.setActive(false, effect());
        vm.expectEmit(address(pricing));
        emit Pricing.MinerStruck(1, miners[0]);
        vm.prank(STRANGER);
        pricing.strikeMiner(HASH, miners[0], effect());
        assertEq(pricing.forecastOf(HASH).minerCount, 0, "struck");
        vm.expectRevert(abi.encodeWithSelector(Pricing.NotCounted.selector, 1, miners[0]));
        pricing.strikeMiner(HASH, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Pricing.NotServing.selector, HASH, miners[0]));
        pricing.countMiner(HASH, miners[0], effect());
    }

    function test_onlyWhoServesAModelCounts() external {
        bytes32 served = keccak256("another");
        Terms memory terms = defaultTerms();
        terms.model = "another";
        openSession(terms);
        vm.expectRevert(abi.encodeWithSelector(Pricing.NotServing.selector, served, miners[0]));
        pricing.countMiner(served, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Pricing.NotServing.selector, HASH, routers[0]));
        pricing.countMiner(HASH, routers[0], effect());
        bytes32 unknown = keccak256("nobody's");
        vm.expectRevert(abi.encodeWithSelector(Pricing.UnknownModel.selector, unknown));
        pricing.countMiner(unknown, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Pricing.UnknownModel.selector, unknown));
        pricing.strikeMiner(unknown, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Pricing.UnknownModel.selector, unknown));
        pricing.forecastOf(unknown);
    }

    // ---------------------------------------------------------------- the forecast

    function test_depositsAndQueueForecastWhatIsNeeded() external {
        Forecast memory forecast = pricing.forecastOf(HASH);
        assertEq(forecast.fundsWei, DEPOSIT, "deposited");
        // A miner can earn 432 in a day.
        assertEq(forecast.requiredMiners, 3, "to spend a thousand in a day");
        for (uint256 i = 0; i < 4; ++i) {
            submit(_id, bytes32(i));
        }
        forecast = pricing.forecastOf(HASH);
        assertEq(forecast.unfinishedTasks, 4, "unfinished");
        assertEq(forecast.requiredMiners, 4, "one each");
    }

    function test_whatIsSpentOrRefundedIsNoFundAnyMore() external {
        taskIn(TaskState.Settled, _id, 3, 2);
        assertEq(pricing.forecastOf(HASH).fundsWei, DEPOSIT, "until the period is over");
        assertEq(pricing.forecastOf(HASH).unfinishedTasks, 0, "ended");
        pass(60);
        assertEq(pricing.forecastOf(HASH).fundsWei, DEPOSIT - 0.6 ether, "spent");
        vm.prank(CLIENT);
        sessions.close(_id, effect());
        assertEq(pricing.forecastOf(HASH).fundsWei, 0, "refunded");
    }

    function test_modelsHaveNumbers() external {
        Terms memory terms = defaultTerms();
        terms.model = "pebble-embed";
        vm.expectEmit(address(pricing));
        emit Pricing.ModelNumbered(2, keccak256("pebble-embed"));
        openSession(terms);
        openSession();
        assertEq(pricing.modelCount(), 2, "two models");
        assertEq(pricing.modelNumberOf(HASH), 1, "the first");
        assertEq(pricing.modelNumberOf("pebble"), 0, "no session was for it");
        assertEq(sessions.sessionOf(3).model, 1, "the first again");
    }

    // ---------------------------------------------------------------- who may

    function test_onlyTheSessionsTellWhatHappens() external {
        bytes memory refusal = abi.encodeWithSelector(Modules.MissingPower.selector, STRANGER, Powers.PRICE);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        pricing.numberOnce(HASH);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        pricing.funded(1, 1, 0);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        pricing.began(1);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        pricing.ended(1, 1);
    }

    /// @dev Nothing that the sessions tell can make a market refuse, or nobody could end a task.
    function test_aMarketTakesWhateverItIsTold() external {
        vm.prank(address(sessions));
        pricing.ended(1, type(uint128).max);
        vm.prank(address(sessions));
        pricing.ended(1, type(uint128).max);
        vm.prank(address(sessions));
        pricing.funded(1, 0, type(uint128).max);
        assertEq(pricing.forecastOf(HASH).fundsWei, 0, "never below nothing");
        assertEq(pricing.forecastOf(HASH).unfinishedTasks, 0, "never below nothing");
    }

    function _serve(address miner) private {
        string[] memory models = new string[](1);
        models[0] = "pebble-chat";
        vm.prank(miner);
        registry.serveModels(models, effect());
    }

    function _count(address miner) private {
        _serve(miner);
        pricing.countMiner(HASH, miner, effect());
    }

    function _finish(bytes32 taskId) private {
        assign(taskId, 3, 2);
        for (uint256 i = 0; i < 3; ++i) {
            ack(taskId, miners[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, miners[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            reveal(taskId, miners[i]);
        }
        attest(taskId, validators[0], first(miners, 3));
        attest(taskId, validators[1], first(miners, 3));
        settle(taskId);
    }
}
