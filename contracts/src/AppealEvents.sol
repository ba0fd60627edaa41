// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the appeals say
/// @notice Their events and errors. Times are block time, in seconds since 1970. Words for signatures and outcomes that
/// are wrong are those of {TaskQueueEvents}.
interface AppealEvents {
    /// @notice More validators are asked about an outcome.
    /// @param bondWei What the appellant has put down.
    /// @param beaconBlock The block whose hash decides who is drawn.
    /// @param wanted How many are drawn.
    /// @param drawBy Until when they may be nominated.
    /// @param attestBy Until when they attest; after it what was found first stands.
    event OutcomeAppealed(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        address appellant,
        uint128 bondWei,
        uint40 beaconBlock,
        uint8 wanted,
        uint40 drawBy,
        uint40 attestBy
    );
    /// @notice Who is drawn, by all nominations so far.
    event AppealDrawn(uint64 indexed sessionId, bytes32 indexed taskId, bytes32 beacon, address[] validators);
    /// @notice A validator of the appeal said what it found.
    event AppealAttested(uint64 indexed sessionId, bytes32 indexed taskId, address validator, bytes32 reportDigest);
    /// @notice It is decided for good who is paid.
    /// @param reportDigest The report of the last attestation.
    event AppealDecided(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        bool overturned,
        address winner,
        address[] honest,
        uint32 promptTokens,
        uint32 outputTokens,
        bytes32 reportDigest
    );
    /// @notice Too few validators agreed in time: what was found first stands, and the appellant has its bond back.
    event AppealUndecided(uint64 indexed sessionId, bytes32 indexed taskId);
    /// @notice Somebody is owed something of a bond or of what validators lost.
    event AppealCredited(address indexed account, bytes32 indexed taskId, uint128 amountWei);
    /// @notice Somebody took what it was owed.
    event AppealWithdrawn(address indexed account, uint128 amountWei);

    /// @notice Only the deployer names the queue.
    error NotDeployer(address account);
    /// @notice The queue is named once, and is not zero.
    error QueueNotBindable();
    /// @notice What stands cannot be appealed: there is no window, or the outcome is not there yet, or it is final.
    error NotAppealable(bytes32 taskId);
    /// @notice The window is over.
    error AppealTooLate(bytes32 taskId, uint40 appealBy);
    /// @notice A task is appealed once.
    error AlreadyAppealed(bytes32 taskId, address appellant);
    /// @notice Only who an outcome costs something may appeal it.
    error NotAParty(bytes32 taskId, address account);
    /// @notice There is no open appeal of this task.
    error NoOpenAppeal(bytes32 taskId);
    /// @notice The time to nominate validators is over.
    error NominationsOver(bytes32 taskId, uint40 drawBy);
    /// @notice Validators may still be nominated.
    error NominationsOpen(bytes32 taskId, uint40 drawBy);
    /// @notice The chain cannot tell the hash of the block (yet, or any more).
    error BeaconUnavailable(uint40 beaconBlock);
    /// @notice The appeal can still be decided.
    error AppealNotDue(bytes32 taskId, uint40 attestBy);
    /// @notice The account has nothing to withdraw.
    error NothingOwed(address account);
}
