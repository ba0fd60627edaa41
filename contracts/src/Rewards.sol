// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "./Cor.sol";
import {EffectLog} from "./EffectLog.sol";
import {Reputation} from "./Reputation.sol";
import {IdleWork} from "./interfaces/IdleWork.sol";
import {Emission} from "./libraries/Emission.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Standing} from "./types/Reputation.sol";

/// @title Rewards for idle work
/// @notice Each epoch emits a decaying amount of new $COR, shared by the validated idle work in its checkpoint. A claim
/// mints. What is not claimed in time, and what an epoch without a checkpoint would have emitted, is never made: the
/// emission is a ceiling and not a debt.
contract Rewards is EffectLog {
    /// @notice A node got its share of an epoch.
    event RewardClaimed(uint64 indexed epoch, address indexed node, uint64 idleWork, uint128 amountWei);

    /// @notice The first epoch emits something.
    error EmissionMissing();
    /// @notice A period has a bounded number of epochs.
    error HalvingOutOfBounds(uint32 epochs, uint32 minimum, uint32 maximum);
    /// @notice All epochs together may not emit more than the token's cap leaves.
    error EmissionBeyondCap(uint256 limitWei, uint256 leftWei);
    /// @notice A node claims once for each epoch.
    error AlreadyClaimed(uint64 epoch, address node);
    /// @notice The epoch's rewards are not given out any more.
    error ClaimExpired(uint64 epoch, uint256 claimBy);
    /// @notice The checkpoint credits a node with more idle work than network sessions did.
    error IdleWorkNotCredited(address node, uint64 idleWork, uint64 credited);
    /// @notice The node's share rounds to nothing.
    error NothingToClaim(uint64 epoch, address node);
    /// @notice The checkpoint's leaves add up to more than it says.
    error EmissionExceeded(uint64 epoch, uint256 leftWei, uint256 amountWei);

    /// @notice The token that is minted.
    Cor public immutable COR;
    /// @notice The checkpoints that say who worked.
    Reputation public immutable REPUTATION;
    /// @notice The network sessions, which credit idle work.
    IdleWork public immutable IDLE_WORK;
    /// @notice What epoch 1 emits, in wei.
    uint128 public immutable FIRST_WEI;
    /// @notice In how many epochs the emission halves.
    uint32 public immutable HALVING_EPOCHS;

    mapping(uint64 epoch => uint256 amountWei) private _claimedWei;
    mapping(uint64 epoch => mapping(address node => bool)) private _claimed;

    /// @param cor The token that is minted.
    /// @param reputation The checkpoints that say who worked.
    /// @param idleWork The network sessions, which credit idle work.
    /// @param firstWei What epoch 1 emits.
    /// @param halvingEpochs In how many epochs the emission halves.
    constructor(Cor cor, Reputation reputation, IdleWork idleWork, uint128 firstWei, uint32 halvingEpochs) {
        if (firstWei == 0) revert EmissionMissing();
        (uint32 minimum, uint32 maximum) = (IncentiveLimits.HALVING_EPOCHS_MIN, IncentiveLimits.HALVING_EPOCHS_MAX);
        if (halvingEpochs < minimum || halvingEpochs > maximum) {
            revert HalvingOutOfBounds(halvingEpochs, minimum, maximum);
        }
        (uint256 limitWei, uint256 leftWei) =
            (Emission.limitWei(firstWei, halvingEpochs), cor.cap() - cor.totalSupply());
        if (limitWei > leftWei) revert EmissionBeyondCap(limitWei, leftWei);
        (COR, REPUTATION, IDLE_WORK) = (cor, reputation, idleWork);
        (FIRST_WEI, HALVING_EPOCHS) = (firstWei, halvingEpochs);
    }

    /// @notice Mints a node its share of an epoch. Anyone may ask for it, once; the node gets it.
    /// @param epoch The epoch, whose checkpoint has to count.
    /// @param standing The node's leaf in it.
    /// @param proof From the leaf to the root.
    /// @param effectId The sender's id of this call.
    /// @return amountWei What was minted.
    function claim(uint64 epoch, Standing calldata standing, bytes32[] calldata proof, bytes32 effectId)
        external
        returns (uint128 amountWei)
    {
        address node = standing.node;
        if (_claimed[epoch][node]) revert AlreadyClaimed(epoch, node);
        (uint64 idleWork, uint40 finalAt) = REPUTATION.idleWorkOf(epoch);
        REPUTATION.requireStanding(epoch, standing, proof);
        uint256 claimBy = uint256(finalAt) + IncentiveLimits.CLAIM_S;
        if (block.timestamp > claimBy) revert ClaimExpired(epoch, claimBy);
        amountWei = _shareWei(epoch, standing, idleWork);
        _markEffect(effectId);
        _claimed[epoch][node] = true;
        _claimedWei[epoch] += amountWei;
        emit RewardClaimed(epoch, node, standing.idleWork, amountWei);
        COR.mint(node, amountWei);
    }

    /// @notice What an epoch emits at most, in wei.
    /// @param epoch The epoch, from 1.
    function emissionWei(uint64 epoch) public view returns (uint256) {
        return epoch == 0 ? 0 : Emission.emissionWei(FIRST_WEI, HALVING_EPOCHS, epoch);
    }

    /// @notice What the first epochs emit at most together, in wei.
    /// @param epochs How many.
    function totalEmissionWei(uint64 epochs) external view returns (uint256) {
        return Emission.totalWei(FIRST_WEI, HALVING_EPOCHS, epochs);
    }

    /// @notice What all epochs emit at most together, in wei.
    function emissionLimitWei() external view returns (uint256) {
        return Emission.limitWei(FIRST_WEI, HALVING_EPOCHS);
    }

    /// @notice What was claimed of an epoch, in wei.
    /// @param epoch The epoch.
    function claimedWei(uint64 epoch) external view returns (uint256) {
        return _claimedWei[epoch];
    }

    /// @notice Whether a node has claimed for an epoch.
    /// @param epoch The epoch.
    /// @param node The node.
    function hasClaimed(uint64 epoch, address node) external view returns (bool) {
        return _claimed[epoch][node];
    }

    /// @dev A node's part of an epoch's emission. Never more than network sessions credited it for, and never more than
    /// is left, whatever the checkpoint says.
    function _shareWei(uint64 epoch, Standing calldata standing, uint64 idleWork) private view returns (uint128) {
        uint64 credited = IDLE_WORK.creditsOf(epoch, standing.node);
        if (standing.idleWork > credited) revert IdleWorkNotCredited(standing.node, standing.idleWork, credited);
        uint256 emittedWei = emissionWei(epoch);
        uint256 amountWei = idleWork == 0 ? 0 : emittedWei * standing.idleWork / idleWork;
        if (amountWei == 0) revert NothingToClaim(epoch, standing.node);
        uint256 leftWei = emittedWei - _claimedWei[epoch];
        if (amountWei > leftWei) revert EmissionExceeded(epoch, leftWei, amountWei);
        // forge-lint: disable-next-line(unsafe-typecast) at most what an epoch emits, which is at most `FIRST_WEI`
        return uint128(amountWei);
    }
}
