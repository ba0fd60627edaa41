// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchDemands} from "../../src/BatchDemands.sol";
import {BatchState, Fault, LeafKind, PaymentAt, PaymentLeaf} from "../../src/types/Batch.sol";
import {SessionState} from "../../src/types/Session.sol";
import {BatchFaults} from "../base/BatchFaults.sol";
import {Plan} from "../base/BatchPlans.sol";
import {vm} from "../base/Vm.sol";

/// @title Posters, watchers and claimants of batches, honest and not, acting at random
/// @notice Router 0 posts honest batches only, router 1 lies now and then; the watcher proves lies when it is its turn,
/// so some become final. Each action does something that is allowed where things stand, so a revert is a defect;
/// {anybodyTriesInVain} tries what is not allowed, and fails if that works.
contract BatchHandler is BatchFaults {
    uint256 private constant BATCHES_MAX = 8;
    uint256 private constant HONEST = type(uint256).max;

    /// @dev Plans as bytes: storage cannot hold them as they are.
    bytes[] private _stored;
    uint64[] private _ids;
    mapping(uint64 batchId => uint256 which) private _lieOf;
    mapping(uint64 batchId => uint256) private _demanded;
    /// @notice What final batches of a poster have drawn.
    mapping(address poster => uint256) public drawn;
    /// @notice What was claimed of it.
    mapping(address poster => uint256) public claimed;
    address private immutable WATCHER = account("watcher");
    uint64[3] private _sessions;

    modifier conserves() {
        _;
        assertBatchMoney();
        assertEq(batches.lineOf(routers[0]).fundsWei, drawn[routers[0]] - claimed[routers[0]], "the honest line");
        assertEq(batches.lineOf(routers[1]).fundsWei, drawn[routers[1]] - claimed[routers[1]], "the other line");
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            _sessions[i] = openBatched();
        }
        bond(routers[0], 10_000 ether);
        bond(routers[1], 10_000 ether);
        fund(WATCHER, 1000 ether);
        vm.prank(WATCHER);
        cor.approve(address(demands), type(uint256).max);
    }

    // ---------------------------------------------------------------- posters

    function posterBegins(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_ids.length == BATCHES_MAX) return;
        uint64 session = _sessions[seed % 3];
        if (sessions.sessionOf(session).state != SessionState.Open) return;
        if (sessions.sessionOf(session).balanceWei < 6 ether) return;
        uint256 liar = (seed >> 8) % 2;
        Plan memory b = plan(routers[liar], one(session, 6));
        // Lies about tasks, reveals and outcomes are laid before any post; the rest follows from them.
        _lieOf[batches.batchCount() + 1] = liar == 1 && (seed >> 16) % 2 == 0 ? (seed >> 24) % LIES : HONEST;
        uint256 which = _lieOf[batches.batchCount() + 1];
        if (which != HONEST && which < 8) lieAboutTask(which, b);
        precommitAll(b);
        _ids.push(b.id);
        _stored.push(abi.encode(b));
    }

    function posterGoesOn(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (uint256 index, bool found) = _find(seed, BatchState.Precommitted, BatchState.Revealed);
        if (!found) return;
        Plan memory b = _plan(index);
        uint256 which = _lieOf[b.id];
        if (batches.batchOf(b.id).state == BatchState.Precommitted) {
            if (which >= 8 && which < 11) lieAboutReveal(which, b);
            revealAll(b);
        } else {
            if (batches.lineOf(b.poster).pending == 64) return;
            if (which >= 11 && which < 19) lieAboutOutcome(which, b);
            if (which >= 19 && which < 22) lieAboutSums(which, b);
            if (which == 30) payTwice(b);
            _learnLine(b.poster);
            pay(b);
            if (which >= 22 && which < 30) {
                // With a history, the first account's total is another lie.
                if (which == 29 && sinceOf[b.poster][b.payments[0].account] != 0) _lieOf[b.id] = which = 28;
                lieAboutPayment(which, b);
            }
            postAll(b);
        }
        _stored[index] = abi.encode(b);
    }

    /// @dev What the standing batches of a line have paid, from nothing.
    function _learnLine(address poster) private {
        address[] memory accounts = earners(_plan(0));
        for (uint256 i = 0; i < accounts.length; ++i) {
            totalOf[poster][accounts[i]] = 0;
            sinceOf[poster][accounts[i]] = 0;
        }
        totalOf[poster][poster] = 0;
        sinceOf[poster][poster] = 0;
        for (uint256 place = 0; place < batches.lineOf(poster).length; ++place) {
            for (uint256 i = 0; i < _ids.length; ++i) {
                if (batches.batchOf(_ids[i]).state < BatchState.Posted) continue;
                if (batches.batchOf(_ids[i]).state == BatchState.Void) continue;
                Plan memory b = _plan(i);
                if (b.poster != poster || b.header.place != place || !_counts(b)) continue;
                remember(b);
            }
        }
    }

    function _counts(Plan memory b) private view returns (bool) {
        BatchState state = batches.batchOf(b.id).state;
        return state == BatchState.Final || (state == BatchState.Posted && batches.stands(b.id, b.header));
    }

    function posterWithdraws(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address poster = routers[seed % 2];
        uint80 free = batches.lineOf(poster).freeBondWei;
        if (free < 5000 ether) return;
        vm.prank(poster);
        batches.withdrawBond(uint128(within(seed >> 8, 1, 100 ether)), effect());
    }

    // ---------------------------------------------------------------- watchers

    function watcherProves(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (uint256 index, bool found) = _find(seed, BatchState.Posted, BatchState.Posted);
        if (!found) return;
        Plan memory b = _plan(index);
        uint256 which = _lieOf[b.id];
        if (which == HONEST) return;
        // What the line makes of origins is only judged while the batch stands in it.
        if (which == 28 && !batches.stands(b.id, b.header)) return;
        bytes memory call = accuse(which, b);
        vm.prank(WATCHER);
        (bool done,) = address(challenges).call(call);
        assertTrue(done, string.concat("lie ", vm.toString(which)));
    }

    function watcherDemands(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (uint256 index, bool found) = _find(seed, BatchState.Posted, BatchState.Posted);
        if (!found || block.timestamp + 20 minutes > _plan(index).header.demandsUntil) return;
        Plan memory b = _plan(index);
        if (_demanded[b.id] != 0) return;
        _demanded[b.id] = 1 + (seed >> 8) % 6;
        vm.prank(WATCHER);
        demands.demand(b.id, b.header, LeafKind.Reveal, _demanded[b.id] - 1, effect());
    }

    /// @dev The honest answer in time; the others now and then.
    function posterAnswers(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_ids.length != 0) _answer(_plan(seed % _ids.length));
    }

    function _answer(Plan memory b) private {
        if (!_isDemanded(b) || batches.batchOf(b.id).state != BatchState.Posted) return;
        if (block.timestamp > demands.demandOf(b.id, LeafKind.Reveal, _demanded[b.id] - 1).answerBy) return;
        vm.prank(b.poster);
        demands.showReveal(b.id, b.header, shownAt(b, _demanded[b.id] - 1), effect());
    }

    function _isDemanded(Plan memory b) private view returns (bool) {
        if (_demanded[b.id] == 0) return false;
        return demands.demandOf(b.id, LeafKind.Reveal, _demanded[b.id] - 1).state == BatchDemands.DemandState.Open;
    }

    function strangerUsesADemand(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_ids.length != 0) _endDemand(_plan(seed % _ids.length));
    }

    function _endDemand(Plan memory b) private {
        if (!_isDemanded(b)) return;
        uint256 position = _demanded[b.id] - 1;
        if (batches.batchOf(b.id).state == BatchState.Void) {
            demands.takeBack(b.id, LeafKind.Reveal, position, effect());
        } else if (block.timestamp > demands.demandOf(b.id, LeafKind.Reveal, position).answerBy) {
            demands.proveWithheld(b.id, b.header, LeafKind.Reveal, position, effect());
        }
    }

    // ---------------------------------------------------------------- anybody

    function strangerEnds(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_ids.length != 0) _end(seed % _ids.length);
    }

    function _end(uint256 index) private {
        Plan memory b = _plan(index);
        BatchState state = batches.batchOf(b.id).state;
        if (state == BatchState.Precommitted || state == BatchState.Revealed) {
            if (block.timestamp > batches.batchOf(b.id).dueAt) batches.voidLate(b.id, b.header, effect());
        } else if (state == BatchState.Posted) {
            if (!batches.stands(b.id, b.header)) {
                batches.voidOrphan(b.id, b.header, effect());
            } else if (
                block.timestamp > batches.batchOf(b.id).dueAt && batches.batchOf(b.id).demands == 0
                    && batches.lineOf(b.poster).length - batches.lineOf(b.poster).pending == b.header.place
            ) {
                batches.finalise(b.id, b.header, effect());
                drawn[b.poster] += b.drawnWei[0];
            }
        }
    }

    function strangerClaims(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (uint256 index, bool found) = _find(seed, BatchState.Final, BatchState.Final);
        if (!found || _plan(index).paymentCount == 0) return;
        Plan memory b = _plan(index);
        PaymentAt memory any = paymentAt(b, (seed >> 8) % b.paymentCount);
        _claim(b, any.leaf, any.proof);
    }

    function _claim(Plan memory b, PaymentLeaf memory leaf, bytes32[] memory proof) private {
        uint128 before = batches.claimedOf(b.poster, leaf.account);
        if (leaf.accountTotalWei <= before) return;
        uint128 amountWei = leaf.accountTotalWei - before;
        // A false root that became final cannot take more than there is.
        if (amountWei > batches.lineOf(b.poster).fundsWei) {
            assertTrue(b.poster != routers[0], "an honest line always has enough");
            return;
        }
        batches.claim(b.id, b.header, leaf, proof, effect());
        claimed[b.poster] += amountWei;
    }

    function clientCloses(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (seed % 16 != 0) return;
        uint64 session = _sessions[(seed >> 8) % 3];
        if (sessions.sessionOf(session).state != SessionState.Open) return;
        vm.prank(CLIENT);
        sessions.close(session, effect());
    }

    function timePasses(uint256 number) external {
        uint256 seed = _mix(number);
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + within(seed, 1, (seed >> 128) % 8 == 0 ? 2 hours : 9 minutes));
    }

    /// @dev Nobody proves anything against the honest, posts for others, or is paid twice.
    function anybodyTriesInVain(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_ids.length == 0) return;
        Plan memory b = _plan(seed % _ids.length);
        BatchState state = batches.batchOf(b.id).state;
        if (_lieOf[b.id] == HONEST && state == BatchState.Posted) {
            uint256 which = (seed >> 8) % LIES;
            if (which == 23 || which == 29) which = 22;
            (bool done,) = address(challenges).call(accuse(which, b));
            assertFalse(done, string.concat("against the honest: ", vm.toString(which)));
        }
        if (state == BatchState.Void || state == BatchState.Final) {
            bytes[4] memory calls = [
                abi.encodeCall(batches.finalise, (b.id, b.header, effect())),
                abi.encodeCall(batches.voidLate, (b.id, b.header, effect())),
                abi.encodeCall(batches.voidOrphan, (b.id, b.header, effect())),
                abi.encodeCall(batches.condemn, (b.id, b.header, Fault.Late, STRANGER))
            ];
            for (uint256 i = 0; i < 4; ++i) {
                (bool done,) = address(batches).call(calls[i]);
                assertFalse(done, "what has ended stays ended");
            }
        }
    }

    // ---------------------------------------------------------------- the end of everything

    /// @notice Ends every batch and closes every session with no help of any poster.
    /// @dev A call for each batch, or their plans would fill the memory.
    function everybodyLeaves() external {
        vm.warp(block.timestamp + 8 hours);
        for (uint256 i = 0; i < _ids.length; ++i) {
            this.leaveDemand(i);
        }
        // Batches become final in the order of their lines, which is not that of their ids.
        for (uint256 round = 0; round < _ids.length; ++round) {
            for (uint256 i = 0; i < _ids.length; ++i) {
                if (batches.batchOf(_ids[i]).state < BatchState.Final) this.leaveBatch(i);
            }
        }
        for (uint256 i = 0; i < _ids.length; ++i) {
            this.leaveDemand(i);
            assertTrue(batches.batchOf(_ids[i]).state >= BatchState.Final, "every batch ends");
            if (batches.batchOf(_ids[i]).state == BatchState.Final) this.leaveClaims(i);
        }
        _leaveSessions();
        assertEq(batches.lineOf(routers[0]).fundsWei, 0, "the honest line pays all that it drew");
        for (uint256 i = 0; i < 2; ++i) {
            uint80 free = batches.lineOf(routers[i]).freeBondWei;
            if (free == 0) continue;
            vm.prank(routers[i]);
            batches.withdrawBond(free, effect());
        }
        assertEq(batches.bondsWei(), 0, "every bond is back or forfeited");
        assertEq(cor.balanceOf(address(demands)), 0, "every deposit is back or earned");
        assertBatchMoney();
    }

    /// @notice A part of {everybodyLeaves}.
    function leaveBatch(uint256 index) external {
        _end(index);
    }

    /// @notice A part of {everybodyLeaves}.
    function leaveDemand(uint256 index) external {
        if (_demanded[_ids[index]] != 0) _endDemand(_plan(index));
    }

    /// @notice A part of {everybodyLeaves}.
    function leaveClaims(uint256 index) external {
        Plan memory b = _plan(index);
        for (uint256 j = 0; j < b.paymentCount; ++j) {
            // An account's last payment has all that it has earned.
            if (j + 1 < b.paymentCount && b.payments[j + 1].account == b.payments[j].account) continue;
            PaymentAt memory last = paymentAt(b, j);
            _claim(b, last.leaf, last.proof);
        }
    }

    function _leaveSessions() private {
        for (uint256 i = 0; i < 3; ++i) {
            if (sessions.sessionOf(_sessions[i]).state == SessionState.Open) {
                vm.prank(CLIENT);
                sessions.close(_sessions[i], effect());
            }
            assertTrue(sessions.sessionOf(_sessions[i]).state == SessionState.Closed, "every session closes");
        }
    }

    // ---------------------------------------------------------------- choosing

    function _plan(uint256 index) private view returns (Plan memory) {
        return abi.decode(_stored[index], (Plan));
    }

    function _mix(uint256 number) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(number)));
    }

    function _find(uint256 seed, BatchState lowest, BatchState highest) private view returns (uint256, bool) {
        uint256 count = _ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 index = ((seed >> 64) % count + i) % count;
            BatchState state = batches.batchOf(_ids[index]).state;
            if (state >= lowest && state <= highest) return (index, true);
        }
        return (0, false);
    }
}
