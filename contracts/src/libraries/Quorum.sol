// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IncentiveLimits} from "./IncentiveLimits.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Signatures of several over one message
/// @notice Signatures come in the ascending order of their signers, so that nobody counts twice; `ECDSA` refuses the
/// second form of a signature and the zero signer.
library Quorum {
    /// @notice So many signatures are needed.
    error QuorumMissing(uint256 count, uint256 needed);
    /// @notice No quorum is that large.
    error TooManySignatures(uint256 count, uint256 maximum);
    /// @notice Signatures come in the ascending order of their signers, each once.
    error SignersNotAscending(address signer, address last);

    /// @dev More than half.
    function majorityOf(uint256 count) internal pure returns (uint256) {
        return _atMost(count / 2 + 1);
    }

    /// @dev More than two thirds.
    function twoThirdsOf(uint256 count) internal pure returns (uint256) {
        return _atMost(2 * count / 3 + 1);
    }

    /// @dev Who signed a digest, in ascending order; reverts unless there are enough. Who they are is the caller's to ask.
    function signersOf(bytes32 digest, bytes[] calldata signatures, uint256 needed)
        internal
        pure
        returns (address[] memory signers)
    {
        uint256 count = signatures.length;
        if (count > IncentiveLimits.SIGNATURES_MAX) revert TooManySignatures(count, IncentiveLimits.SIGNATURES_MAX);
        if (count < needed) revert QuorumMissing(count, needed);
        signers = new address[](count);
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            if (signer <= last) revert SignersNotAscending(signer, last);
            signers[i] = last = signer;
        }
    }

    /// @dev Beyond so many the number itself is the safety: each of them has a stake to lose.
    function _atMost(uint256 needed) private pure returns (uint256) {
        return needed < IncentiveLimits.SIGNATURES_MAX ? needed : IncentiveLimits.SIGNATURES_MAX;
    }
}
