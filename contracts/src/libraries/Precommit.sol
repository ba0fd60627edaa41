// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a precommit binds
/// @notice The same hash as `precommitHash` in `src/core/precommit.ts`; `contracts/test/vectors/precommit.json` holds
/// both to it.
library Precommit {
    /// @dev The miner's address makes a copied precommit useless, the salt makes it unguessable, chain and contract
    /// keep it from being used elsewhere.
    function hash(
        uint64 sessionId,
        bytes32 taskId,
        uint256 step,
        uint8 attempt,
        address miner,
        bytes32 resultRoot,
        bytes32 salt
    ) internal view returns (bytes32) {
        return keccak256(
            abi.encode(block.chainid, address(this), sessionId, taskId, step, attempt, miner, resultRoot, salt)
        );
    }
}
