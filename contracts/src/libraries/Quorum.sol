// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IncentiveLimits} from "./IncentiveLimits.sol";
import {Limits} from "./Limits.sol";
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

    /// @dev More than a part of so many, in ten-thousandths.
    function needed(uint256 count, uint256 bps) internal pure returns (uint256) {
        return _atMost(count * bps / Limits.BPS + 1);
    }

    /// @dev What a ruling needs: more than two thirds, and never less than a quorum.
    function neededToRule(uint256 count, uint256 bps) internal pure returns (uint256) {
        uint256 twoThirds = _atMost(2 * count / 3 + 1);
        uint256 quorum = needed(count, bps);
        return twoThirds > quorum ? twoThirds : quorum;
    }

    /// @dev Who signed a digest, in ascending order; reverts unless there are enough. Who they are is the caller's to ask.
    function signersOf(bytes32 digest, bytes[] calldata signatures, uint256 least)
        internal
        pure
        returns (address[] memory signers)
    {
        uint256 count = signatures.length;
        if (count > IncentiveLimits.SIGNATURES_MAX) revert TooManySignatures(count, IncentiveLimits.SIGNATURES_MAX);
        if (count < least) revert QuorumMissing(count, least);
        signers = new address[](count);
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            if (signer <= last) revert SignersNotAscending(signer, last);
            signers[i] = last = signer;
        }
    }

    /// @dev Beyond so many the number itself is the safety: each of them has a stake to lose.
    function _atMost(uint256 signers) private pure returns (uint256) {
        return signers < IncentiveLimits.SIGNATURES_MAX ? signers : IncentiveLimits.SIGNATURES_MAX;
    }
}
