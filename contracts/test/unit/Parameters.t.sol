// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defaults} from "../../script/Defaults.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {Parameters} from "../../src/Parameters.sol";
import {EconomyRules} from "../../src/libraries/EconomyRules.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Appeals, Batching, Demand, Economy, Shares, Slashes, Stakes} from "../../src/types/Economy.sol";
import {Role} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @notice What a parameter may be at its bound and one past it is in `ParameterBounds.t.sol`.
contract ParametersTest is NetworkTest {
    function test_aDeploymentStartsWithTheDefaults() external view {
        _assertEconomy(Defaults.economy(TREASURY));
        assertEq(parameters.owner(), address(timelock), "owner");
        assertEq(parameters.guardian(), GUARDIAN, "guardian");
        assertEq(parameters.registrar(), REGISTRAR, "registrar");
        assertFalse(parameters.entriesPaused(), "open");
        parameters.requireEntriesOpen();
    }

    /// @dev The TypeScript side is held to the same file by `src/adapters/chain/contract-constants.test.ts`.
    function test_bothLanguagesDeployWithTheSameNumbers() external view {
        string memory json = vm.readFile("contracts/test/vectors/economy.json");
        address treasury = vm.parseJsonAddress(json, ".treasury");
        bytes32 hash = keccak256(abi.encode(Defaults.economy(treasury)));
        assertEq(hash, vm.parseJsonBytes32(json, ".hash"), "economy");
    }

    function test_theOwnerSetsEverything() external {
        Economy memory other = Defaults.economy(STRANGER);
        (other.shares.minersBps, other.slashes.outlierWei, other.stakes.clientWei) = (7000, 1, 2);
        (other.batching.answerWindowS, other.appeals.graceS, other.demand.stepBps) = (60, 61, 62);
        other.maxWeights[10] = 65_535;
        vm.prank(address(timelock));
        vm.expectEmit(address(parameters));
        emit EffectLog.EffectApplied(address(timelock), "shares");
        vm.expectEmit(address(parameters));
        emit Parameters.SharesSet(other.shares);
        parameters.setShares(other.shares, "shares");
        vm.expectEmit(address(parameters));
        emit Parameters.SlashesSet(other.slashes);
        asOwner(abi.encodeCall(parameters.setSlashes, (other.slashes, effect())));
        vm.expectEmit(address(parameters));
        emit Parameters.StakesSet(other.stakes);
        asOwner(abi.encodeCall(parameters.setStakes, (other.stakes, effect())));
        vm.expectEmit(address(parameters));
        emit Parameters.BatchingSet(other.batching);
        asOwner(abi.encodeCall(parameters.setBatching, (other.batching, effect())));
        vm.expectEmit(address(parameters));
        emit Parameters.AppealsSet(other.appeals);
        asOwner(abi.encodeCall(parameters.setAppeals, (other.appeals, effect())));
        vm.expectEmit(address(parameters));
        emit Parameters.DemandSet(other.demand);
        asOwner(abi.encodeCall(parameters.setDemand, (other.demand, effect())));
        vm.expectEmit(address(parameters));
        emit Parameters.MaxWeightsSet(other.maxWeights);
        asOwner(abi.encodeCall(parameters.setMaxWeights, (other.maxWeights, effect())));
        _assertEconomy(other);
        vm.expectEmit(address(parameters));
        emit Parameters.GuardianSet(STRANGER);
        asOwner(abi.encodeCall(parameters.setGuardian, (STRANGER, effect())));
        assertEq(parameters.guardian(), STRANGER, "guardian");
        vm.expectEmit(address(parameters));
        emit Parameters.RegistrarSet(STRANGER);
        asOwner(abi.encodeCall(parameters.setRegistrar, (STRANGER, effect())));
        assertEq(parameters.registrar(), STRANGER, "registrar");
    }

    function test_nobodyElseSetsAnything() external {
        Economy memory economy = Defaults.economy(STRANGER);
        _assertOwnerOnly(abi.encodeCall(parameters.setShares, (economy.shares, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setSlashes, (economy.slashes, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setStakes, (economy.stakes, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setBatching, (economy.batching, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setAppeals, (economy.appeals, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setDemand, (economy.demand, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setMaxWeights, (economy.maxWeights, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setGuardian, (STRANGER, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.setRegistrar, (STRANGER, 0)));
        _assertOwnerOnly(abi.encodeCall(parameters.openEntries, (0)));
        _assertOwnerOnly(abi.encodeCall(parameters.transferOwnership, (STRANGER)));
        _assertOwnerOnly(abi.encodeCall(parameters.renounceOwnership, ()));
    }

    /// @dev Neither a stranger nor those with a power of their own.
    function _assertOwnerOnly(bytes memory call) private {
        address[4] memory others = [STRANGER, GUARDIAN, REGISTRAR, PROPOSER];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(others[i]);
            (bool done, bytes memory answer) = address(parameters).call(call);
            assertFalse(done, "refused");
            bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]);
            assertEq(keccak256(answer), keccak256(refusal), "with the right error");
        }
    }

    // ---------------------------------------------------------------- ownership

    function test_ownershipChangesInTwoSteps() external {
        asOwner(abi.encodeCall(parameters.transferOwnership, (STRANGER)));
        assertEq(parameters.owner(), address(timelock), "not yet");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, CLIENT));
        vm.prank(CLIENT);
        parameters.acceptOwnership();
        vm.prank(STRANGER);
        parameters.acceptOwnership();
        assertEq(parameters.owner(), STRANGER, "the new owner");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(timelock)));
        vm.prank(address(timelock));
        parameters.setGuardian(CLIENT, effect());
    }

    function test_ownershipIsNeverGivenUp() external {
        vm.expectRevert(Parameters.OwnershipIsKept.selector);
        vm.prank(address(timelock));
        parameters.renounceOwnership();
    }

    // ---------------------------------------------------------------- pause

    function test_theGuardianPausesAndTheOwnerOpens() external {
        vm.expectEmit(address(parameters));
        emit EffectLog.EffectApplied(GUARDIAN, "stop");
        vm.expectEmit(address(parameters));
        emit Parameters.EntriesPaused(GUARDIAN);
        vm.prank(GUARDIAN);
        parameters.pauseEntries("stop");
        assertTrue(parameters.entriesPaused(), "paused");
        vm.expectRevert(Parameters.EntriesArePaused.selector);
        parameters.requireEntriesOpen();

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        parameters.openEntries(effect());

        vm.expectEmit(address(parameters));
        emit Parameters.EntriesOpened();
        asOwner(abi.encodeCall(parameters.openEntries, (effect())));
        parameters.requireEntriesOpen();
    }

    function test_pausingWhatIsPausedChangesNothing() external {
        asOwner(abi.encodeCall(parameters.pauseEntries, (effect())));
        pauseEntries();
        assertTrue(parameters.entriesPaused(), "paused");
        asOwner(abi.encodeCall(parameters.openEntries, (effect())));
        asOwner(abi.encodeCall(parameters.openEntries, (effect())));
        assertFalse(parameters.entriesPaused(), "open");
    }

    function test_nobodyElsePauses() external {
        address[3] memory others = [STRANGER, REGISTRAR, PROPOSER];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Parameters.NotGuardian.selector, others[i]));
            vm.prank(others[i]);
            parameters.pauseEntries(effect());
        }
    }

    function test_withoutAGuardianTheOwnerPauses() external {
        asOwner(abi.encodeCall(parameters.setGuardian, (address(0), effect())));
        vm.expectRevert(abi.encodeWithSelector(Parameters.NotGuardian.selector, GUARDIAN));
        pauseEntries();
        asOwner(abi.encodeCall(parameters.pauseEntries, (effect())));
        assertTrue(parameters.entriesPaused(), "paused");
    }

    // ---------------------------------------------------------------- views

    function test_severalRolesNeedTheSumOfTheirMinima() external {
        Stakes memory stakes = Defaults.economy(TREASURY).stakes;
        (stakes.clientWei, stakes.closedRoles) = (3 ether, Roles.ORACLE);
        asOwner(abi.encodeCall(parameters.setStakes, (stakes, effect())));
        uint128[5] memory minima = [uint128(3 ether), 500 ether, 100 ether, 200 ether, 200 ether];
        for (uint256 set = 0; set < 32; ++set) {
            uint256 sum = 0;
            for (uint256 role = 0; role < 5; ++role) {
                if (set & (1 << role) != 0) sum += minima[role];
            }
            (uint128 minimumWei, uint8 closedRoles) = parameters.rulesFor(uint8(set));
            assertEq(minimumWei, sum, "minimum");
            assertEq(closedRoles, Roles.ORACLE, "closed");
        }
        for (uint256 role = 0; role < 5; ++role) {
            assertEq(parameters.minimumStakeWei(Role(role + 1)), minima[role], "of one role");
        }
        assertEq(parameters.minimumStakeWei(Role.None), 0, "of none");
    }

    function test_eachLevelHasItsHighestWeight() external {
        for (uint8 level = 0; level < 11; ++level) {
            assertEq(parameters.maxWeightOf(level), 2000 + 200 * uint256(level), "weight");
        }
        vm.expectRevert(abi.encodeWithSelector(Parameters.UnknownLevel.selector, 11));
        parameters.maxWeightOf(11);
    }

    function test_parametersNeedAnOwner() external {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new Parameters(address(0), GUARDIAN, REGISTRAR, Defaults.economy(TREASURY));
    }

    function test_aDeploymentDoesNotStartOutOfBounds() external {
        vm.expectRevert(EconomyRules.ZeroTreasury.selector);
        new Parameters(STRANGER, GUARDIAN, REGISTRAR, Defaults.economy(address(0)));
    }

    function _assertEconomy(Economy memory expected) private view {
        Shares memory shares = parameters.shares();
        Slashes memory slashes = parameters.slashes();
        Stakes memory stakes = parameters.stakes();
        Batching memory batching = parameters.batching();
        Appeals memory appeals = parameters.appeals();
        Demand memory demand = parameters.demand();
        Economy memory actual = Economy(shares, slashes, stakes, batching, appeals, demand, parameters.maxWeights());
        assertEq(keccak256(abi.encode(actual)), keccak256(abi.encode(expected)), "economy");
        assertEq(parameters.treasury(), expected.shares.treasury, "treasury");
        assertEq(parameters.unbondingS(), expected.stakes.unbondingS, "unbonding");
    }
}
