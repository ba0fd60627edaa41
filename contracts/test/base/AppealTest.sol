// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealRecord, AppealState} from "../../src/types/Appeal.sol";
import {Role} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {CarriedAttestation, Outcome, Signature, TaskState} from "../../src/types/Task.sol";
import {CarriedTest} from "./CarriedTest.sol";
import {vm} from "./Vm.sol";

/// @title A network with validators to spare, and a short way to an appeal in any state
abstract contract AppealTest is CarriedTest {
    uint24 internal constant WINDOW = 100;
    uint128 internal constant BOND = 10 ether;
    uint128 internal constant CONTRADICTED = 20 ether;

    /// Validators that have no part in any task so far.
    address[] internal judges;
    uint64 internal session;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < 8; ++i) {
            judges.push(newValidator(string.concat("judge", vm.toString(i))));
        }
        for (uint256 i = 0; i < miners.length; ++i) {
            fund(miners[i], BOND);
        }
        session = openSession(appealable());
    }

    function newValidator(string memory name) internal returns (address node) {
        node = account(name);
        _keys[node] = uint256(keccak256(bytes(name)));
        join(node, Role.Validator, STAKE);
    }

    function appealable() internal pure returns (Terms memory terms) {
        terms = defaultTerms();
        terms.appealWindowS = WINDOW;
    }

    /// @dev What both validators of a task find wrongly: the first miner alone is honest.
    function lie() internal pure returns (Outcome memory) {
        return Outcome(0, 1, 100, 50);
    }

    /// @dev What is so: the second and the third are.
    function truth() internal pure returns (Outcome memory) {
        return Outcome(1, 6, 100, 40);
    }

    /// @dev A validated task that its validators lied about.
    function wronged() internal returns (bytes32 taskId) {
        taskId = taskIn(TaskState.Committed, session, 3, 2);
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
    }

    function appealAs(address account_, bytes32 taskId) internal {
        vm.prank(account_);
        appeals.appeal(taskId, effect());
    }

    function nominate(bytes32 taskId, address[] memory nodes) internal {
        beaconOf(taskId);
        appeals.nominate(taskId, nodes, effect());
    }

    /// @dev Lets the block come that decides the draw.
    function beaconOf(bytes32 taskId) internal {
        uint256 block_ = appeals.appealOf(taskId).beaconBlock;
        if (block.number <= block_) vm.roll(block_ + 1);
    }

    /// @dev An appealed task whose validators are drawn from all judges and may attest.
    function heard() internal returns (bytes32 taskId) {
        taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, judges);
        vm.warp(appeals.appealOf(taskId).drawBy + 1);
    }

    function drawnOf(bytes32 taskId) internal view returns (address[] memory) {
        return appeals.appealOf(taskId).validators;
    }

    function appealAttestation(bytes32 taskId, Outcome memory outcome, bytes32 report) internal view returns (bytes32) {
        bytes32 kind = keccak256(
            "AppealAttestation(bytes32 taskId,uint8 step,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens,bytes32 reportDigest)"
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

    /// @dev A signature under the appeals' domain on this chain.
    function signedOnAppeal(address node, bytes32 message) internal view returns (Signature memory) {
        return signedUnder(node, message, "pouw Appeals", address(appeals), block.chainid);
    }

    function signedUnder(address node, bytes32 message, string memory name, address verifier, uint256 chain)
        internal
        view
        returns (Signature memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                chain,
                verifier
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[node], keccak256(abi.encodePacked(hex"1901", domain, message)));
        return Signature(r, bytes32(uint256(v - 27) << 255 | uint256(s)));
    }

    /// @dev The word of the validators at some places of the draw.
    function words(bytes32 taskId, Outcome memory outcome, uint8 from, uint8 count)
        internal
        view
        returns (CarriedAttestation[] memory carried)
    {
        address[] memory drawn = drawnOf(taskId);
        carried = new CarriedAttestation[](count);
        bytes32 message = appealAttestation(taskId, outcome, "second report");
        for (uint8 i = 0; i < count; ++i) {
            carried[i] = CarriedAttestation(from + i, "second report", signedOnAppeal(drawn[from + i], message));
        }
    }

    function attestOnAppeal(bytes32 taskId, Outcome memory outcome, uint8 from, uint8 count) internal {
        CarriedAttestation[] memory carried = words(taskId, outcome, from, count);
        vm.prank(STRANGER);
        appeals.attestMany(taskId, outcome, carried, effect());
    }

    function assertAppeal(bytes32 taskId, AppealState expected) internal view {
        assertEq(uint256(appeals.appealOf(taskId).state), uint256(expected), "appeal state");
    }

    function recordOf(bytes32 taskId) internal view returns (AppealRecord memory) {
        return appeals.appealOf(taskId);
    }
}
