// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {
    CarriedAttestation,
    CarriedPrecommit,
    CarriedReveal,
    Draw,
    Outcome,
    Scheme,
    Signature,
    SlotState,
    TaskState
} from "../../src/types/Task.sol";
import {CarriedTest} from "../base/CarriedTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What a router carries for miners and validators: that it works, and every way to misuse it that we know of.
contract TaskCarriedTest is CarriedTest {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    uint64 private _session;
    Outcome private _outcome = Outcome(1, 7, 100, 50);

    function setUp() public override {
        super.setUp();
        _session = openSession();
    }

    // ---------------------------------------------------------------- acceptances

    function test_acceptancesComeWithTheAssignment() external {
        (bytes32 taskId, Draw memory draw) = _queued();
        Signature[] memory acceptances = _acceptances(taskId, draw.beaconBlock);
        acceptances[1] = Signature(0, 0);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskAcked(_session, taskId, miners[0], uint40(block.timestamp) + 30);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskAcked(_session, taskId, miners[2], uint40(block.timestamp) + 30);
        _assign(taskId, draw, acceptances);
        assertState(taskId, TaskState.Executing);
        assertEq(uint256(queue.taskOf(taskId).slots[0].state), uint256(SlotState.Acked), "accepted");
        assertEq(uint256(queue.taskOf(taskId).slots[1].state), uint256(SlotState.Assigned), "has not said anything");
        ack(taskId, miners[1]);
    }

    function test_thereAreAsManyAcceptancesAsMinersOrNone() external {
        (bytes32 taskId, Draw memory draw) = _queued();
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.AcceptanceCountMismatch.selector, 2, 3));
        _assign(taskId, draw, new Signature[](2));
        _assign(taskId, draw, new Signature[](3));
        assertState(taskId, TaskState.Assigned);
    }

    function test_anAcceptanceIsOfThisMinerTaskAndBeacon() external {
        (bytes32 taskId, Draw memory draw) = _queued();
        Signature[] memory acceptances = _acceptances(taskId, draw.beaconBlock);
        (acceptances[0], acceptances[1]) = (acceptances[1], acceptances[0]);
        _refuses(taskId, draw, acceptances, miners[0]);
        acceptances = _acceptances(taskId, draw.beaconBlock + 1);
        _refuses(taskId, draw, acceptances, miners[0]);
        acceptances = _acceptances(bytes32(uint256(taskId) + 1), draw.beaconBlock);
        _refuses(taskId, draw, acceptances, miners[0]);
        acceptances = _acceptances(taskId, draw.beaconBlock);
        acceptances[2] = signedBy(miners[2], acceptance(taskId, 1, draw.beaconBlock));
        _refuses(taskId, draw, acceptances, miners[2]);
    }

    // ---------------------------------------------------------------- the whole way

    function test_aTaskIsCarriedInFiveTransactions() external {
        bytes32 taskId = _precommitted();
        vm.prank(STRANGER);
        queue.revealMany(taskId, carriedReveals(first(miners, 3)), effect());
        assertState(taskId, TaskState.Committed);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(STRANGER, "settle");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultAttested(_session, taskId, validators[0], "report");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultAttested(_session, taskId, validators[1], "report");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(_session, taskId, miners[1], first(miners, 3), 100, 50, "report");
        vm.prank(STRANGER);
        queue.settleWith(taskId, _outcome, _attestations(taskId), "manifest", "settle");
        assertState(taskId, TaskState.Settled);
        assertEq(sessions.totals().paidWei, 0.6 ether, "paid");
        assertMoneyConserved();
    }

    function test_revealsAndTheSettlementFitInOneTransaction() external {
        bytes32 taskId = _precommitted();
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(queue.revealMany, (taskId, carriedReveals(first(miners, 3)), effect()));
        calls[1] = abi.encodeCall(queue.settleWith, (taskId, _outcome, _attestations(taskId), "manifest", effect()));
        vm.prank(routers[0]);
        queue.multicall(calls);
        assertState(taskId, TaskState.Settled);
    }

    function test_carriedAndOwnCallsMix() external {
        bytes32 taskId = taskIn(TaskState.Assigned, _session, 3, 2);
        precommit(taskId, miners[1]);
        CarriedPrecommit[] memory carried = new CarriedPrecommit[](2);
        carried[0] = carriedPrecommit(taskId, 2, miners[2], 0);
        carried[1] = carriedPrecommit(taskId, 0, miners[0], 0);
        queue.precommitMany(taskId, carried, effect());
        reveal(taskId, miners[0]);
        CarriedReveal[] memory shown = new CarriedReveal[](2);
        (shown[0], shown[1]) = (carriedReveals(first(miners, 3))[1], carriedReveals(first(miners, 3))[2]);
        queue.revealMany(taskId, shown, effect());
        attestWinner(taskId, validators[1], miners[1], first(miners, 3), 100, 50);
        CarriedAttestation[] memory attested = new CarriedAttestation[](1);
        attested[0] = _attestations(taskId)[0];
        queue.attestMany(taskId, _outcome, attested, effect());
        assertState(taskId, TaskState.Validated);
        settle(taskId);
    }

    // ---------------------------------------------------------------- precommits

    function test_oneBadSignatureIsNamedSoThatTheOthersCanCome() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 3));
        carried[1].hash = "another";
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, miners[1]));
        queue.precommitMany(taskId, carried, effect());
        carried[1] = carried[2];
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[2], SlotState.Precommitted)
        );
        queue.precommitMany(taskId, carried, effect());
        CarriedPrecommit[] memory good = new CarriedPrecommit[](2);
        (good[0], good[1]) = (carried[0], carried[2]);
        queue.precommitMany(taskId, good, effect());
        assertState(taskId, TaskState.Executing);
    }

    function test_aPrecommitIsNotCarriedTwice() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 1));
        queue.precommitMany(taskId, carried, effect());
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Precommitted)
        );
        queue.precommitMany(taskId, carried, effect());
    }

    function test_aPrecommitIsOfThisTaskAttemptAndPurpose() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        bytes32 other = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 1));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, other, miners[0]));
        queue.precommitMany(other, carried, effect());
        carried[0].signature = signedBy(miners[0], precommitment(taskId, 1, carried[0].hash));
        _refusesPrecommit(taskId, carried);
        // What was signed to accept, with the block's number where the precommit would be, is no precommit.
        carried[0].hash = bytes32(uint256(7));
        carried[0].signature = signedBy(miners[0], acceptance(taskId, 0, 7));
        _refusesPrecommit(taskId, carried);
    }

    function test_aSignatureIsForThisChainAndContract() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 1));
        Signature memory good = carried[0].signature;
        carried[0].signature = signedFor(miners[0], precommitment(taskId, 0, carried[0].hash), address(sessions));
        _refusesPrecommit(taskId, carried);
        vm.chainId(block.chainid + 1);
        carried[0].signature = good;
        _refusesPrecommit(taskId, carried);
    }

    function test_aSignatureHasOneForm() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 1));
        uint256 vs = uint256(carried[0].signature.vs);
        uint256 s = vs & (type(uint256).max >> 1);
        assertTrue(s <= HALF_ORDER, "low");
        // The other s that fits, with the other parity: ERC-2098 has no bit left to say so, and what is left is refused.
        carried[0].signature.vs = bytes32((ORDER - s) | (~vs & (1 << 255)));
        _refusesPrecommit(taskId, carried);
        carried[0].signature = Signature(0, 0);
        _refusesPrecommit(taskId, carried);
    }

    function test_carryingNothingIsRefused() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        bytes memory refusal = abi.encodeWithSelector(TaskQueueEvents.NothingCarried.selector, taskId);
        vm.expectRevert(refusal);
        queue.precommitMany(taskId, new CarriedPrecommit[](0), effect());
        queue.precommitMany(taskId, carriedPrecommits(taskId, first(miners, 3)), effect());
        vm.expectRevert(refusal);
        queue.revealMany(taskId, new CarriedReveal[](0), effect());
        queue.revealMany(taskId, carriedReveals(first(miners, 3)), effect());
        vm.expectRevert(refusal);
        queue.attestMany(taskId, _outcome, new CarriedAttestation[](0), effect());
    }

    function test_thereIsNoSlotPastTheLast() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 3));
        carried[2].slot = 3;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 3));
        queue.precommitMany(taskId, carried, effect());
        queue.precommitMany(taskId, carriedPrecommits(taskId, first(miners, 3)), effect());
        CarriedReveal[] memory shown = carriedReveals(first(miners, 3));
        shown[1].slot = 3;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 3));
        queue.revealMany(taskId, shown, effect());
        queue.revealMany(taskId, carriedReveals(first(miners, 3)), effect());
        CarriedAttestation[] memory attested = _attestations(taskId);
        attested[1].validator = 2;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 2));
        queue.attestMany(taskId, _outcome, attested, effect());
        _outcome.honest = 8;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 3));
        queue.attestMany(taskId, _outcome, _attestations(taskId), effect());
    }

    // ---------------------------------------------------------------- reveals

    function test_whoSeesARevealCannotMakeItTheirOwn() external {
        bytes32 taskId = taskIn(TaskState.Executing, _session, 3, 2);
        // Slot 1 copied slot 0's precommit; it can be shown by nobody, with whatever comes to be known.
        bytes32 copied = hashOf(taskId, miners[0], 0);
        CarriedPrecommit[] memory carried = carriedPrecommits(taskId, first(miners, 3));
        carried[1] = CarriedPrecommit(1, copied, signedBy(miners[1], precommitment(taskId, 0, copied)));
        queue.precommitMany(taskId, carried, effect());
        CarriedReveal[] memory shown = carriedReveals(first(miners, 3));
        (shown[1].resultRoot, shown[1].salt) = (shown[0].resultRoot, shown[0].salt);
        vm.expectPartialRevert(TaskQueueEvents.PrecommitMismatch.selector);
        queue.revealMany(taskId, shown, effect());
        // In front of its owner a reveal changes nothing: it counts for the owner, who is refused as done already.
        CarriedReveal[] memory ahead = new CarriedReveal[](1);
        ahead[0] = shown[0];
        vm.prank(STRANGER);
        queue.revealMany(taskId, ahead, effect());
        assertEq(uint256(queue.taskOf(taskId).slots[0].state), uint256(SlotState.Revealed), "the owner's");
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Revealed)
        );
        reveal(taskId, miners[0]);
    }

    // ---------------------------------------------------------------- attestations

    function test_aMinorityDoesNotSettle() external {
        bytes32 taskId = _committed();
        CarriedAttestation[] memory one = new CarriedAttestation[](1);
        one[0] = _attestations(taskId)[0];
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Committed));
        queue.settleWith(taskId, _outcome, one, "manifest", effect());
        queue.attestMany(taskId, _outcome, one, effect());
        assertState(taskId, TaskState.Committed);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.AlreadyAttested.selector, taskId, validators[0]));
        queue.attestMany(taskId, _outcome, one, effect());
    }

    function test_aValidatorCountsOnceInOneCallToo() external {
        bytes32 taskId = _committed();
        CarriedAttestation[] memory twice = _attestations(taskId);
        twice[1] = twice[0];
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.AlreadyAttested.selector, taskId, validators[0]));
        queue.attestMany(taskId, _outcome, twice, effect());
    }

    function test_anAttestationBindsEveryWord() external {
        bytes32 taskId = _committed();
        CarriedAttestation[] memory attested = _attestations(taskId);
        bytes memory refusal = abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, validators[0]);
        Outcome[4] memory others =
            [Outcome(0, 7, 100, 50), Outcome(1, 3, 100, 50), Outcome(1, 7, 101, 50), Outcome(1, 7, 100, 51)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(refusal);
            queue.attestMany(taskId, others[i], attested, effect());
        }
        attested[0].reportDigest = "another";
        vm.expectRevert(refusal);
        queue.attestMany(taskId, _outcome, attested, effect());
    }

    function test_anAttestationIsOfItsTask() external {
        bytes32 taskId = _committed();
        CarriedAttestation[] memory attested = _attestations(taskId);
        bytes32 other = taskIn(TaskState.Committed, _session, 3, 2);
        vm.expectPartialRevert(TaskQueueEvents.BadSignature.selector);
        queue.attestMany(other, _outcome, attested, effect());
    }

    function test_aCarriedOutcomeIsSound() external {
        bytes32 taskId = _precommitted();
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        pass(11);
        reassign(taskId, miners[2], address(0));
        _outcome = Outcome(0, 0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NobodyHonest.selector, taskId));
        queue.attestMany(taskId, _outcome, _attestations(taskId), effect());
        _outcome = Outcome(0, 5, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerNotRevealed.selector, taskId, miners[2]));
        queue.attestMany(taskId, _outcome, _attestations(taskId), effect());
        _outcome = Outcome(1, 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, taskId, miners[1]));
        queue.attestMany(taskId, _outcome, _attestations(taskId), effect());
        _outcome = Outcome(200, 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, taskId, address(0)));
        queue.attestMany(taskId, _outcome, _attestations(taskId), effect());
    }

    // ---------------------------------------------------------------- lanes

    function test_tasksOfASessionHaveLanesOfTheirOwn() external {
        bytes32 one = taskIn(TaskState.Committed, _session, 3, 2);
        bytes32 two = taskIn(TaskState.Precommitted, _session, 3, 2);
        assertEq(queue.taskOf(one).lane, 0, "the first");
        assertEq(queue.taskOf(two).lane, 1, "the next one that is free");
        queue.attestMany(one, _outcome, _attestations(one), effect());
        settle(one);
        assertEq(queue.taskOf(one).slots.length, 0, "its round is over");
        bytes32 three = taskIn(TaskState.Assigned, _session, 3, 2);
        assertEq(queue.taskOf(three).lane, 0, "free again");
        assertEq(uint256(queue.taskOf(three).slots[0].state), uint256(SlotState.Assigned), "and begun anew");
        assertFalse(queue.taskOf(three).ballots[0].cast, "with nobody's word");
        assertState(two, TaskState.Precommitted);
    }

    // ---------------------------------------------------------------- short ways

    function _queued() private returns (bytes32 taskId, Draw memory draw) {
        taskId = submit(_session, effect());
        draw = drawOf(Scheme.FirstCome, first(miners, 3), first(validators, 2));
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
    }

    function _assign(bytes32 taskId, Draw memory draw, Signature[] memory acceptances) private {
        vm.prank(routers[0]);
        queue.assign(taskId, draw, acceptances, effect());
    }

    function _acceptances(bytes32 taskId, uint64 beaconBlock) private view returns (Signature[] memory acceptances) {
        acceptances = new Signature[](3);
        for (uint256 i = 0; i < 3; ++i) {
            acceptances[i] = signedBy(miners[i], acceptance(taskId, 0, beaconBlock));
        }
    }

    function _refuses(bytes32 taskId, Draw memory draw, Signature[] memory acceptances, address miner) private {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, miner));
        _assign(taskId, draw, acceptances);
    }

    function _refusesPrecommit(bytes32 taskId, CarriedPrecommit[] memory carried) private {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, miners[0]));
        queue.precommitMany(taskId, carried, effect());
    }

    function _precommitted() private returns (bytes32 taskId) {
        taskId = taskIn(TaskState.Assigned, _session, 3, 2);
        queue.precommitMany(taskId, carriedPrecommits(taskId, first(miners, 3)), effect());
        assertState(taskId, TaskState.Precommitted);
    }

    function _committed() private returns (bytes32 taskId) {
        taskId = _precommitted();
        queue.revealMany(taskId, carriedReveals(first(miners, 3)), effect());
    }

    function _attestations(bytes32 taskId) private view returns (CarriedAttestation[] memory) {
        return carriedAttestations(taskId, _outcome, first(validators, 2));
    }
}
