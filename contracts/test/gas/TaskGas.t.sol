// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {CarriedPrecommit, CarriedReveal, Draw, Outcome, Scheme, Signature, TaskState} from "../../src/types/Task.sol";
import {CarriedTest} from "../base/CarriedTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What a task with two validators costs, transaction by transaction, each with what every transaction costs:
/// carried by its router, and with every node sending its own. The nodes have earned before and the session has had a
/// task before, as those of a running network have.
/// forge-config: default.isolate = true
contract TaskGasTest is CarriedTest {
    uint256 private constant VALIDATORS = 2;

    string private _group;
    uint256 private _total;

    function test_gasOfACarriedTaskOfOneMiner() external {
        _carried(1, true);
    }

    function test_gasOfACarriedTaskOfThreeMiners() external {
        _carried(3, true);
    }

    function test_gasOfACarriedTaskOfFiveMiners() external {
        _carried(5, true);
    }

    /// @dev Where a task is short enough that a precommit is soon enough for an acknowledgement.
    function test_gasOfAShortCarriedTaskOfThreeMiners() external {
        _carried(3, false);
    }

    function test_gasOfATaskOfOneMinerBySingleCalls() external {
        _single(1);
    }

    function test_gasOfATaskOfThreeMinersBySingleCalls() external {
        _single(3);
    }

    function test_gasOfATaskOfFiveMinersBySingleCalls() external {
        _single(5);
    }

    /// @dev The very first task of a session, whose storage nothing has been in.
    function test_gasOfASessionsFirstTask() external {
        taskIn(TaskState.Settled, _open(3), 3, VALIDATORS);
        _group = "Task carried, k = 3, first of its session";
        _run(_open(3), 3, true);
    }

    /// @dev What a step costs beside a task: its list, and a look at each that it comes after.
    function test_gasOfSteps() external {
        uint64 session = _open(3);
        bytes32[] memory parents = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            parents[i] = taskIn(TaskState.Settled, session, 3, VALIDATORS);
        }
        _group = "Step";
        for (uint256 count = 1; count <= 8; count = count == 1 ? 3 : count + 5) {
            bytes32[] memory some = new bytes32[](count);
            for (uint256 i = 0; i < count; ++i) {
                some[i] = parents[i];
            }
            some = inOrder(some);
            vm.prank(routers[0]);
            bytes32 taskId = queue.submitAfter(session, effect(), PROMPT, 64, MAX_PRICE, some, effect());
            _note(string.concat("submitAfter ", vm.toString(count)));
            Draw memory draw = drawOf(Scheme.Drawn, first(miners, 3), first(validators, VALIDATORS));
            draw.beaconBlock = beaconAfter(block.number);
            draw.beacon = blockhash(draw.beaconBlock);
            vm.prank(routers[0]);
            queue.assign(taskId, draw, new Signature[](0), effect());
            _note(string.concat("assign after ", vm.toString(count)));
        }
    }

    /// @dev The largest draw there can be, with the most miners and validators, in one transaction.
    function test_gasOfTheLargestDraw() external {
        Terms memory terms = defaultTerms();
        (terms.redundancy, terms.validators) = (16, 16);
        uint64 session = openSession(terms);
        bytes32 taskId = submitAs(routers[0], session, REQUEST, MAX_PRICE);
        Draw memory draw = drawOf(Scheme.Drawn, _crowd("crowd of miners", Role.Miner), _crowd("crowd", Role.Validator));
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
        vm.prank(routers[0]);
        queue.assign(taskId, draw, new Signature[](0), effect());
        _group = "Task at its bounds";
        _note("assign 16 of 64 miners and 16 of 64 validators");
        assertEq(queue.taskOf(taskId).slots.length, 16, "miners");
        assertEq(queue.taskOf(taskId).ballots.length, 16, "validators");
    }

    function _crowd(string memory name, Role role) private returns (address[] memory crowd) {
        crowd = new address[](64);
        for (uint256 i = 0; i < 64; ++i) {
            crowd[i] = account(string.concat(name, vm.toString(i)));
            join(crowd[i], role, STAKE);
        }
    }

    function _carried(uint256 k, bool accepts) private {
        uint64 session = _open(k);
        taskIn(TaskState.Settled, session, k, VALIDATORS);
        _group = string.concat("Task carried, k = ", vm.toString(k), accepts ? "" : ", short");
        _run(session, k, accepts);
    }

    function _run(uint64 session, uint256 k, bool accepts) private {
        bytes32 taskId = submitAs(routers[0], session, REQUEST, MAX_PRICE);
        _note("submit");
        Draw memory draw = drawOf(Scheme.Drawn, first(miners, k), first(validators, VALIDATORS));
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
        address[] memory by = rankOf(draw.miners, draw.beacon, taskId);
        address[] memory checkers = rankOf(draw.validators, draw.beacon, taskId);
        Signature[] memory acceptances = new Signature[](accepts ? k : 0);
        for (uint256 i = 0; i < acceptances.length; ++i) {
            acceptances[i] = signedBy(by[i], acceptance(taskId, 0, draw.beaconBlock));
        }
        vm.prank(routers[0]);
        queue.assign(taskId, draw, acceptances, effect());
        _note("assign");
        CarriedPrecommit[] memory precommits = carriedPrecommits(taskId, by);
        vm.prank(routers[0]);
        queue.precommitMany(taskId, precommits, effect());
        _note("precommitMany");
        bytes[] memory calls = _lastCalls(taskId, by, checkers);
        vm.prank(routers[0]);
        queue.multicall(calls);
        _note("revealMany and settleWith");
        vm.snapshotValue(_group, "all 4 transactions", _total);
    }

    function _lastCalls(bytes32 taskId, address[] memory by, address[] memory checkers)
        private
        returns (bytes[] memory calls)
    {
        Outcome memory outcome = Outcome(0, uint16((1 << by.length) - 1), 100, 50);
        CarriedReveal[] memory reveals = carriedReveals(by);
        calls = new bytes[](2);
        calls[0] = abi.encodeCall(queue.revealMany, (taskId, reveals, effect()));
        calls[1] = abi.encodeCall(
            queue.settleWith, (taskId, outcome, carriedAttestations(taskId, outcome, checkers), "manifest", effect())
        );
    }

    function _single(uint256 k) private {
        uint64 session = _open(k);
        taskIn(TaskState.Settled, session, k, VALIDATORS);
        _group = string.concat("Task by single calls, k = ", vm.toString(k));
        bytes32 taskId = submitAs(routers[0], session, REQUEST, MAX_PRICE);
        _note("submit");
        Draw memory draw = drawOf(Scheme.Drawn, first(miners, k), first(validators, VALIDATORS));
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
        vm.prank(routers[0]);
        queue.assign(taskId, draw, new Signature[](0), effect());
        _note("assign");
        for (uint256 i = 0; i < k; ++i) {
            ack(taskId, miners[i]);
            _note(_nth("ack", i));
        }
        for (uint256 i = 0; i < k; ++i) {
            precommit(taskId, miners[i]);
            _note(_nth("precommit", i));
        }
        for (uint256 i = 0; i < k; ++i) {
            reveal(taskId, miners[i]);
            _note(_nth("reveal", i));
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            attest(taskId, validators[i], first(miners, k));
            _note(_nth("attest", i));
        }
        settle(taskId);
        _note("settle");
        vm.snapshotValue(_group, "all transactions", _total);
    }

    function _open(uint256 k) private returns (uint64) {
        Terms memory terms = defaultTerms();
        terms.redundancy = uint8(k);
        return openSession(terms);
    }

    function _nth(string memory name, uint256 index) private pure returns (string memory) {
        return string.concat(name, " ", vm.toString(index + 1));
    }

    function _note(string memory name) private {
        _total += vm.snapshotGasLastCall(_group, name);
    }
}
