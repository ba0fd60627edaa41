// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchDemands} from "../../src/BatchDemands.sol";
import {BatchEvents} from "../../src/BatchEvents.sol";
import {BatchLeaves} from "../../src/libraries/BatchLeaves.sol";
import {
    BatchState,
    LeafKind,
    OutcomeAt,
    OutcomeLeaf,
    PaymentAt,
    PrecommitAt,
    RevealAt
} from "../../src/types/Batch.sol";
import {Plan} from "../base/BatchPlans.sol";
import {BatchTest} from "../base/BatchTest.sol";
import {vm} from "../base/Vm.sol";

contract BatchDemandsTest is BatchTest {
    uint64 private _session;
    address private immutable WATCHER = account("watcher");

    function setUp() public override {
        super.setUp();
        _session = openBatched();
        fund(WATCHER, 100 ether);
        vm.prank(WATCHER);
        cor.approve(address(demands), type(uint256).max);
    }

    function test_everyLeafCanBeDemandedAndShown() external {
        Plan memory b = posted(_session, 3);
        _demand(b, LeafKind.Precommit, 3);
        _demand(b, LeafKind.Reveal, 1);
        _demand(b, LeafKind.Outcome, 2);
        _demand(b, LeafKind.Outcome, 3);
        _demand(b, LeafKind.Payment, b.payments.length - 1);
        assertEq(batches.batchOf(b.id).demands, 5, "open");
        uint256 before = cor.balanceOf(routers[0]);
        vm.prank(routers[0]);
        demands.showPrecommit(b.id, b.header, taskAt(b, 3), effect());
        vm.prank(routers[0]);
        demands.showReveal(b.id, b.header, shownAt(b, 1), effect());
        _showOutcome(b, 2, _signatures(b, 2, validators));
        _showOutcome(b, 3, new bytes[](0));
        vm.prank(routers[0]);
        demands.showPayment(b.id, b.header, paymentAt(b, b.payments.length - 1), effect());
        assertEq(cor.balanceOf(routers[0]) - before, 5 ether, "the deposits");
        assertEq(batches.batchOf(b.id).demands, 0, "none is open");
        finaliseAfterWindow(b);
        assertEq(cor.balanceOf(address(demands)), 0, "nothing is left");
    }

    function test_whatIsNotShownInTimeVoidsTheBatch() external {
        Plan memory b = posted(_session, 3);
        uint256 before = cor.balanceOf(WATCHER);
        _demand(b, LeafKind.Outcome, 1);
        uint40 answerBy = demands.demandOf(b.id, LeafKind.Outcome, 1).answerBy;
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.AnswerTime.selector, answerBy));
        demands.proveWithheld(b.id, b.header, LeafKind.Outcome, 1, effect());
        vm.warp(answerBy + 1);
        bytes[] memory signatures = _signatures(b, 1, validators);
        (PrecommitAt memory task, OutcomeAt memory outcome) = (taskAt(b, 1), outcomeAt(b, 1));
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.AnswerTime.selector, answerBy));
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "late");
        vm.prank(STRANGER);
        demands.proveWithheld(b.id, b.header, LeafKind.Outcome, 1, effect());
        assertBatch(b.id, BatchState.Void);
        assertEq(
            cor.balanceOf(WATCHER) - before, 50 ether, "the deposit is back, and the challenger's part is the asker's"
        );
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "the session has its money back");
        assertBatchMoney();
    }

    function test_aForgedVerdictCannotBeShown() external {
        Plan memory b = posted(_session, 3);
        _demand(b, LeafKind.Outcome, 1);
        PrecommitAt memory task = taskAt(b, 1);
        OutcomeAt memory outcome = outcomeAt(b, 1);
        bytes memory refusal = abi.encodeWithSelector(BatchDemands.WrongSignatures.selector, 1);
        bytes[] memory signatures = _signatures(b, 1, miners);
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "by others");
        signatures = _signatures(b, 1, validators);
        (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "in another order");
        signatures = new bytes[](1);
        signatures[0] = _signatures(b, 1, validators)[0];
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "too few");
        signatures = new bytes[](3);
        (signatures[0], signatures[1]) = (_signatures(b, 1, validators)[0], _signatures(b, 1, validators)[1]);
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "too many");
        signatures = _signatures(b, 2, validators);
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "of another task");
        signatures = _malleable(_signatures(b, 1, validators));
        vm.expectRevert(refusal);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "with a high s");
        task = taskAt(b, 0);
        vm.expectRevert(BatchDemands.NotSameTask.selector);
        demands.showOutcome(b.id, b.header, task, outcome, signatures, "with another task");
    }

    function test_aVerdictIsOfNoUseToAnotherPosterContractOrChain() external {
        Plan memory b = posted(_session, 3);
        bytes32 digest = demands.verdictDigest(b.poster, b.tasks[0], b.outcomes[0]);
        assertTrue(digest != demands.verdictDigest(routers[1], b.tasks[0], b.outcomes[0]), "poster");
        assertTrue(digest != new BatchDemands(batches).verdictDigest(b.poster, b.tasks[0], b.outcomes[0]), "contract");
        OutcomeLeaf memory other = b.outcomes[1];
        assertTrue(digest != demands.verdictDigest(b.poster, b.tasks[0], other), "outcome");
        assertTrue(digest != demands.verdictDigest(b.poster, b.tasks[1], b.outcomes[0]), "task");
        vm.chainId(block.chainid + 1);
        assertTrue(digest != demands.verdictDigest(b.poster, b.tasks[0], b.outcomes[0]), "chain");
    }

    function test_aMissingLeafCannotBeShown() external {
        Plan memory b = plan(_session, 4);
        precommitAll(b);
        revealAll(b);
        // The outcome of the second is there twice, so that the third has no room.
        b.outcomes[2] = b.outcomes[1];
        pay(b);
        postAll(b);
        _demand(b, LeafKind.Outcome, 2);
        for (uint256 i = 0; i < 4; ++i) {
            OutcomeAt memory outcome = outcomeAt(b, i);
            outcome.leaf.position = 2;
            PrecommitAt memory task = taskAt(b, 2);
            vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Outcome, 2));
            demands.showOutcome(b.id, b.header, task, outcome, new bytes[](0), effect());
        }
        pass(10 minutes + 1);
        demands.proveWithheld(b.id, b.header, LeafKind.Outcome, 2, effect());
        assertBatch(b.id, BatchState.Void);
    }

    function test_aDemandKeepsTheBatchOpenLongEnoughToChallengeTheAnswer() external {
        Plan memory b = posted(_session, 3);
        uint40 dueAt = batches.batchOf(b.id).dueAt;
        vm.warp(dueAt);
        _demand(b, LeafKind.Reveal, 0);
        assertEq(batches.batchOf(b.id).dueAt, dueAt + 20 minutes, "answer, and as long again");
        pass(20 minutes + 1);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.DemandsOpen.selector, b.id, 1));
        batches.finalise(b.id, b.header, effect());
        demands.proveWithheld(b.id, b.header, LeafKind.Reveal, 0, effect());
        assertBatch(b.id, BatchState.Void);
    }

    function test_demandsEnd() external {
        Plan memory b = posted(_session, 3);
        vm.warp(b.header.demandsUntil - 20 minutes);
        _demand(b, LeafKind.Reveal, 0);
        vm.warp(b.header.demandsUntil - 20 minutes + 1);
        vm.prank(WATCHER);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.TooLate.selector, b.header.demandsUntil));
        demands.demand(b.id, b.header, LeafKind.Reveal, 1, "1");
        demands.showReveal(b.id, b.header, shownAt(b, 0), "2");
        vm.warp(b.header.demandsUntil + 1);
        batches.finalise(b.id, b.header, "3");
        assertBatch(b.id, BatchState.Final);
    }

    function test_aLeafIsDemandedOnceAndHasToBeOne() external {
        Plan memory b = plan(_session, 3);
        precommitAll(b);
        vm.prank(WATCHER);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Precommitted));
        demands.demand(b.id, b.header, LeafKind.Reveal, 0, "0");
        revealAll(b);
        pay(b);
        postAll(b);
        vm.prank(WATCHER);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.NoSuchPosition.selector, LeafKind.Reveal, 4));
        demands.demand(b.id, b.header, LeafKind.Reveal, 4, "1");
        _demand(b, LeafKind.Reveal, 0);
        bytes32 key = keccak256(abi.encode(b.id, LeafKind.Reveal, uint256(0)));
        assertEq(demands.keyOf(b.id, LeafKind.Reveal, 0), key, "its name");
        vm.prank(WATCHER);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.WrongDemandState.selector, BatchDemands.DemandState.Open));
        demands.demand(b.id, b.header, LeafKind.Reveal, 0, "2");
        demands.showReveal(b.id, b.header, shownAt(b, 0), "3");
        RevealAt memory shown = shownAt(b, 0);
        vm.expectRevert(
            abi.encodeWithSelector(BatchDemands.WrongDemandState.selector, BatchDemands.DemandState.Answered)
        );
        demands.showReveal(b.id, b.header, shown, "4");
        PaymentAt memory payment = paymentAt(b, 0);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.WrongDemandState.selector, BatchDemands.DemandState.None));
        demands.showPayment(b.id, b.header, payment, "5");
    }

    function test_aDepositComesBackWhereTheBatchIsVoidForAnotherReason() external {
        Plan memory b = posted(_session, 3);
        _demand(b, LeafKind.Reveal, 0);
        _demand(b, LeafKind.Reveal, 1);
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.StillPosted.selector, b.id));
        demands.takeBack(b.id, LeafKind.Reveal, 0, "1");
        pass(10 minutes + 1);
        demands.proveWithheld(b.id, b.header, LeafKind.Reveal, 1, "2");
        RevealAt memory shown = shownAt(b, 0);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Void));
        demands.showReveal(b.id, b.header, shown, "3");
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Void));
        demands.proveWithheld(b.id, b.header, LeafKind.Reveal, 0, "4");
        uint256 before = cor.balanceOf(WATCHER);
        demands.takeBack(b.id, LeafKind.Reveal, 0, "5");
        assertEq(cor.balanceOf(WATCHER) - before, 1 ether, "back");
        vm.expectRevert(abi.encodeWithSelector(BatchDemands.WrongDemandState.selector, BatchDemands.DemandState.Closed));
        demands.takeBack(b.id, LeafKind.Reveal, 0, "6");
        assertEq(cor.balanceOf(address(demands)), 0, "nothing is left");
    }

    // ---------------------------------------------------------------- short ways

    function _demand(Plan memory b, LeafKind kind, uint256 position) private {
        vm.prank(WATCHER);
        demands.demand(b.id, b.header, kind, position, effect());
    }

    function _showOutcome(Plan memory b, uint256 position, bytes[] memory signatures) private {
        vm.prank(routers[0]);
        demands.showOutcome(b.id, b.header, taskAt(b, position), outcomeAt(b, position), signatures, effect());
    }

    /// @dev One signature for each voter; the accounts' keys are the hashes of their names.
    function _signatures(Plan memory b, uint256 position, address[] memory by)
        private
        view
        returns (bytes[] memory list)
    {
        list = new bytes[](2);
        bytes32 digest = demands.verdictDigest(b.poster, b.tasks[position], b.outcomes[position]);
        string memory name = by[0] == miners[0] ? "miner" : "validator";
        for (uint256 i = 0; i < 2; ++i) {
            uint256 key = uint256(keccak256(bytes(string.concat(name, vm.toString(i)))));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
            list[i] = abi.encodePacked(r, s, v);
        }
    }

    /// @dev The other signatures that recover to the same accounts.
    function _malleable(bytes[] memory signatures) private pure returns (bytes[] memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        for (uint256 i = 0; i < signatures.length; ++i) {
            bytes memory signature = signatures[i];
            bytes32 r;
            uint256 s;
            assembly {
                r := mload(add(signature, 32))
                s := mload(add(signature, 64))
            }
            signatures[i] = abi.encodePacked(r, order - s, uint8(signature[64]) == 27 ? uint8(28) : uint8(27));
        }
        return signatures;
    }
}
