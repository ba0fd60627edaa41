// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Role} from "../../src/types/Node.sol";
import {PoolMode, SessionState, Terms} from "../../src/types/Session.sol";
import {Draw, Scheme, Signature, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract SessionListsTest is NetworkTest {
    uint64 private _id;
    address private _third;

    function setUp() public override {
        super.setUp();
        _id = openSession();
        _third = account("third router");
        join(_third, Role.Router, STAKE);
    }

    // ---------------------------------------------------------------- routers

    function test_aRouterIsAdded() external {
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "add");
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionRouterAdded(_id, _third);
        vm.prank(CLIENT);
        sessions.addRouter(_id, _third, "add");
        assertTrue(sessions.isRouter(_id, _third), "listed");
        assertEq(sessions.sessionOf(_id).routerCount, 3, "one more");
        submitAs(_third, _id, "by the new one", 1 ether);

        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("add")));
        vm.prank(CLIENT);
        sessions.addRouter(_id, _third, "add");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.AlreadyListed.selector, _id, _third));
        _add(_third);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotARouter.selector, miners[0]));
        _add(miners[0]);
    }

    function test_thereAreSixteenRoutersAtMost() external {
        for (uint256 i = 2; i < 16; ++i) {
            address router = account(vm.toString(i));
            join(router, Role.Router, STAKE);
            _add(router);
        }
        assertEq(sessions.sessionOf(_id).routerCount, 16, "the bound");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ListOutOfBounds.selector, _id, 17, 1, 16));
        _add(_third);
    }

    function test_aRouterIsRemovedAndItsTasksGoOn() external {
        bytes32 taskId = taskIn(TaskState.Validated, _id, 3, 2);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionRouterRemoved(_id, routers[0]);
        _remove(routers[0]);
        assertFalse(sessions.isRouter(_id, routers[0]), "no more");
        settle(taskId);
        assertTrue(sessions.earningsOf(routers[0]) != 0, "paid for what it assigned");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, _id, routers[0]));
        submitAs(routers[0], _id, "by the old one", 1 ether);
        bytes32 next = submit(_id, "next");
        Draw memory draw = _drawOf(next, 3);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotSessionRouter.selector, _id, routers[0]));
        vm.prank(routers[0]);
        queue.assign(next, draw, new Signature[](0), effect());
    }

    function test_theLastRouterStays() external {
        _remove(routers[0]);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ListOutOfBounds.selector, _id, 0, 1, 16));
        _remove(routers[1]);
        assertTrue(sessions.isRouter(_id, routers[1]), "still there");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotListed.selector, _id, routers[0]));
        _remove(routers[0]);
    }

    function test_aRouterIsReplacedAtOnce() external {
        _remove(routers[0]);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionRouterAdded(_id, _third);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionRouterRemoved(_id, routers[1]);
        _replace(routers[1], _third);
        assertTrue(sessions.isRouter(_id, _third), "the new one");
        assertFalse(sessions.isRouter(_id, routers[1]), "not the old one");
        assertEq(sessions.sessionOf(_id).routerCount, 1, "still one");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotListed.selector, _id, routers[1]));
        _replace(routers[1], _third);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotARouter.selector, STRANGER));
        _replace(_third, STRANGER);
    }

    function test_aReplacementIsNew() external {
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.AlreadyListed.selector, _id, routers[1]));
        _replace(routers[0], routers[1]);
    }

    // ---------------------------------------------------------------- dedicated miners

    function test_minersAreAddedAndRemoved() external {
        _id = openDedicated(defaultTerms(), first(miners, 2));
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionMinerAdded(_id, miners[3]);
        _addMiner(miners[3]);
        assertTrue(sessions.isDedicated(_id, miners[3]), "listed");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.AlreadyListed.selector, _id, miners[3]));
        _addMiner(miners[3]);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionMinerRemoved(_id, miners[0]);
        _removeMiner(miners[0]);
        assertFalse(sessions.isDedicated(_id, miners[0]), "no more");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotListed.selector, _id, miners[0]));
        _removeMiner(miners[0]);
        bytes32 taskId = submit(_id);
        Draw memory draw = _drawOf(taskId, 2);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerNotDedicated.selector, _id, miners[0]));
        vm.prank(routers[0]);
        queue.assign(taskId, draw, new Signature[](0), effect());
    }

    function test_aRemovedMinerKeepsTheTasksItHas() external {
        _id = openDedicated(defaultTerms(), first(miners, 4));
        bytes32 taskId = taskIn(TaskState.Assigned, _id, 3, 2);
        _removeMiner(miners[0]);
        ack(taskId, miners[0]);
        assertState(taskId, TaskState.Executing);
    }

    function test_aDedicatedSessionKeepsEnoughMinersForATask() external {
        Terms memory terms = defaultTerms();
        (terms.minMiners, terms.maxMiners) = (2, 3);
        _id = openDedicated(terms, first(miners, 2));
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ListOutOfBounds.selector, _id, 1, 2, 3));
        _removeMiner(miners[0]);
        _addMiner(miners[2]);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ListOutOfBounds.selector, _id, 4, 2, 3));
        _addMiner(miners[3]);

        terms.mode = PoolMode.Ephemeral;
        update(_id, terms);
        _removeMiner(miners[0]);
        _removeMiner(miners[1]);
        _removeMiner(miners[2]);
        assertEq(sessions.sessionOf(_id).dedicatedCount, 0, "none needed");
    }

    // ---------------------------------------------------------------- who and when

    function test_onlyTheOwnerChangesLists() external {
        bytes memory refusal = abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, _id, routers[0]);
        _refused(routers[0], refusal);
    }

    function test_listsOfAnEndedSessionStay() external {
        vm.prank(CLIENT);
        sessions.close(_id, effect());
        _refused(CLIENT, abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Closed));
    }

    function _refused(address by, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(by);
        sessions.addRouter(_id, _third, effect());
        vm.expectRevert(refusal);
        vm.prank(by);
        sessions.removeRouter(_id, routers[0], effect());
        vm.expectRevert(refusal);
        vm.prank(by);
        sessions.replaceRouter(_id, routers[0], _third, effect());
        vm.expectRevert(refusal);
        vm.prank(by);
        sessions.addDedicatedMiner(_id, miners[0], effect());
        vm.expectRevert(refusal);
        vm.prank(by);
        sessions.removeDedicatedMiner(_id, miners[0], effect());
    }

    // ---------------------------------------------------------------- pages

    function test_listsAreReadInPages() external {
        _id = openDedicated(defaultTerms(), first(miners, 5));
        assertEq(sessions.routersPage(_id, 0, 10).length, 2, "all routers");
        assertEq(sessions.routersPage(_id, 1, 10)[0], routers[1], "the second");
        assertEq(sessions.routersPage(_id, 2, 10).length, 0, "past the end");
        assertEq(sessions.dedicatedMinersPage(_id, 0, 2).length, 2, "two miners");
        assertEq(sessions.dedicatedMinersPage(_id, 3, 9).length, 2, "the last two");
        assertEq(sessions.dedicatedMinersPage(_id, 4, 1)[0], miners[4], "the last");
        assertEq(sessions.dedicatedMinersPage(_id, 5, 1).length, 0, "none");
    }

    function _add(address router) private {
        vm.prank(CLIENT);
        sessions.addRouter(_id, router, effect());
    }

    function _remove(address router) private {
        vm.prank(CLIENT);
        sessions.removeRouter(_id, router, effect());
    }

    function _replace(address router, address replacement) private {
        vm.prank(CLIENT);
        sessions.replaceRouter(_id, router, replacement, effect());
    }

    function _addMiner(address miner) private {
        vm.prank(CLIENT);
        sessions.addDedicatedMiner(_id, miner, effect());
    }

    function _removeMiner(address miner) private {
        vm.prank(CLIENT);
        sessions.removeDedicatedMiner(_id, miner, effect());
    }

    /// @dev The first miners of all, as if they had come first.
    function _drawOf(bytes32 taskId, uint256 k) private returns (Draw memory draw) {
        draw = drawOf(Scheme.FirstCome, first(miners, k), first(validators, 2));
        draw.beaconBlock = beaconAfter(queue.taskOf(taskId).submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
    }
}
