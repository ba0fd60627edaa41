// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract CorTest is NetworkTest {
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function test_theWholeSupplyExistsFromTheStart() external view {
        assertEq(cor.totalSupply(), cor.GENESIS_WEI(), "supply");
        assertEq(bytes32(bytes(cor.symbol())), bytes32("COR"), "symbol");
        assertEq(cor.decimals(), 18, "decimals");
    }

    function test_aPermitIsAnApproval() external {
        uint256 key = uint256(keccak256("client"));
        bytes32 words =
            keccak256(abi.encode(PERMIT_TYPE, CLIENT, STRANGER, 7 ether, cor.nonces(CLIENT), type(uint256).max));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked("\x19\x01", cor.DOMAIN_SEPARATOR(), words)));
        cor.permit(CLIENT, STRANGER, 7 ether, type(uint256).max, v, r, s);
        assertEq(cor.allowance(CLIENT, STRANGER), 7 ether, "allowance");
    }

    function test_transferOnceMovesTokensOnce() external {
        vm.expectEmit(address(cor));
        emit EffectLog.EffectApplied(CLIENT, "gift");
        vm.prank(CLIENT);
        cor.transferOnce(STRANGER, 3 ether, "gift");
        assertTrue(cor.isEffectApplied(CLIENT, "gift"), "noted");

        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("gift")));
        vm.prank(CLIENT);
        cor.transferOnce(STRANGER, 3 ether, "gift");
        assertEq(cor.balanceOf(STRANGER), 3 ether, "received once");
    }

    function test_effectIdsOfTwoSendersDoNotMeet() external {
        fund(STRANGER, 1 ether);
        vm.prank(CLIENT);
        cor.transferOnce(HOLDER, 1 ether, "same");
        vm.prank(STRANGER);
        cor.transferOnce(HOLDER, 1 ether, "same");
        assertFalse(cor.isEffectApplied(HOLDER, "same"), "the receiver sent nothing");
    }
}
