// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Stakes} from "../../src/types/Economy.sol";
import {Access, NodeState, Role} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Closed roles and who is authorised for them; and whom routers serve.
contract NodeAuthorisationTest is NetworkTest {
    // ---------------------------------------------------------------- closed roles

    function test_anOpenRoleNeedsNobody() external view {
        assertTrue(registry.isAuthorised(STRANGER, Role.Miner), "open to all");
        assertEq(registry.authorisedRolesOf(STRANGER), 0, "and nobody was asked");
    }

    function test_aClosedRoleNeedsTheRegistrar() external {
        _close(Roles.MINER);
        assertFalse(registry.isAuthorised(STRANGER, Role.Miner), "closed");
        assertTrue(registry.isAuthorised(STRANGER, Role.Oracle), "others are open");
        fund(STRANGER, 300 ether);
        bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.NotAuthorised.selector, STRANGER, Roles.MINER);
        vm.expectRevert(refusal);
        _register(STRANGER, Roles.MINER | Roles.ORACLE, 300 ether);

        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.AuthorisationSet(STRANGER, Roles.MINER);
        _authorise(STRANGER, Roles.MINER);
        assertTrue(registry.isAuthorised(STRANGER, Role.Miner), "authorised");
        _register(STRANGER, Roles.MINER | Roles.ORACLE, 300 ether);
    }

    function test_authorisationsAddUp() external {
        _authorise(STRANGER, Roles.MINER);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.AuthorisationSet(STRANGER, Roles.MINER | Roles.CLIENT);
        _authorise(STRANGER, Roles.CLIENT);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.AuthorisationSet(STRANGER, Roles.CLIENT);
        _revoke(STRANGER, Roles.MINER | Roles.ROUTER);
        assertEq(registry.authorisedRolesOf(STRANGER), Roles.CLIENT, "what is left");
    }

    function test_whoIsRevokedStopsAndKeepsItsStake() external {
        _close(Roles.MINER);
        _authorise(miners[0], Roles.MINER | Roles.CLIENT);
        _revoke(miners[0], Roles.CLIENT);
        assertTrue(registry.isActive(miners[0], Role.Miner), "what it does not need does not matter");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], false);
        _revoke(miners[0], Roles.MINER);
        assertFalse(registry.isActive(miners[0], Role.Miner), "stopped");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NotAuthorised.selector, miners[0], Roles.MINER));
        vm.prank(miners[0]);
        registry.setActive(true, effect());

        vm.prank(miners[0]);
        registry.requestUnstake(effect());
        pass(7 days);
        vm.prank(miners[0]);
        registry.withdrawStake(effect());
        assertEq(cor.balanceOf(miners[0]), STAKE, "its stake is its own");
    }

    function test_revokingAnOpenRoleStopsNobody() external {
        _revoke(miners[0], Roles.MINER);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work");
    }

    function test_onlyTheRegistrarAuthorises() external {
        address[4] memory others = [STRANGER, GUARDIAN, address(timelock), address(queue)];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.NotRegistrar.selector, others[i]);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            registry.authorise(STRANGER, 1, effect());
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            registry.revoke(STRANGER, 1, effect());
        }
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.InvalidRoles.selector, 0));
        _authorise(STRANGER, 0);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.InvalidRoles.selector, 32));
        _revoke(STRANGER, 32);
    }

    function test_aClosedClientRoleClosesSessions() external {
        _close(Roles.CLIENT);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotAuthorised.selector, CLIENT));
        openSession();
        _authorise(CLIENT, Roles.CLIENT);
        openSession();
    }

    // ---------------------------------------------------------------- who is not fit any more

    function test_anyoneStopsWhoIsBelowARisenMinimum() external {
        Stakes memory stakes = parameters.stakes();
        stakes.minerWei = uint80(STAKE);
        asOwner(abi.encodeCall(parameters.setStakes, (stakes, effect())));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeFit.selector, miners[0]));
        registry.stopUnfit(miners[0], effect());

        stakes.minerWei = uint80(STAKE) + 1;
        asOwner(abi.encodeCall(parameters.setStakes, (stakes, effect())));
        assertTrue(registry.isActive(miners[0], Role.Miner), "a rise alone stops nobody");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], false);
        vm.prank(STRANGER);
        registry.stopUnfit(miners[0], effect());
        assertEq(uint256(registry.nodeOf(miners[0]).state), uint256(NodeState.Draining), "drains");

        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeFit.selector, miners[0]));
        registry.stopUnfit(miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER));
        registry.stopUnfit(STRANGER, effect());
    }

    function test_anyoneStopsWhoHasAClosedRoleWithoutAuthorisation() external {
        _close(Roles.MINER);
        _authorise(miners[1], Roles.MINER);
        registry.stopUnfit(miners[0], effect());
        assertFalse(registry.isActive(miners[0], Role.Miner), "stopped");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeFit.selector, miners[1]));
        registry.stopUnfit(miners[1], effect());
    }

    // ---------------------------------------------------------------- whom routers serve

    function test_aRouterListsWhomItServes() external {
        assertTrue(registry.isServed(routers[0], CLIENT), "everybody, at first");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.AccessSet(routers[0], CLIENT, Access.Refused);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.AccessSet(routers[0], miners[0], Access.Refused);
        _setAccess(routers[0], pair(CLIENT, miners[0]), Access.Refused);
        assertFalse(registry.isServed(routers[0], CLIENT), "refused");
        assertTrue(registry.isServed(routers[0], STRANGER), "others are served");
        assertTrue(registry.isServed(routers[1], CLIENT), "another router has a list of its own");
        assertEq(uint256(registry.accessOf(routers[0], miners[0])), uint256(Access.Refused), "listed");

        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.ExclusiveSet(routers[0], true);
        vm.prank(routers[0]);
        registry.setExclusive(true, effect());
        assertTrue(registry.isExclusive(routers[0]), "exclusive");
        assertFalse(registry.isServed(routers[0], STRANGER), "only the listed");
        _setAccess(routers[0], only(CLIENT), Access.Served);
        assertTrue(registry.isServed(routers[0], CLIENT), "listed");
        _setAccess(routers[0], only(CLIENT), Access.Unlisted);
        assertFalse(registry.isServed(routers[0], CLIENT), "off the list");
    }

    function test_onlyRoutersKeepLists() external {
        bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.NotARouter.selector, miners[0]);
        vm.expectRevert(refusal);
        _setAccess(miners[0], only(CLIENT), Access.Served);
        vm.expectRevert(refusal);
        vm.prank(miners[0]);
        registry.setExclusive(true, effect());
    }

    function test_oneCallListsABoundedNumber() external {
        _setAccess(routers[0], new address[](64), Access.Served);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.TooManyAccounts.selector, 65, 64));
        _setAccess(routers[0], new address[](65), Access.Served);
    }

    function test_aListIsBounded() external {
        for (uint160 i = 0; i < 16; ++i) {
            _setAccess(routers[0], _accounts(i * 64 + 1), i % 2 == 0 ? Access.Served : Access.Refused);
        }
        assertEq(registry.listedCount(routers[0]), 1024, "full");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.AccessListFull.selector, 1024));
        _setAccess(routers[0], only(CLIENT), Access.Refused);
        _setAccess(routers[1], only(CLIENT), Access.Refused);

        _setAccess(routers[0], _accounts(1), Access.Refused);
        assertEq(registry.listedCount(routers[0]), 1024, "who was listed takes no other place");
        _setAccess(routers[0], only(address(1)), Access.Unlisted);
        _setAccess(routers[0], only(address(1)), Access.Unlisted);
        assertEq(registry.listedCount(routers[0]), 1023, "off the list once");
        _setAccess(routers[0], only(CLIENT), Access.Refused);
        assertEq(registry.listedCount(routers[0]), 1024, "full again");
    }

    // ---------------------------------------------------------------- the calls

    function _close(uint8 roles) private {
        Stakes memory stakes = parameters.stakes();
        stakes.closedRoles = roles;
        asOwner(abi.encodeCall(parameters.setStakes, (stakes, effect())));
    }

    function _register(address node, uint8 roles, uint128 stakeWei) private {
        vm.prank(node);
        registry.register(roles, "key", stakeWei, "", new string[](0), effect());
    }

    function _authorise(address account, uint8 roles) private {
        vm.prank(REGISTRAR);
        registry.authorise(account, roles, effect());
    }

    function _revoke(address account, uint8 roles) private {
        vm.prank(REGISTRAR);
        registry.revoke(account, roles, effect());
    }

    /// @dev 64 accounts, the addresses from this number on.
    function _accounts(uint160 from) private pure returns (address[] memory accounts) {
        accounts = new address[](64);
        for (uint160 i = 0; i < 64; ++i) {
            accounts[i] = address(from + i);
        }
    }

    function _setAccess(address router, address[] memory accounts, Access access) private {
        vm.prank(router);
        registry.setAccess(accounts, access, effect());
    }
}
