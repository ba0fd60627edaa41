// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {Role} from "../../src/types/Node.sol";
import {LevelsTest} from "../base/LevelsTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice The bound of a weight by its level: the one that routers keep to in TypeScript, to the millionth.
contract WeightsTest is LevelsTest {
    string private constant VECTORS = "contracts/test/vectors/weights.json";

    function test_boundsAreThoseOfTypeScript() external {
        string memory json = vm.readFile(VECTORS);
        for (uint256 i = 0; i < 128; ++i) {
            string memory each = string.concat(".vectors[", vm.toString(i), "]");
            uint8 level = uint8(vm.parseJsonUint(json, string.concat(each, ".level")));
            uint16[11] memory maxWeights;
            for (uint256 j = 0; j < 11; ++j) {
                string memory place = string.concat(each, ".maxWeights[", vm.toString(j), "]");
                maxWeights[j] = uint16(vm.parseJsonUint(json, place));
            }
            asOwner(abi.encodeCall(parameters.setMaxWeights, (maxWeights, effect())));
            setLevel(miners[0], level);
            uint256 weight = vm.parseJsonUint(json, string.concat(each, ".weight"));
            uint256 bounded = vm.parseJsonUint(json, string.concat(each, ".bounded"));
            if (bounded == weight) {
                _takes(weight);
            } else {
                _takes(bounded);
                _refuses(level, bounded + 1, bounded);
                _refuses(level, weight, bounded);
            }
        }
    }

    function testFuzz_nobodyWeighsMoreThanItsLevelMay(uint8 level, uint96 weight) external {
        level = uint8(within(level, 0, 10));
        setLevel(miners[0], level);
        uint256 maximum = uint256(parameters.maxWeightOf(level)) * 1000;
        if (weight <= maximum) _takes(weight);
        else _refuses(level, weight, maximum);
    }

    function _takes(uint256 weight) private view {
        assertEq(registry.requireDrawn(_only(weight), Role.Miner, 0)[0], registry.numberOf(miners[0]), "within");
    }

    function _refuses(uint8 level, uint256 weight, uint256 maximum) private {
        uint256[] memory drawn = _only(weight);
        vm.expectRevert(
            abi.encodeWithSelector(NodeRegistryEvents.WeightBeyondLevel.selector, miners[0], level, weight, maximum)
        );
        registry.requireDrawn(drawn, Role.Miner, 0);
    }

    function _only(uint256 weight) private view returns (uint256[] memory drawn) {
        drawn = new uint256[](1);
        drawn[0] = candidate(miners[0], weight);
    }
}
