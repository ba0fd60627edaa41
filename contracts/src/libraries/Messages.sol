// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Outcome, Signature} from "../types/Task.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title What nodes sign so that a router can carry it
/// @notice The struct hashes of EIP-712; the domain binds chain and contract. `src/adapters/chain/messages.ts` signs
/// the same.
library Messages {
    bytes32 private constant ACCEPTANCE =
        keccak256("Acceptance(bytes32 taskId,uint8 step,uint8 attempt,uint64 beaconBlock)");
    bytes32 private constant PRECOMMIT =
        keccak256("Precommit(bytes32 taskId,uint8 step,uint8 attempt,bytes32 precommit)");
    bytes32 private constant ATTESTATION = keccak256(
        "Attestation(bytes32 taskId,uint8 step,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens,bytes32 reportDigest)"
    );

    bytes32 private constant APPEAL_ATTESTATION = keccak256(
        "AppealAttestation(bytes32 taskId,uint8 step,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens,bytes32 reportDigest)"
    );

    /// @dev A miner is at work. The beacon lets an acceptance grow old: nobody can be held to one hours later.
    function acceptance(bytes32 taskId, uint8 step, uint8 attempt, uint64 beaconBlock) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE, taskId, step, attempt, beaconBlock));
    }

    /// @dev A miner is bound to a result.
    function precommit(bytes32 taskId, uint8 step, uint8 attempt, bytes32 hash) internal pure returns (bytes32) {
        return keccak256(abi.encode(PRECOMMIT, taskId, step, attempt, hash));
    }

    /// @dev A validator found this.
    function attestation(bytes32 taskId, uint8 step, Outcome calldata outcome, bytes32 reportDigest)
        internal
        pure
        returns (bytes32)
    {
        return _attestation(ATTESTATION, taskId, step, outcome, reportDigest);
    }

    /// @dev A validator found this when it was asked on appeal: no word of the first round is one.
    function appealAttestation(bytes32 taskId, uint8 step, Outcome calldata outcome, bytes32 reportDigest)
        internal
        pure
        returns (bytes32)
    {
        return _attestation(APPEAL_ATTESTATION, taskId, step, outcome, reportDigest);
    }

    function _attestation(bytes32 kind, bytes32 taskId, uint8 step, Outcome calldata outcome, bytes32 reportDigest)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                kind,
                taskId,
                step,
                outcome.winner,
                outcome.honest,
                outcome.promptTokens,
                outcome.outputTokens,
                reportDigest
            )
        );
    }

    /// @dev Reverts unless a node signed a message under a domain. Of the two signatures that fit only the one with low
    /// `s` counts.
    function requireSigned(bytes32 domain, bytes32 taskId, address node, bytes32 message, Signature calldata signature)
        internal
        pure
    {
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, message);
        (address signer,,) = ECDSA.tryRecover(digest, signature.r, signature.vs);
        if (signer == address(0) || signer != node) revert TaskQueueEvents.BadSignature(taskId, node);
    }
}
