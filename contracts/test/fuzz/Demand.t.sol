// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DemandMath} from "../../src/libraries/DemandMath.sol";
import {PriceSplit} from "../../src/libraries/PriceSplit.sol";
import {Demand} from "../../src/types/Economy.sol";
import {TokenPrices} from "../../src/types/Session.sol";
import {Test} from "../base/Test.sol";
import {vm} from "../base/Vm.sol";

contract DemandFuzzTest is Test {
    uint256 private constant ONE = 1e18;

    function testFuzz_aPeriodMovesByItsStepAtMost(uint256 use, Demand memory demand) external pure {
        _bound(demand);
        use = within(use, 0, 10_000);
        uint256 factor = DemandMath.factor(use, demand);
        uint256 step = (uint256(demand.stepBps) * ONE) / 10_000;
        assertTrue(factor >= ONE - step && factor <= ONE + step, "place most a step");
        if (use >= demand.bandLowBps && use <= demand.bandHighBps) assertEq(factor, ONE, "the dead zone");
        if (use < demand.bandLowBps) assertTrue(factor <= ONE, "falls");
        if (use > demand.bandHighBps) assertTrue(factor >= ONE, "rises");
    }

    function testFuzz_aMultiplierStaysInItsBounds(
        uint64 multiplier,
        uint256 use,
        uint256 idleUse,
        uint256 idle,
        Demand memory demand
    ) external pure {
        _bound(demand);
        (use, idleUse) = (within(use, 0, 10_000), within(idleUse, 0, 10_000));
        uint256 moved = DemandMath.move(uint64(within(multiplier, 1, 1e14)), use, idleUse, idle, demand);
        assertTrue(moved >= (1e12 * uint256(demand.floorBps)) / 10_000, "not below the floor");
        assertTrue(moved <= (1e12 * uint256(demand.ceilingBps)) / 10_000, "not above the ceiling");
    }

    function testFuzz_aPowerIsTheProductOfSoMany(uint256 base, uint256 exponent) external pure {
        (base, exponent) = (within(base, 9e17, 11e17), within(exponent, 0, 40));
        uint256 product = ONE;
        for (uint256 i = 0; i < exponent; ++i) {
            product = (product * base) / ONE;
        }
        uint256 power = DemandMath.power(base, exponent);
        uint256 apart = power > product ? power - product : product - power;
        assertTrue(apart <= 10_000, "but for the rounding");
    }

    function test_theVectorsAreMet() external view {
        string memory file = vm.readFile("contracts/test/vectors/demand.json");
        for (uint256 i = 0; i < 64; ++i) {
            string memory place = string.concat(".moves[", vm.toString(i), "].");
            Demand memory demand = Demand({
                bandLowBps: uint16(_number(file, place, "bandLowBps")),
                bandHighBps: uint16(_number(file, place, "bandHighBps")),
                stepBps: uint16(_number(file, place, "stepBps")),
                floorBps: uint32(_number(file, place, "floorBps")),
                ceilingBps: uint32(_number(file, place, "ceilingBps")),
                periodS: 1
            });
            uint64 moved = DemandMath.move(
                uint64(_number(file, place, "multiplier")),
                _number(file, place, "use"),
                _number(file, place, "idleUse"),
                _number(file, place, "idle"),
                demand
            );
            assertEq(moved, _number(file, place, "moved"), "as in TypeScript");
        }
        for (uint256 i = 0; i < 32; ++i) {
            string memory place = string.concat(".prices[", vm.toString(i), "].");
            TokenPrices memory prices = TokenPrices({
                promptTokenWei: uint128(_number(file, place, "promptTokenWei")),
                outputTokenWei: uint128(_number(file, place, "outputTokenWei"))
            });
            uint128 price = PriceSplit.price(
                uint32(_number(file, place, "prompt")),
                uint32(_number(file, place, "output")),
                prices,
                uint32(_number(file, place, "demandPpm")),
                uint128(_number(file, place, "escrowWei"))
            );
            assertEq(price, _number(file, place, "priceWei"), "as in TypeScript");
        }
    }

    function _number(string memory file, string memory place, string memory name) private pure returns (uint256) {
        return vm.parseJsonUint(file, string.concat(place, name));
    }

    function _bound(Demand memory demand) private pure {
        demand.bandLowBps = uint16(within(demand.bandLowBps, 1000, 5000));
        demand.bandHighBps = uint16(within(demand.bandHighBps, 5000, 9000));
        demand.stepBps = uint16(within(demand.stepBps, 1, 1000));
        demand.floorBps = uint32(within(demand.floorBps, 1000, 10_000));
        demand.ceilingBps = uint32(within(demand.ceilingBps, 10_000, 1_000_000));
    }
}
