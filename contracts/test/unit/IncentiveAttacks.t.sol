// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessions} from "../../src/NetworkSessions.sol";
import {NetworkSessionsEvents} from "../../src/NetworkSessionsEvents.sol";
import {Reputation} from "../../src/Reputation.sol";
import {ReputationEvents} from "../../src/ReputationEvents.sol";
import {Quorum} from "../../src/libraries/Quorum.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role} from "../../src/types/Node.sol";
import {Checkpoint, CheckpointState} from "../../src/types/Reputation.sol";
import {Round, RoundState} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice What was signed for one purpose is used for another; what is drawn is to be chosen.
contract IncentiveAttacksTest is IncentivesTest {
    /// @dev From another digest a signature recovers to somebody who is nobody, or to signers out of order.
    function _assertWorthless(address target, bytes memory call) private {
        (bool ok, bytes memory why) = target.call(call);
        assertFalse(ok, "refused");
        bytes4 code = bytes4(why);
        assertTrue(
            code == ReputationEvents.NotActiveOracle.selector || code == Quorum.SignersNotAscending.selector
                || code == NetworkSessionsEvents.NotValidatorOfRound.selector,
            "because of who signed"
        );
    }

    function _signedCheckpoint() private returns (Checkpoint memory checkpoint, bytes[] memory signatures) {
        vm.warp(START + EPOCH_S);
        checkpoint = checkpointOf(1, standings(3));
        signatures = signed(first(oracles, 4), reputation.checkpointDigest(checkpoint));
    }

    // ---------------------------------------------------------------- replay

    function test_aCheckpointIsOfOneChain() external {
        (Checkpoint memory checkpoint, bytes[] memory signatures) = _signedCheckpoint();
        vm.chainId(block.chainid + 1);
        _assertWorthless(address(reputation), abi.encodeCall(Reputation.post, (checkpoint, signatures, effect())));
        vm.chainId(block.chainid - 1);
        reputation.post(checkpoint, signatures, effect());
    }

    function test_aCheckpointIsOfOneContract() external {
        (Checkpoint memory checkpoint, bytes[] memory signatures) = _signedCheckpoint();
        Reputation other = new Reputation(registry, anchors, cor, EPOCH_S, DISPUTE_S, RULING_S);
        vm.warp(other.epochEndsAt(1));
        _assertWorthless(address(other), abi.encodeCall(Reputation.post, (checkpoint, signatures, effect())));
    }

    function test_aCheckpointIsOfOneEpoch() external {
        (Checkpoint memory checkpoint, bytes[] memory signatures) = _signedCheckpoint();
        reputation.post(checkpoint, signatures, effect());
        vm.warp(START + 2 * EPOCH_S);
        Checkpoint memory next = checkpointOf(2, standings(3));
        _assertWorthless(address(reputation), abi.encodeCall(Reputation.post, (next, signatures, effect())));
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.EpochNotForward.selector, 1, 1));
        reputation.post(checkpoint, signatures, effect());
    }

    function test_aCheckpointIsNoRulingAndARulingNoCheckpoint() external {
        (Checkpoint memory checkpoint, bytes[] memory signatures) = _signedCheckpoint();
        reputation.post(checkpoint, signatures, effect());
        dispute(1, STRANGER);
        _assertWorthless(address(reputation), abi.encodeCall(Reputation.rule, (1, true, signatures, effect())));
        bytes[] memory ruling = signed(first(oracles, 4), reputation.rulingDigest(1, false));
        reputation.rule(1, false, ruling, effect());
        checkpoint.revision = 1;
        _assertWorthless(address(reputation), abi.encodeCall(Reputation.post, (checkpoint, ruling, effect())));
    }

    function test_anOutcomeIsOfOneRoundOneChainAndOneContract() external {
        uint64 id = roundIn(RoundState.Validating);
        address[] memory judges = first(network.roundOf(id).validators, 2);
        bytes[] memory signatures = signed(judges, network.outcomeDigest(id, "dataset", 31));
        bytes memory call = abi.encodeCall(NetworkSessions.end, (id, "dataset", 31, signatures, "e"));
        vm.chainId(block.chainid + 1);
        _assertWorthless(address(network), call);
        vm.chainId(block.chainid - 1);
        network.end(id, "dataset", 31, signatures, "e");
        nextSlot();
        uint64 next = roundIn(RoundState.Validating);
        _assertWorthless(address(network), abi.encodeCall(NetworkSessions.end, (next, "dataset", 31, signatures, "e")));
        // Nor may anything of it be changed on the way.
        signatures = signed(first(network.roundOf(next).validators, 2), network.outcomeDigest(next, "dataset", 31));
        _assertWorthless(address(network), abi.encodeCall(NetworkSessions.end, (next, "other", 31, signatures, "e")));
        _assertWorthless(address(network), abi.encodeCall(NetworkSessions.end, (next, "dataset", 15, signatures, "e")));
        NetworkSessions other = new NetworkSessions(registry, reputation, times());
        assertTrue(
            other.outcomeDigest(next, "dataset", 31) != network.outcomeDigest(next, "dataset", 31), "another contract"
        );
    }

    // ---------------------------------------------------------------- signatures

    function test_nobodySignsTwice() external {
        (Checkpoint memory checkpoint, bytes[] memory signatures) = _signedCheckpoint();
        address twice = ascending(first(oracles, 4))[1];
        signatures[2] = signatures[1];
        vm.expectRevert(abi.encodeWithSelector(Quorum.SignersNotAscending.selector, twice, twice));
        reputation.post(checkpoint, signatures, effect());
    }

    function test_theOtherFormOfASignatureIsRefused() external {
        (Checkpoint memory checkpoint,) = _signedCheckpoint();
        bytes32 digest = reputation.checkpointDigest(checkpoint);
        address[] memory signers = ascending(first(oracles, 3));
        bytes[] memory signatures = signed(signers, digest);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[signers[1]], digest);
        bytes32 high = bytes32(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - uint256(s));
        signatures[1] = abi.encodePacked(r, high, v == 27 ? 28 : 27);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
        reputation.post(checkpoint, signatures, effect());
        signatures[1] = abi.encodePacked(r, s, uint8(29));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        reputation.post(checkpoint, signatures, effect());
        signatures[1] = abi.encodePacked(r, s);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 64));
        reputation.post(checkpoint, signatures, effect());
    }

    // ---------------------------------------------------------------- grinding

    /// @dev Who sees the block that decides and then comes into the pool is not among those drawn from.
    function test_comingAfterTheBlockChangesNoDraw() external {
        uint64 id = request();
        reachBeacon(id);
        uint256 before = vm.snapshotState();
        network.draw(id, effect());
        bytes32 drawn = keccak256(abi.encode(network.roundOf(id)));
        assertTrue(vm.revertToState(before), "back");
        for (uint256 i = 0; i < 20; ++i) {
            address node = account(string.concat("sybil", vm.toString(i)));
            register(node, Roles.MINER);
            enter(node, Role.Miner);
        }
        network.draw(id, effect());
        assertEq(keccak256(abi.encode(network.roundOf(id))), drawn, "the same");
    }

    /// @dev Who does not like a draw cannot have another one in its slot.
    function test_aDrawIsNotRepeated() external {
        uint64 id = request();
        vm.roll(network.roundOf(id).beaconBlock + 300);
        vm.expectPartialRevert(NetworkSessionsEvents.BeaconGone.selector);
        network.draw(id, effect());
        pass(61);
        advance(id);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.SlotTaken.selector, id));
        vm.prank(oracles[0]);
        network.request(effect());
    }

    /// @dev Who is drawn and goes away makes room for the next in the same order, and for nobody of its choice.
    function test_goingAwayDoesNotChooseWhoComesInstead() external {
        uint64 id = request();
        reachBeacon(id);
        uint256 before = vm.snapshotState();
        network.draw(id, effect());
        Round memory drawn = network.roundOf(id);
        assertTrue(vm.revertToState(before), "back");
        setActive(drawn.creator, false);
        network.draw(id, effect());
        Round memory without = network.roundOf(id);
        assertEq(without.creator, drawn.preparer, "the next one");
        assertEq(without.preparer, drawn.standbys[0], "and the next");
    }

    // ---------------------------------------------------------------- griefing

    /// @dev A pool full of nodes that went away costs a bounded number of looks, and anyone clears it.
    function test_aPoolOfTheDeadIsCleared() external {
        for (uint256 i = 0; i < 300; ++i) {
            address node = account(string.concat("dead", vm.toString(i)));
            register(node, Roles.MINER);
            enter(node, Role.Miner);
            setActive(node, false);
        }
        uint64 id = request();
        reachBeacon(id);
        uint256 left = gasleft();
        network.draw(id, effect());
        // As many looks as there may be, however many members there are; also where nothing is optimised.
        assertTrue(left - gasleft() < 32 * 60_000, "bounded");
        if (network.roundOf(id).state != RoundState.Failed) {
            vm.warp(uint256(network.roundOf(id).phaseBy) + 1);
            while (network.roundOf(id).state != RoundState.Failed) {
                advance(id);
                vm.warp(uint256(network.roundOf(id).phaseBy) + 1);
            }
        }
        for (uint256 i = 0; i < 300; ++i) {
            vm.prank(STRANGER);
            network.evict(Role.Miner, account(string.concat("dead", vm.toString(i))), effect());
        }
        nextSlot();
        roundIn(RoundState.Ended);
    }

    function test_aBondThatIsNotThereDisputesNothing() external {
        post(1, standings(3));
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        vm.prank(STRANGER);
        reputation.dispute(1, "claim", effect());
        assertCheckpoint(1, CheckpointState.Open);
    }
}
