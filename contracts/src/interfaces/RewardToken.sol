// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What rewards need of the token
interface RewardToken {
    /// @notice Makes new tokens, up to the cap. Only the minter may.
    /// @param to Who receives them.
    /// @param amountWei How much.
    function mint(address to, uint256 amountWei) external;

    /// @notice All tokens there can ever be, in wei.
    function cap() external view returns (uint256);

    /// @notice All tokens there are, in wei.
    function totalSupply() external view returns (uint256);
}
