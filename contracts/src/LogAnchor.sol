// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Role} from "./types/Node.sol";

/// @title Anchors of the network's log
/// @notice Each epoch holds the Merkle root over the heads of all streams a router kept, so that a log that lost or
/// changed an anchored commit can be told from a true one.
contract LogAnchor is EffectLog {
    /// @notice One anchor.
    struct Anchor {
        bytes32 root;
        bytes32 manifestDigest;
        address by;
        uint64 commits;
    }

    /// @notice A log was anchored.
    /// @param epoch Its number, from 1.
    /// @param by The router that anchored it.
    /// @param root The Merkle root over all stream heads.
    /// @param manifestDigest The digest of the list of heads.
    /// @param commits How many commits the heads cover.
    event LogAnchored(uint64 indexed epoch, address indexed by, bytes32 root, bytes32 manifestDigest, uint64 commits);

    /// @notice Only an active router anchors.
    error NotActiveRouter(address account);
    /// @notice There is no such epoch.
    error UnknownEpoch(uint64 epoch);

    /// @notice Who is an active router.
    NodeRegistry public immutable REGISTRY;

    /// @notice The newest epoch; zero before the first.
    uint64 public epochCount;

    mapping(uint64 epoch => Anchor) private _anchors;

    /// @param registry Who is an active router.
    constructor(NodeRegistry registry) {
        REGISTRY = registry;
    }

    /// @notice Anchors a log as the next epoch. Only an active router may.
    /// @param root The Merkle root over all stream heads.
    /// @param manifestDigest The digest of the list of heads.
    /// @param commits How many commits the heads cover.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return epoch The anchor's number, from 1.
    function anchor(bytes32 root, bytes32 manifestDigest, uint64 commits, bytes32 effectId)
        external
        returns (uint64 epoch)
    {
        if (!REGISTRY.isActive(msg.sender, Role.Router)) revert NotActiveRouter(msg.sender);
        _markEffectOnce(effectId);
        epoch = ++epochCount;
        _anchors[epoch] = Anchor({root: root, manifestDigest: manifestDigest, by: msg.sender, commits: commits});
        emit LogAnchored(epoch, msg.sender, root, manifestDigest, commits);
    }

    /// @notice The anchor of an epoch.
    /// @param epoch Its number, from 1.
    function anchorAt(uint64 epoch) external view returns (Anchor memory) {
        if (epoch == 0 || epoch > epochCount) revert UnknownEpoch(epoch);
        return _anchors[epoch];
    }
}
