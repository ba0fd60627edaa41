// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ActiveNodes} from "../../src/interfaces/ActiveNodes.sol";
import {IncentiveLimits} from "../../src/libraries/IncentiveLimits.sol";
import {RoundDraw} from "../../src/libraries/RoundDraw.sol";
import {Role} from "../../src/types/Node.sol";
import {Test} from "../base/Test.sol";
import {vm} from "../base/Vm.sol";

/// @notice A pool to draw from. Member i is the address i + 1.
contract DrawHarness is ActiveNodes {
    using RoundDraw for address[];

    address[] private _pool;
    uint256 private _fit;

    function fill(uint256 count, uint256 fit) external {
        delete _pool;
        _fit = fit;
        for (uint256 i = 0; i < count; ++i) {
            _pool.push(address(uint160(i + 1)));
        }
    }

    function isActive(address account, Role) external view returns (bool) {
        return _fit >> (uint160(account) - 1) & 1 != 0;
    }

    function draw(uint256 count, bytes32 seed, uint256 want, address[] memory taken)
        external
        view
        returns (address[] memory)
    {
        return _pool.draw(count, seed, want, taken, this, Role.Miner);
    }
}

contract RoundDrawTest is Test {
    DrawHarness private _harness = new DrawHarness();

    function testFuzz_whoIsDrawnIsFitAndDistinct(uint256 seed, uint8 size, uint256 fit, uint8 wanted) external {
        uint256 count = within(size, 1, 80);
        uint256 want = within(wanted, 0, 6);
        _harness.fill(count, fit);
        address[] memory taken = new address[](1);
        taken[0] = address(uint160(within(seed, 1, count)));
        address[] memory drawn = _harness.draw(count, bytes32(seed), want, taken);
        assertTrue(drawn.length <= want, "not more than wanted");
        for (uint256 i = 0; i < drawn.length; ++i) {
            uint256 place = uint256(uint160(drawn[i])) - 1;
            assertTrue(place < count && fit >> place & 1 != 0 && drawn[i] != taken[0], "fit");
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(drawn[j] != drawn[i], "distinct");
            }
        }
        if (count > IncentiveLimits.DRAW_LOOKS_MAX) return;
        uint256 able = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (fit >> i & 1 != 0 && address(uint160(i + 1)) != taken[0]) ++able;
        }
        assertEq(drawn.length, able < want ? able : want, "as many as there are");
    }

    /// @dev Who comes after a draw was asked for stands behind those it is among, and changes nothing.
    function testFuzz_whoComesLaterChangesNothing(bytes32 seed, uint8 size, uint8 more) external {
        uint256 count = within(size, 1, 40);
        _harness.fill(count, type(uint256).max);
        address[] memory before = _harness.draw(count, seed, 4, new address[](0));
        _harness.fill(count + within(more, 1, 40), type(uint256).max);
        address[] memory drawn = _harness.draw(count, seed, 4, new address[](0));
        assertEq(keccak256(abi.encode(drawn)), keccak256(abi.encode(before)), "the same");
    }

    /// @dev The TypeScript side makes this file: `src/core/round-draw.ts`.
    function test_theVectorsAreMet() external {
        string memory json = vm.readFile("contracts/test/vectors/draw.json");
        uint256 index = 0;
        while (vm.keyExistsJson(json, _path(index, ""))) {
            _meet(json, index);
            ++index;
        }
        assertEq(index, 64, "vectors");
    }

    function _meet(string memory json, uint256 index) private {
        bytes32 task = vm.parseJsonBytes32(json, _path(index, ".task"));
        address contract_ = vm.parseJsonAddress(json, _path(index, ".contract"));
        uint64 id = uint64(vm.parseJsonUint(json, _path(index, ".round")));
        assertEq(keccak256(abi.encode(uint256(31_337), contract_, id)), task, "task");
        bytes32 beacon = vm.parseJsonBytes32(json, _path(index, ".beacon"));
        Role role = Role(vm.parseJsonUint(json, _path(index, ".role")));
        bytes32 seed = vm.parseJsonBytes32(json, _path(index, ".seed"));
        assertEq(keccak256(abi.encode(beacon, task, role)), seed, "seed");
        _meetDraw(json, index, seed);
    }

    function _meetDraw(string memory json, uint256 index, bytes32 seed) private {
        uint256 count = vm.parseJsonUint(json, _path(index, ".count"));
        uint256 want = vm.parseJsonUint(json, _path(index, ".want"));
        _harness.fill(count, vm.parseJsonUint(json, _path(index, ".able")));
        address[] memory drawn = _harness.draw(count, seed, want, new address[](0));
        for (uint256 i = 0; i < drawn.length; ++i) {
            uint256 place = vm.parseJsonUint(json, _path(index, _drawn(i)));
            assertEq(uint256(uint160(drawn[i])), place + 1, "who is drawn");
        }
        assertFalse(vm.keyExistsJson(json, _path(index, _drawn(drawn.length))), "no more are drawn");
    }

    function _drawn(uint256 i) private pure returns (string memory) {
        return string.concat(".drawn[", vm.toString(i), "]");
    }

    function _path(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".vectors[", vm.toString(index), "]", field);
    }
}
