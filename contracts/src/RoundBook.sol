// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochClock} from "./EpochClock.sol";
import {IdleCredits} from "./IdleCredits.sol";
import {IdlePools} from "./IdlePools.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {RoundRules} from "./libraries/RoundRules.sol";
import {Role} from "./types/Node.sol";
import {Round, RoundFailure, RoundState, RoundTimes} from "./types/Round.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title The rounds of network sessions, as everybody may read them
/// @notice What they are, when they are due, and what decides their draws.
abstract contract RoundBook is IdlePools, IdleCredits, EIP712 {
    bytes32 private constant OUTCOME_TYPEHASH =
        keccak256("RoundOutcome(uint64 round,bytes32 datasetDigest,uint16 honest)");

    RoundTimes internal _times;

    /// @notice The newest round, which is the number of its slot; zero before the first.
    uint64 public newestRound;

    mapping(uint64 round => Round) internal _rounds;

    /// @param registry Who is an active node.
    /// @param clock Whose epochs count; slots begin with the first.
    /// @param times_ How long everything may take.
    constructor(NodeRegistry registry, EpochClock clock, RoundTimes memory times_)
        IdlePools(registry)
        EpochClock(clock.EPOCH_START(), clock.EPOCH_S())
        EIP712("pouw NetworkSessions", "1")
    {
        RoundRules.requireTimes(times_);
        _times = times_;
    }

    /// @notice All about a round; the state is `None` if there is no such round.
    /// @param id The round.
    function roundOf(uint64 id) external view returns (Round memory) {
        return _rounds[id];
    }

    /// @notice How long everything may take.
    function times() external view returns (RoundTimes memory) {
        return _times;
    }

    /// @notice The slot of a moment, from 1; 0 before the first.
    /// @param time Seconds since 1970.
    function slotAt(uint256 time) public view returns (uint64) {
        if (time < EPOCH_START) return 0;
        // forge-lint: disable-next-line(unsafe-typecast) fewer slots than seconds
        return uint64((time - EPOCH_START) / _times.slotS + 1);
    }

    /// @notice The id of a round where a task's is asked for.
    /// @param id The round.
    function taskIdOf(uint64 id) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), id));
    }

    /// @notice What a draw of a round starts from.
    /// @param beacon The hash of the block that decides.
    /// @param id The round.
    /// @param role Who is drawn.
    function seedOf(bytes32 beacon, uint64 id, Role role) public view returns (bytes32) {
        return keccak256(abi.encode(beacon, taskIdOf(id), role));
    }

    /// @notice What a validator signs for an outcome: its EIP-712 digest.
    /// @param id The round.
    /// @param datasetDigest The digest under which the data set is stored.
    /// @param honest The answers that are good.
    function outcomeDigest(uint64 id, bytes32 datasetDigest, uint16 honest) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(OUTCOME_TYPEHASH, id, datasetDigest, honest)));
    }

    function _in(uint64 id, RoundState state) internal view returns (Round storage round) {
        round = _rounds[id];
        if (round.state != state) revert WrongRoundState(id, round.state);
    }

    /// @dev Oracles from a moment on, anyone after the grace.
    function _requireDue(uint64 id, uint256 from) internal view {
        if (!REGISTRY.isActive(msg.sender, Role.Oracle)) from += _times.graceS;
        if (block.timestamp < from) revert NotDue(id, from);
    }

    /// @dev The next draw is decided by a block that nobody knows yet, among those who are in the pools now.
    function _awaitDraw(Round storage round) internal returns (uint64 beaconBlock, uint40 drawBy) {
        beaconBlock = uint64(block.number + IncentiveLimits.BEACON_DELAY);
        drawBy = uint40(block.timestamp) + _times.drawS;
        round.beaconBlock = beaconBlock;
        round.phaseBy = drawBy;
        // forge-lint: disable-start(unsafe-typecast) pools are bounded
        round.minerCount = uint32(_pools[Role.Miner].length);
        round.validatorCount = uint32(_pools[Role.Validator].length);
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _beaconOf(uint64 id, Round storage round) internal view returns (bytes32 beacon) {
        uint64 beaconBlock = round.beaconBlock;
        if (block.number <= beaconBlock) revert BeaconNotKnown(id, beaconBlock);
        beacon = blockhash(beaconBlock);
        if (beacon == 0) revert BeaconGone(id, beaconBlock);
    }

    /// @inheritdoc IdlePools
    function _requireNoDraw() internal view override {
        uint64 id = newestRound;
        Round storage round = _rounds[id];
        if (round.state != RoundState.Requested && round.state != RoundState.Prepared) return;
        // Nobody can draw any more once the hash is gone.
        if (block.number <= round.beaconBlock || blockhash(round.beaconBlock) != 0) revert DrawPending(id);
    }

    function _enter(Round storage round, RoundState state, uint32 durationS) internal returns (uint40 phaseBy) {
        phaseBy = uint40(block.timestamp) + durationS;
        round.state = state;
        round.phaseBy = phaseBy;
    }

    function _fail(uint64 id, Round storage round, RoundFailure reason) internal {
        round.state = RoundState.Failed;
        emit RoundFailed(id, reason);
    }
}
