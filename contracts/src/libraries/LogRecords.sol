// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title The leaves of an anchor's tree
/// @notice As `recordLeaf` of `src/core/merkle.ts` makes them: the fields in one line, each with its length before it,
/// hashed twice, so that no inner node can pass for a leaf.
library LogRecords {
    /// @dev The head of a stream: `4:head,<length>:<stream>,<length>:<version>,64:<hash>`, the hash in 64 hex digits.
    function head(string calldata stream, uint64 version, bytes32 commitHash) internal pure returns (bytes32) {
        string memory digits = Strings.toString(version);
        return _leaf(string.concat("4:head,", _field(stream), ",", _field(digits), ",64:", _hex(commitHash)));
    }

    /// @dev The root of the anchor before: `4:prev,66:<root>`, the root as `0x` and 64 hex digits.
    function previous(bytes32 root) internal pure returns (bytes32) {
        return _leaf(string.concat("4:prev,66:0x", _hex(root)));
    }

    function _leaf(string memory line) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(bytes(line))));
    }

    function _field(string memory text) private pure returns (string memory) {
        return string.concat(Strings.toString(bytes(text).length), ":", text);
    }

    /// @dev 64 hex digits, without the `0x`.
    function _hex(bytes32 word) private pure returns (string memory text) {
        bytes memory digits = bytes("0123456789abcdef");
        bytes memory made = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            made[i] = digits[(uint256(word) >> (252 - 4 * i)) & 15];
        }
        return string(made);
    }
}
