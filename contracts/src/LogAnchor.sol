// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {LogRecords} from "./libraries/LogRecords.sol";
import {Role} from "./types/Node.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

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

    /// @notice Whether an anchor says that a stream had this commit as its head. An anchor lists the heads that moved since
    /// the one before; others are in an earlier one, which {follows} leads to.
    /// @param epoch The anchor, from 1.
    /// @param stream The stream's id.
    /// @param version The version of the commit.
    /// @param commitHash The hash of the commit.
    /// @param proof The siblings from the leaf to the root, as `merkleProof` of `src/core/merkle.ts` gives them.
    function isHeadAnchored(
        uint64 epoch,
        string calldata stream,
        uint64 version,
        bytes32 commitHash,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return isAnchored(epoch, LogRecords.head(stream, version, commitHash), proof);
    }

    /// @notice Whether an anchor was made on top of another, of whichever router.
    /// @param epoch The anchor, from 1.
    /// @param previousRoot The root of the other; zero where the anchor is to be a first one.
    /// @param proof The siblings from the first leaf to the root.
    function follows(uint64 epoch, bytes32 previousRoot, bytes32[] calldata proof) external view returns (bool) {
        return isAnchored(epoch, LogRecords.previous(previousRoot), proof);
    }

    /// @notice The anchor of an epoch, with who made it.
    /// @param epoch Its number, from 1.
    function anchorAt(uint64 epoch) public view returns (Anchor memory) {
        if (epoch == 0 || epoch > epochCount) revert UnknownEpoch(epoch);
        return _anchors[epoch];
    }

    /// @notice Whether a leaf is in the tree of an anchor.
    /// @param epoch The anchor, from 1.
    /// @param leaf The leaf, hashed twice.
    /// @param proof The siblings from the leaf to the root.
    function isAnchored(uint64 epoch, bytes32 leaf, bytes32[] calldata proof) public view returns (bool) {
        return MerkleProof.verifyCalldata(proof, anchorAt(epoch).root, leaf);
    }
}
