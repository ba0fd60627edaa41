// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where an appeal stands.
/// @custom:variant None There is none.
/// @custom:variant Open Validators are drawn, or asked.
/// @custom:variant Upheld They found what the first ones had.
/// @custom:variant Overturned They found something else, and that stands.
/// @custom:variant Undecided Too few of them agreed in time; what the first ones found stands.
enum AppealState {
    None,
    Open,
    Upheld,
    Overturned,
    Undecided
}

/// @notice What validators of an appeal found, and which: one bit for each place of the draw. One storage slot.
struct AppealOpinion {
    uint8 winner;
    uint16 honest;
    uint32 promptTokens;
    uint32 outputTokens;
    uint64 voters;
}

/// @notice An appeal in storage: two slots, the beacon, and two lists.
struct Appeal {
    address appellant;
    uint96 bondWei;
    // The second slot.
    uint64 sessionId;
    AppealState state;
    /// How many validators are drawn.
    uint8 wanted;
    /// How many nodes there were: who registered later cannot be drawn.
    uint32 nodeCount;
    /// The block whose hash decides the draw.
    uint32 beaconBlock;
    /// Seconds since 1970 until which validators may be nominated.
    uint32 drawBy;
    /// Seconds since 1970 until which they attest.
    uint32 attestBy;
    // The third: zero until the first nomination.
    bytes32 beacon;
    /// Who is drawn, by the nominations so far: numbers in the registry, in the order of their keys.
    uint32[] drawn;
    AppealOpinion[] opinions;
}

/// @notice An appeal, as the view returns it.
struct AppealRecord {
    AppealState state;
    uint64 sessionId;
    address appellant;
    uint128 bondWei;
    uint8 wanted;
    /// How many of them have to find the same.
    uint8 needed;
    uint40 beaconBlock;
    bytes32 beacon;
    uint40 drawBy;
    uint40 attestBy;
    address[] validators;
    AppealOpinion[] opinions;
}

/// @notice The appeals' money. `bondedWei + rewardedWei = heldWei + owedWei + withdrawnWei` at every block, and the
/// contract holds `heldWei + owedWei` in tokens.
struct AppealTotals {
    uint128 bondedWei;
    /// What came from the stakes of validators that were contradicted.
    uint128 rewardedWei;
    /// The bonds of open appeals.
    uint128 heldWei;
    /// What can be withdrawn.
    uint128 owedWei;
    uint128 withdrawnWei;
}
