// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Modules} from "../../src/Modules.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Module} from "../../src/types/Module.sol";
import {Payment} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Least privilege: modules are bound once, each with the powers that it needs.
contract ModulesTest is NetworkTest {
    NodeRegistry private _fresh;

    function setUp() public override {
        super.setUp();
        _fresh = new NodeRegistry(cor, parameters);
    }

    function test_aDeploymentBindsTheQueueToWhatItNeeds() external view {
        assertEq(registry.powersOf(address(queue)), Powers.SLASH | Powers.COOL_DOWN, "registry");
        assertEq(sessions.powersOf(address(queue)), Powers.ESCROW, "sessions");
        assertTrue(registry.modulesBound(), "registry bound");
        assertTrue(sessions.modulesBound(), "sessions bound");
        assertEq(registry.powersOf(address(this)), 0, "the deployer has none");
    }

    function test_modulesAreBoundOnceAndForGood() external {
        vm.expectRevert(Modules.ModulesAlreadyBound.selector);
        registry.bindModules(_list(STRANGER, 1));
        vm.expectRevert(Modules.ModulesAlreadyBound.selector);
        sessions.bindModules(_list(STRANGER, 1));
    }

    function test_onlyTheDeployerBinds() external {
        address[4] memory others = [STRANGER, GUARDIAN, address(timelock), address(queue)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Modules.NotDeployer.selector, others[i]));
            vm.prank(others[i]);
            _fresh.bindModules(_list(others[i], 255));
        }
        assertFalse(_fresh.modulesBound(), "not bound");
        vm.expectEmit(address(_fresh));
        emit Modules.ModuleBound(STRANGER, 5);
        _fresh.bindModules(_list(STRANGER, 5));
        assertEq(_fresh.powersOf(STRANGER), 5, "bound");
        assertTrue(_fresh.modulesBound(), "for good");
    }

    function test_aModuleIsSomebodyWithSomePower() external {
        vm.expectRevert(abi.encodeWithSelector(Modules.InvalidModule.selector, address(0), 1));
        _fresh.bindModules(_list(address(0), 1));
        vm.expectRevert(abi.encodeWithSelector(Modules.InvalidModule.selector, STRANGER, 0));
        _fresh.bindModules(_list(STRANGER, 0));
    }

    function test_aModuleIsNamedOnce() external {
        Module[] memory modules = new Module[](2);
        (modules[0], modules[1]) = (Module(STRANGER, 1), Module(STRANGER, 2));
        vm.expectRevert(abi.encodeWithSelector(Modules.ModuleRepeated.selector, STRANGER));
        _fresh.bindModules(modules);
    }

    function test_modulesAreBounded() external {
        vm.expectRevert(abi.encodeWithSelector(Modules.ModuleCountOutOfBounds.selector, 0, 16));
        _fresh.bindModules(new Module[](0));
        vm.expectRevert(abi.encodeWithSelector(Modules.ModuleCountOutOfBounds.selector, 17, 16));
        _fresh.bindModules(new Module[](17));
        Module[] memory modules = new Module[](16);
        for (uint256 i = 0; i < 16; ++i) {
            modules[i] = Module(address(uint160(i + 1)), 1);
        }
        _fresh.bindModules(modules);
    }

    function test_nobodyElseEscrowsOrReleases() external {
        uint64 id = openSession();
        address[3] memory others = [CLIENT, routers[0], GUARDIAN];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory refusal = abi.encodeWithSelector(Modules.MissingPower.selector, others[i], Powers.ESCROW);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            sessions.escrow(id, CLIENT, 1);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            sessions.release(id, 0, 0, new Payment[](0));
        }
    }

    function _list(address account, uint8 powers) private pure returns (Module[] memory modules) {
        modules = new Module[](1);
        modules[0] = Module(account, powers);
    }
}
