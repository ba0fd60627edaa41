// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Emission} from "../../src/libraries/Emission.sol";
import {Test} from "../base/Test.sol";
import {vm} from "../base/Vm.sol";

contract EmissionTest is Test {
    function _bounded(uint256 first, uint256 period) private pure returns (uint128, uint32) {
        return (uint128(within(first, 1, type(uint128).max)), uint32(within(period, 1, 65_536)));
    }

    function testFuzz_itNeverRisesByMoreThanRounding(uint256 first, uint256 period, uint64 epoch) external pure {
        (uint128 firstWei, uint32 p) = _bounded(first, period);
        epoch = uint64(within(epoch, 1, type(uint64).max - 1));
        uint256 here = Emission.emissionWei(firstWei, p, epoch);
        assertTrue(Emission.emissionWei(firstWei, p, epoch + 1) <= here + 1, "falling");
        assertTrue(here <= firstWei, "never more than the first");
    }

    function testFuzz_afterAPeriodItIsHalf(uint256 first, uint256 period, uint64 epoch) external pure {
        (uint128 firstWei, uint32 p) = _bounded(first, period);
        epoch = uint64(within(epoch, 1, uint256(p) * 60));
        uint256 here = Emission.emissionWei(firstWei, p, epoch);
        uint256 later = Emission.emissionWei(firstWei, p, epoch + p);
        assertTrue(2 * later <= here + 3 && here <= 2 * later + 3, "half, but for rounding");
    }

    function testFuzz_theSumOfEpochsIsTheTotal(uint256 first, uint256 period, uint64 from, uint8 count) external pure {
        (uint128 firstWei, uint32 p) = _bounded(first, period);
        from = uint64(within(from, 0, uint256(p) * 65));
        uint256 sum = Emission.totalWei(firstWei, p, from);
        for (uint64 i = 1; i <= count; ++i) {
            sum += Emission.emissionWei(firstWei, p, from + i);
        }
        assertEq(sum, Emission.totalWei(firstWei, p, from + count), "nothing is lost or gained");
        assertTrue(sum <= Emission.limitWei(firstWei, p), "never more than the limit");
    }

    function testFuzz_theLimitIsThatOfTheSeries(uint256 first, uint256 period) external pure {
        (uint128 firstWei, uint32 p) = _bounded(first, period);
        assertTrue(2 * Emission.limitWei(firstWei, p) <= uint256(firstWei) * (3 * uint256(p) + 1), "first (3p + 1) / 2");
        assertEq(Emission.emissionWei(firstWei, p, 1), firstWei, "the first epoch");
        assertEq(Emission.emissionWei(firstWei, p, uint64(p) * 64 + 1), 0, "it ends");
    }

    /// @dev The TypeScript side makes this file: `src/core/emission.test.ts`.
    function test_theVectorsAreMet() external view {
        string memory json = vm.readFile("contracts/test/vectors/emission.json");
        uint256 count = 0;
        while (vm.keyExistsJson(json, _path(count, ""))) {
            uint128 firstWei = uint128(vm.parseJsonUint(json, _path(count, ".firstWei")));
            uint32 p = uint32(vm.parseJsonUint(json, _path(count, ".halvingEpochs")));
            uint64 epoch = uint64(vm.parseJsonUint(json, _path(count, ".epoch")));
            assertEq(
                Emission.emissionWei(firstWei, p, epoch),
                vm.parseJsonUint(json, _path(count, ".emissionWei")),
                vm.toString(count)
            );
            assertEq(
                Emission.totalWei(firstWei, p, epoch),
                vm.parseJsonUint(json, _path(count, ".totalWei")),
                vm.toString(count)
            );
            ++count;
        }
        assertEq(count, 256, "vectors");
    }

    function _path(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".vectors[", vm.toString(index), "]", field);
    }
}
