// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "../../src/Cor.sol";
import {ReputationEvents} from "../../src/ReputationEvents.sol";
import {Rewards} from "../../src/Rewards.sol";
import {IdleWork} from "../../src/interfaces/IdleWork.sol";
import {Emission} from "../../src/libraries/Emission.sol";
import {Checkpoint, Standing} from "../../src/types/Reputation.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {Trees} from "../base/Trees.sol";
import {vm} from "../base/Vm.sol";

/// @notice Network sessions in which a test says what was credited.
contract CreditedWork is IdleWork {
    mapping(uint64 epoch => mapping(address node => uint64)) public creditsOf;

    function credit(uint64 epoch, address node, uint64 credits) external {
        creditsOf[epoch][node] = credits;
    }
}

contract RewardsTest is IncentivesTest {
    CreditedWork private _work;

    function _idleWork() internal override returns (IdleWork) {
        _work = new CreditedWork();
        return _work;
    }

    /// @dev A checkpoint that counts, in which three miners did 1, 2 and 4 parts of the work, all of it credited.
    function _worked(uint64 epoch) private returns (Standing[] memory all) {
        uint64[] memory parts = new uint64[](3);
        (parts[0], parts[1], parts[2]) = (1, 2, 4);
        for (uint256 i = 0; i < 3; ++i) {
            _work.credit(epoch, miners[i], parts[i]);
        }
        all = standings(3, parts);
        settle(epoch, all);
    }

    function _claim(uint64 epoch, Standing[] memory all, uint256 which) private returns (uint128) {
        bytes32[] memory proof = Trees.proof(all, which);
        return rewards.claim(epoch, all[which], proof, effect());
    }

    function _refused(uint64 epoch, Standing[] memory all, uint256 which, bytes memory why) private {
        bytes32[] memory proof = Trees.proof(all, which);
        vm.expectRevert(why);
        rewards.claim(epoch, all[which], proof, effect());
    }

    function test_aClaimMintsTheNodeItsShare() external {
        Standing[] memory all = _worked(1);
        uint256 supply = cor.totalSupply();
        uint256 share = uint256(20_000 ether) * 2 / 7;
        vm.expectEmit(address(rewards));
        emit Rewards.RewardClaimed(1, miners[1], 2, uint128(share));
        assertEq(_claim(1, all, 1), share, "two of seven");
        assertEq(cor.balanceOf(miners[1]), share, "the node has it");
        assertEq(cor.totalSupply(), supply + share, "newly made");
        assertEq(rewards.claimedWei(1), share, "counted");
        assertTrue(rewards.hasClaimed(1, miners[1]), "noted");
        assertFalse(rewards.hasClaimed(1, miners[0]), "and for nobody else");
    }

    function test_allClaimsTogetherAreAtMostTheEmission() external {
        Standing[] memory all = _worked(1);
        uint256 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            sum += _claim(1, all, i);
        }
        assertTrue(sum <= rewards.emissionWei(1) && sum + 3 > rewards.emissionWei(1), "all but the rounding");
    }

    function test_aNodeClaimsOnceForEachEpoch() external {
        Standing[] memory all = _worked(1);
        _claim(1, all, 0);
        _refused(1, all, 0, abi.encodeWithSelector(Rewards.AlreadyClaimed.selector, 1, miners[0]));
        vm.prank(miners[0]);
        bytes32[] memory proof = Trees.proof(all, 0);
        vm.expectRevert(abi.encodeWithSelector(Rewards.AlreadyClaimed.selector, 1, miners[0]));
        rewards.claim(1, all[0], proof, effect());
        all = _worked(2);
        assertTrue(_claim(2, all, 0) < FIRST_WEI / 7, "the second epoch emits less");
    }

    function test_whoDidNothingGetsNothing() external {
        Standing[] memory all = _worked(1);
        _refused(1, all, 3, abi.encodeWithSelector(Rewards.NothingToClaim.selector, 1, miners[3]));
        // Nor does anybody where nobody did anything.
        all = standings(3);
        settle(2, all);
        _refused(2, all, 0, abi.encodeWithSelector(Rewards.NothingToClaim.selector, 2, miners[0]));
    }

    function test_onlyACheckpointThatCountsPays() external {
        Standing[] memory all = standings(3);
        _refused(1, all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 1));
        _refused(0, all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 0));
        post(1, all);
        _refused(1, all, 0, abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
        dispute(1, STRANGER);
        _refused(1, all, 0, abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
    }

    function test_claimsExpire() external {
        Standing[] memory all = _worked(1);
        uint256 claimBy = uint256(reputation.checkpointOf(1).dueAt) + 90 days;
        vm.warp(claimBy);
        _claim(1, all, 0);
        vm.warp(claimBy + 1);
        _refused(1, all, 1, abi.encodeWithSelector(Rewards.ClaimExpired.selector, 1, claimBy));
    }

    function test_anEpochThatWasSkippedEmitsNothing() external {
        settle(1, standings(3));
        Standing[] memory all = _worked(3);
        _refused(2, all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 2));
        assertEq(_claim(3, all, 0), rewards.emissionWei(3) / 7, "the emission of one epoch, not of two");
    }

    // ---------------------------------------------------------------- attacks

    function test_aProofOfAnotherEpochIsRefused() external {
        Standing[] memory all = _worked(1);
        uint64[] memory more = new uint64[](1);
        more[0] = 7;
        _work.credit(2, miners[0], 7);
        Standing[] memory second = standings(3, more);
        settle(2, second);
        bytes32[] memory proof = Trees.proof(second, 0);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 1, miners[0]));
        rewards.claim(1, second[0], proof, effect());
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 2, miners[0]));
        rewards.claim(2, all[0], Trees.proof(all, 0), effect());
    }

    function test_oraclesCannotPayForWorkThatNobodyDid() external {
        uint64[] memory invented = new uint64[](1);
        invented[0] = 5;
        _work.credit(1, miners[0], 4);
        Standing[] memory all = standings(3, invented);
        settle(1, all);
        _refused(1, all, 0, abi.encodeWithSelector(Rewards.IdleWorkNotCredited.selector, miners[0], 5, 4));
    }

    function test_aSumThatIsTooLowDoesNotMakeMore() external {
        uint64[] memory parts = new uint64[](3);
        for (uint256 i = 0; i < 3; ++i) {
            parts[i] = 3;
            _work.credit(1, miners[i], 3);
        }
        Standing[] memory all = standings(3, parts);
        vm.warp(START + EPOCH_S);
        Checkpoint memory lie = checkpointOf(1, all);
        lie.idleWork = 6;
        post(lie);
        pass(DISPUTE_S + 1);
        _claim(1, all, 0);
        _claim(1, all, 1);
        assertEq(rewards.claimedWei(1), FIRST_WEI, "all of it");
        _refused(1, all, 2, abi.encodeWithSelector(Rewards.EmissionExceeded.selector, 1, 0, FIRST_WEI / 2));
    }

    function test_anAnswerToSomebodyElseMintsToTheNode() external {
        Standing[] memory all = _worked(1);
        vm.prank(STRANGER);
        rewards.claim(1, all[2], Trees.proof(all, 2), "e");
        assertEq(cor.balanceOf(STRANGER), 0, "not to who asked");
        assertEq(cor.balanceOf(miners[2]), uint256(FIRST_WEI) * 4 / 7, "but to who worked");
    }

    // ---------------------------------------------------------------- construction

    function test_theEmissionIsBounded() external {
        vm.expectRevert(abi.encodeWithSelector(Rewards.EmissionMissing.selector));
        new Rewards(cor, reputation, _work, 0, 1000);
        vm.expectRevert(abi.encodeWithSelector(Rewards.HalvingOutOfBounds.selector, 0, 1, 65_536));
        new Rewards(cor, reputation, _work, FIRST_WEI, 0);
        vm.expectRevert(abi.encodeWithSelector(Rewards.HalvingOutOfBounds.selector, 65_537, 1, 65_536));
        new Rewards(cor, reputation, _work, FIRST_WEI, 65_537);
        new Rewards(cor, reputation, _work, 1, 65_536);
        new Rewards(cor, reputation, _work, FIRST_WEI, 1);
    }

    function test_allEpochsTogetherFitUnderTheCap() external {
        uint256 left = cor.cap() - cor.totalSupply();
        // With one epoch to a period all of them together emit a little less than twice the first.
        uint128 most = uint128(left * 2 ** 63 / (2 ** 64 - 1));
        new Rewards(cor, reputation, _work, most, 1);
        uint256 beyond = Emission.limitWei(most + 1, 1);
        assertTrue(beyond > left, "one wei of the first epoch too many");
        vm.expectRevert(abi.encodeWithSelector(Rewards.EmissionBeyondCap.selector, beyond, left));
        new Rewards(cor, reputation, _work, most + 1, 1);
        assertTrue(rewards.emissionLimitWei() < left, "ours fit");
        assertEq(rewards.totalEmissionWei(type(uint64).max), rewards.emissionLimitWei(), "there is an end");
        assertEq(rewards.emissionWei(0), 0, "there is no epoch before the first");
    }

    function test_onlyTheMinterMints() external {
        vm.expectRevert(abi.encodeWithSelector(Cor.NotMinter.selector, address(this)));
        cor.mint(address(this), 1);
    }
}
