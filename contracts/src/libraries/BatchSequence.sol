// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, PaymentAt, PaymentLeaf} from "../types/Batch.sol";
import {Share} from "../types/Session.sol";
import {BatchLeaves} from "./BatchLeaves.sol";

/// @title The payments of a batch in their order
/// @notice They are sorted by account, position and share, so that two neighbours show that nothing is between them.
library BatchSequence {
    using BatchLeaves for BatchHeader;

    /// @notice These are not neighbours, nor the first or the last.
    error NotNeighbours();

    /// @dev Where a payment belongs in the order.
    function keyOf(address account, uint16 position, Share share) internal pure returns (uint256) {
        return (uint256(uint160(account)) << 24) | (uint256(position) << 8) | uint256(share);
    }

    /// @dev Where a payment belongs in the order.
    function keyOf(PaymentLeaf calldata leaf) internal pure returns (uint256) {
        return keyOf(leaf.account, leaf.position, leaf.share);
    }

    /// @dev Two payments that follow one another.
    function requireNeighbours(BatchHeader calldata header, PaymentAt calldata left, PaymentAt calldata right)
        internal
        pure
    {
        header.requireIn(left);
        header.requireIn(right);
        if (uint256(left.leaf.index) + 1 != right.leaf.index) revert NotNeighbours();
    }

    /// @dev The keys between which a batch has nothing: two neighbours, or nobody before the first, or nobody behind the
    /// last; nothing at all in a batch without payments. Both ends are keys of payments or beyond all keys.
    /// @param around Two neighbours; or the first or the last alone, where `behind` tells that it is the last; or none.
    function gap(BatchHeader calldata header, PaymentAt[] calldata around, bool behind)
        internal
        pure
        returns (uint256 low, uint256 high)
    {
        if (around.length == 2) {
            requireNeighbours(header, around[0], around[1]);
            return (keyOf(around[0].leaf), keyOf(around[1].leaf));
        }
        if (around.length == 0 && header.payments == 0) return (0, type(uint256).max);
        if (around.length != 1) revert NotNeighbours();
        header.requireIn(around[0]);
        uint256 index = around[0].leaf.index;
        if (index != (behind ? header.payments - 1 : 0)) revert NotNeighbours();
        return behind ? (keyOf(around[0].leaf), type(uint256).max) : (0, keyOf(around[0].leaf));
    }
}
