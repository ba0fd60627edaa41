// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Precommit} from "../../src/libraries/Precommit.sol";
import {Test} from "../base/Test.sol";
import {vm} from "../base/Vm.sol";

/// @notice Everything a precommit binds.
struct Bound {
    uint64 sessionId;
    bytes32 taskId;
    uint256 step;
    uint8 attempt;
    address miner;
    bytes32 resultRoot;
    bytes32 salt;
}

/// @notice A contract of which an instance can stand at any address.
contract PrecommitHarness {
    function hash(Bound calldata b) external view returns (bytes32) {
        return Precommit.hash(b.sessionId, b.taskId, b.step, b.attempt, b.miner, b.resultRoot, b.salt);
    }
}

contract PrecommitTest is Test {
    PrecommitHarness private _harness;

    function setUp() external {
        _harness = new PrecommitHarness();
    }

    function testFuzz_aPrecommitIsTheHashOfNineWords(Bound calldata b) external view {
        bytes memory words = bytes.concat(
            bytes32(block.chainid),
            bytes32(uint256(uint160(address(_harness)))),
            bytes32(uint256(b.sessionId)),
            b.taskId,
            bytes32(b.step),
            bytes32(uint256(b.attempt)),
            bytes32(uint256(uint160(b.miner))),
            b.resultRoot,
            b.salt
        );
        assertEq(_harness.hash(b), keccak256(words), "nine words");
    }

    function testFuzz_everyFieldIsBound(Bound memory b, uint256 which, uint256 change) external {
        bytes32 before = _harness.hash(b);
        change = within(change, 1, 255);
        which = within(which, 0, 8);
        if (which == 0) b.sessionId ^= uint64(change);
        else if (which == 1) b.taskId ^= bytes32(change);
        else if (which == 2) b.step ^= change;
        else if (which == 3) b.attempt ^= uint8(change);
        else if (which == 4) b.miner = address(uint160(b.miner) ^ uint160(change));
        else if (which == 5) b.resultRoot ^= bytes32(change);
        else if (which == 6) b.salt ^= bytes32(change);
        else if (which == 7) vm.chainId(block.chainid ^ change);
        else _harness = new PrecommitHarness();
        assertTrue(_harness.hash(b) != before, "another precommit");
    }

    /// @dev The TypeScript side is held to the same file by `src/core/precommit.test.ts`.
    function test_theVectorsAreMet() external {
        string memory json = vm.readFile("contracts/test/vectors/precommit.json");
        uint256 count = 0;
        while (vm.keyExistsJson(json, _path(count, ""))) {
            address contract_ = vm.parseJsonAddress(json, _path(count, ".queueContract"));
            vm.chainId(vm.parseJsonUint(json, _path(count, ".chainId")));
            vm.etch(contract_, address(_harness).code);
            assertEq(
                PrecommitHarness(contract_).hash(_vector(json, count)),
                vm.parseJsonBytes32(json, _path(count, ".hash")),
                vm.toString(count)
            );
            ++count;
        }
        assertEq(count, 4, "vectors");
    }

    function _vector(string memory json, uint256 index) private pure returns (Bound memory b) {
        b.sessionId = uint64(vm.parseJsonUint(json, _path(index, ".sessionNumber")));
        b.taskId = vm.parseJsonBytes32(json, _path(index, ".task"));
        b.step = vm.parseJsonUint(json, _path(index, ".step"));
        b.attempt = uint8(vm.parseJsonUint(json, _path(index, ".attempt")));
        b.miner = vm.parseJsonAddress(json, _path(index, ".miner"));
        b.resultRoot = vm.parseJsonBytes32(json, _path(index, ".resultRoot"));
        b.salt = vm.parseJsonBytes32(json, _path(index, ".salt"));
    }

    function _path(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".vectors[", vm.toString(index), "]", field);
    }
}
