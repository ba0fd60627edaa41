// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defaults} from "../../script/Defaults.sol";
import {EconomyRules} from "../../src/libraries/EconomyRules.sol";
import {Economy} from "../../src/types/Economy.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Every parameter is tried at both of its bounds and one past each.
contract ParameterBoundsTest is NetworkTest {
    uint256 private constant COR = 1 ether;

    function test_shares() external {
        _bounds("minersBps", _setMinersBps, 5000, 8300);
        _bounds("validatorsBps", _setValidatorsBps, 0, 1100);
        _bounds("routerBps", _setRouterBps, 0, 1000);
        _bounds("oracleBps", _setOracleBps, 0, 500);
        _bounds("quorumBps", _setQuorumBps, 5000, 9000);
        _bounds("challengerBps", _setChallengerBps, 0, 9000);
    }

    function test_slashes() external {
        _bounds("outlierWei", _setOutlierWei, 0, 1000 * COR);
        _bounds("unrevealedWei", _setUnrevealedWei, 0, 1000 * COR);
        _bounds("contradictedWei", _setContradictedWei, 0, 1000 * COR);
        _bounds("coolDownS", _setCoolDownS, 0, 7 days);
    }

    function test_stakes() external {
        _bounds("clientWei", _setClientWei, 0, 100_000 * COR);
        _bounds("routerWei", _setRouterWei, COR, 100_000 * COR);
        _bounds("minerWei", _setMinerWei, COR, 100_000 * COR);
        _bounds("validatorWei", _setValidatorWei, COR, 100_000 * COR);
        _bounds("oracleWei", _setOracleWei, COR, 100_000 * COR);
        _bounds("unbondingS", _setUnbondingS, 4 days, 60 days);
        _bounds("closedRoles", _setClosedRoles, 0, 31);
    }

    function test_batchingAndAppeals() external {
        _bounds("posterBondWei", _setPosterBondWei, 0, 1_000_000 * COR);
        _bounds("challengeWindowS", _setChallengeWindowS, 10, 3 days);
        _bounds("answerWindowS", _setAnswerWindowS, 5, 1 days);
        _bounds("bondWei", _setBondWei, COR / 100, 10_000 * COR);
        _bounds("windowMaxS", _setWindowMaxS, 0, 1 days);
        _bounds("graceS", _setGraceS, 0, 1 hours);
    }

    function test_demand() external {
        _bounds("bandLowBps", _setBandLowBps, 1000, 5000);
        _bounds("bandHighBps", _setBandHighBps, 5000, 9000);
        _bounds("stepBps", _setStepBps, 1, 1000);
        _bounds("floorBps", _setFloorBps, 1000, 10_000);
        _bounds("ceilingBps", _setCeilingBps, 10_000, 1_000_000);
        _bounds("periodS", _setPeriodS, 1, 1 days);
    }

    function test_maxWeights() external {
        Economy memory economy = Defaults.economy(TREASURY);
        economy.maxWeights[0] = 100;
        economy.maxWeights[1] = 100;
        economy.maxWeights[10] = 65_535;
        asOwner(abi.encodeCall(parameters.setMaxWeights, (economy.maxWeights, effect())));
        economy.maxWeights[0] = 99;
        _refusesWeights(economy, 99, 100);
        economy.maxWeights[0] = 101;
        _refusesWeights(economy, 100, 101);
    }

    function _refusesWeights(Economy memory economy, uint256 value, uint256 least) private {
        vm.expectRevert(_outOfBounds("maxWeights", value, least, 65_535));
        vm.prank(address(timelock));
        parameters.setMaxWeights(economy.maxWeights, effect());
    }

    function test_theSharesTogetherAreAtMostThePrice() external {
        Economy memory economy = Defaults.economy(TREASURY);
        (economy.shares.minersBps, economy.shares.validatorsBps) = (9100, 0);
        asOwner(abi.encodeCall(parameters.setShares, (economy.shares, effect())));
        economy.shares.validatorsBps = 1;
        vm.expectRevert(_outOfBounds("sum of shares", 10_001, 0, 10_000));
        vm.prank(address(timelock));
        parameters.setShares(economy.shares, effect());
    }

    function test_eachShareHasABoundOfItsOwn() external {
        Economy memory economy = Defaults.economy(TREASURY);
        (economy.shares.validatorsBps, economy.shares.routerBps, economy.shares.oracleBps) = (0, 0, 0);
        economy.shares.minersBps = 9500;
        asOwner(abi.encodeCall(parameters.setShares, (economy.shares, effect())));
        economy.shares.minersBps = 9501;
        _refusesShares(economy, _outOfBounds("minersBps", 9501, 5000, 9500));
        (economy.shares.minersBps, economy.shares.validatorsBps) = (5000, 2000);
        (economy.shares.routerBps, economy.shares.oracleBps) = (2000, 1000);
        asOwner(abi.encodeCall(parameters.setShares, (economy.shares, effect())));
        economy.shares.oracleBps = 1001;
        _refusesShares(economy, _outOfBounds("oracleBps", 1001, 0, 1000));
        economy.shares.routerBps = 2001;
        _refusesShares(economy, _outOfBounds("routerBps", 2001, 0, 2000));
        economy.shares.validatorsBps = 2001;
        _refusesShares(economy, _outOfBounds("validatorsBps", 2001, 0, 2000));
        economy.shares.treasury = address(0);
        _refusesShares(economy, abi.encodeWithSelector(EconomyRules.ZeroTreasury.selector));
    }

    function _refusesShares(Economy memory economy, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(address(timelock));
        parameters.setShares(economy.shares, effect());
    }

    // ---------------------------------------------------------------- trying a bound

    /// @dev One value on its own, all others as a deployment starts. A share's upper bound here is that of the sum.
    function _bounds(
        string memory name,
        function(Economy memory, uint256) internal pure set,
        uint256 minimum,
        uint256 maximum
    ) private {
        _accepts(set, minimum);
        _accepts(set, maximum);
        if (minimum != 0) _refuses(name, set, minimum - 1);
        _refuses(name, set, maximum + 1);
    }

    function _accepts(function(Economy memory, uint256) internal pure set, uint256 value) private {
        (bool done,) = _deploy(set, value);
        assertTrue(done, "at the bound");
    }

    function _refuses(string memory name, function(Economy memory, uint256) internal pure set, uint256 value) private {
        (bool done, bytes memory answer) = _deploy(set, value);
        assertFalse(done, name);
        assertEq(bytes32(bytes4(answer)), bytes32(EconomyRules.ParameterOutOfBounds.selector), name);
        bytes memory words = new bytes(answer.length - 4);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = answer[i + 4];
        }
        (string memory said, uint256 refused, uint256 minimum, uint256 maximum) =
            abi.decode(words, (string, uint256, uint256, uint256));
        assertTrue(refused < minimum || refused > maximum, "the value and the bound that it is past");
        bool bySum = keccak256(bytes(said)) == keccak256("sum of shares");
        if (bySum) assertEq(refused, 10_001, name);
        else assertEq(keccak256(bytes(said)), keccak256(bytes(name)), name);
        if (!bySum) assertEq(refused, value, name);
    }

    /// @dev Sets all numbers, as the owner, until one is refused.
    function _deploy(function(Economy memory, uint256) internal pure set, uint256 value)
        private
        returns (bool, bytes memory)
    {
        Economy memory economy = Defaults.economy(TREASURY);
        set(economy, value);
        bytes[6] memory calls = [
            abi.encodeCall(parameters.setShares, (economy.shares, 0)),
            abi.encodeCall(parameters.setSlashes, (economy.slashes, 0)),
            abi.encodeCall(parameters.setStakes, (economy.stakes, 0)),
            abi.encodeCall(parameters.setBatching, (economy.batching, 0)),
            abi.encodeCall(parameters.setAppeals, (economy.appeals, 0)),
            abi.encodeCall(parameters.setDemand, (economy.demand, 0))
        ];
        for (uint256 i = 0; i < 6; ++i) {
            vm.prank(address(timelock));
            (bool done, bytes memory answer) = address(parameters).call(calls[i]);
            if (!done) return (false, answer);
        }
        return (true, "");
    }

    function _outOfBounds(string memory name, uint256 value, uint256 minimum, uint256 maximum)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(EconomyRules.ParameterOutOfBounds.selector, name, value, minimum, maximum);
    }

    function _setMinersBps(Economy memory economy, uint256 value) private pure {
        economy.shares.minersBps = uint16(value);
    }

    function _setValidatorsBps(Economy memory economy, uint256 value) private pure {
        economy.shares.validatorsBps = uint16(value);
    }

    function _setRouterBps(Economy memory economy, uint256 value) private pure {
        economy.shares.routerBps = uint16(value);
    }

    function _setOracleBps(Economy memory economy, uint256 value) private pure {
        economy.shares.oracleBps = uint16(value);
    }

    function _setQuorumBps(Economy memory economy, uint256 value) private pure {
        economy.shares.quorumBps = uint16(value);
    }

    function _setChallengerBps(Economy memory economy, uint256 value) private pure {
        economy.shares.challengerBps = uint16(value);
    }

    function _setOutlierWei(Economy memory economy, uint256 value) private pure {
        economy.slashes.outlierWei = uint72(value);
    }

    function _setUnrevealedWei(Economy memory economy, uint256 value) private pure {
        economy.slashes.unrevealedWei = uint72(value);
    }

    function _setContradictedWei(Economy memory economy, uint256 value) private pure {
        economy.slashes.contradictedWei = uint72(value);
    }

    function _setCoolDownS(Economy memory economy, uint256 value) private pure {
        economy.slashes.coolDownS = uint32(value);
    }

    function _setClientWei(Economy memory economy, uint256 value) private pure {
        economy.stakes.clientWei = uint80(value);
    }

    function _setRouterWei(Economy memory economy, uint256 value) private pure {
        economy.stakes.routerWei = uint80(value);
    }

    function _setMinerWei(Economy memory economy, uint256 value) private pure {
        economy.stakes.minerWei = uint80(value);
    }

    function _setValidatorWei(Economy memory economy, uint256 value) private pure {
        economy.stakes.validatorWei = uint80(value);
    }

    function _setOracleWei(Economy memory economy, uint256 value) private pure {
        economy.stakes.oracleWei = uint80(value);
    }

    function _setUnbondingS(Economy memory economy, uint256 value) private pure {
        economy.stakes.unbondingS = uint32(value);
    }

    function _setClosedRoles(Economy memory economy, uint256 value) private pure {
        economy.stakes.closedRoles = uint8(value);
    }

    function _setPosterBondWei(Economy memory economy, uint256 value) private pure {
        economy.batching.posterBondWei = uint96(value);
    }

    function _setChallengeWindowS(Economy memory economy, uint256 value) private pure {
        economy.batching.challengeWindowS = uint32(value);
    }

    function _setAnswerWindowS(Economy memory economy, uint256 value) private pure {
        economy.batching.answerWindowS = uint32(value);
    }

    function _setBondWei(Economy memory economy, uint256 value) private pure {
        economy.appeals.bondWei = uint96(value);
    }

    function _setWindowMaxS(Economy memory economy, uint256 value) private pure {
        economy.appeals.windowMaxS = uint32(value);
    }

    function _setGraceS(Economy memory economy, uint256 value) private pure {
        economy.appeals.graceS = uint32(value);
    }

    function _setBandLowBps(Economy memory economy, uint256 value) private pure {
        economy.demand.bandLowBps = uint16(value);
    }

    function _setBandHighBps(Economy memory economy, uint256 value) private pure {
        economy.demand.bandHighBps = uint16(value);
    }

    function _setStepBps(Economy memory economy, uint256 value) private pure {
        economy.demand.stepBps = uint16(value);
    }

    function _setFloorBps(Economy memory economy, uint256 value) private pure {
        economy.demand.floorBps = uint32(value);
    }

    function _setCeilingBps(Economy memory economy, uint256 value) private pure {
        economy.demand.ceilingBps = uint32(value);
    }

    function _setPeriodS(Economy memory economy, uint256 value) private pure {
        economy.demand.periodS = uint32(value);
    }
}
