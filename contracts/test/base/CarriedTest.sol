// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CarriedAttestation, CarriedPrecommit, CarriedReveal, Outcome, Signature} from "../../src/types/Task.sol";
import {StepTest} from "./StepTest.sol";
import {vm} from "./Vm.sol";

/// @title A network whose nodes sign what a router carries
abstract contract CarriedTest is StepTest {
    // ---------------------------------------------------------------- what nodes sign

    /// @dev A node's signature of a message under the queue's domain on this chain, as ERC-2098 has it.
    function signedBy(address node, bytes32 message) internal view returns (Signature memory) {
        return signedFor(node, message, address(queue));
    }

    function signedFor(address node, bytes32 message, address verifier) internal view returns (Signature memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("pouw TaskQueue"),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[node], keccak256(abi.encodePacked(hex"1901", domain, message)));
        return Signature(r, bytes32(uint256(v - 27) << 255 | uint256(s)));
    }

    function acceptance(bytes32 taskId, uint8 attempt, uint64 beaconBlock) internal view returns (bytes32) {
        bytes32 kind = keccak256("Acceptance(bytes32 taskId,uint8 step,uint8 attempt,uint64 beaconBlock)");
        return keccak256(abi.encode(kind, taskId, _stepOf[taskId], attempt, beaconBlock));
    }

    function precommitment(bytes32 taskId, uint8 attempt, bytes32 hash) internal view returns (bytes32) {
        bytes32 kind = keccak256("Precommit(bytes32 taskId,uint8 step,uint8 attempt,bytes32 precommit)");
        return keccak256(abi.encode(kind, taskId, _stepOf[taskId], attempt, hash));
    }

    function attestation(bytes32 taskId, Outcome memory outcome, bytes32 report) internal view returns (bytes32) {
        bytes32 kind = keccak256(
            "Attestation(bytes32 taskId,uint8 step,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens,bytes32 reportDigest)"
        );
        return keccak256(
            abi.encode(
                kind,
                taskId,
                _stepOf[taskId],
                outcome.winner,
                outcome.honest,
                outcome.promptTokens,
                outcome.outputTokens,
                report
            )
        );
    }

    // ---------------------------------------------------------------- what a router carries

    function carriedPrecommit(bytes32 taskId, uint8 slot, address miner, uint8 attempt)
        internal
        view
        returns (CarriedPrecommit memory)
    {
        bytes32 hash = hashOf(taskId, miner, attempt);
        return CarriedPrecommit(slot, hash, signedBy(miner, precommitment(taskId, attempt, hash)));
    }

    function carriedPrecommits(bytes32 taskId, address[] memory by)
        internal
        view
        returns (CarriedPrecommit[] memory carried)
    {
        carried = new CarriedPrecommit[](by.length);
        for (uint8 i = 0; i < by.length; ++i) {
            carried[i] = carriedPrecommit(taskId, i, by[i], 0);
        }
    }

    function carriedReveals(address[] memory by) internal pure returns (CarriedReveal[] memory carried) {
        carried = new CarriedReveal[](by.length);
        for (uint8 i = 0; i < by.length; ++i) {
            carried[i] = CarriedReveal(i, rootOf(by[i]), saltOf(by[i]), "result");
        }
    }

    function carriedAttestations(bytes32 taskId, Outcome memory outcome, address[] memory by)
        internal
        view
        returns (CarriedAttestation[] memory carried)
    {
        carried = new CarriedAttestation[](by.length);
        for (uint8 i = 0; i < by.length; ++i) {
            carried[i] = CarriedAttestation(i, "report", signedBy(by[i], attestation(taskId, outcome, "report")));
        }
    }
}
