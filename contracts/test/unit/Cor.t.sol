// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "../../src/Cor.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

contract CorTest is NetworkTest {
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @dev A token of its own, whose minter nobody has set yet.
    function setUp() public override {
        super.setUp();
        assertEq(cor.minter(), address(rewards), "in a deployment rewards mint");
        cor = new Cor(HOLDER);
        fund(CLIENT, 100_000 ether);
    }

    function test_theGenesisSupplyExistsFromTheStart() external view {
        assertEq(cor.totalSupply(), 900_000_000 ether, "genesis");
        assertEq(cor.totalSupply(), cor.GENESIS_WEI(), "as it says");
        assertEq(cor.cap(), 1_000_000_000 ether, "cap");
        assertEq(cor.cap(), cor.CAP_WEI(), "as it says");
        assertEq(bytes32(bytes(cor.symbol())), bytes32("COR"), "symbol");
        assertEq(cor.decimals(), 18, "decimals");
    }

    // ---------------------------------------------------------------- minting

    function test_theMinterMintsUpToTheCap() external {
        cor.bindMinter(STRANGER);
        _mint(STRANGER, CLIENT, 100_000_000 ether - 1);
        _mint(STRANGER, CLIENT, 1);
        assertEq(cor.totalSupply(), cor.CAP_WEI(), "at the cap");
        vm.expectRevert(
            abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, 1_000_000_000 ether + 1, 1_000_000_000 ether)
        );
        _mint(STRANGER, CLIENT, 1);
        _mint(STRANGER, CLIENT, 0);
        // What is full can still be moved.
        vm.prank(CLIENT);
        assertTrue(cor.transfer(STRANGER, 1), "moved");
    }

    function test_nobodyElseMints() external {
        address[4] memory others = [address(this), HOLDER, address(timelock), GUARDIAN];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Cor.NotMinter.selector, others[i]));
            _mint(others[i], others[i], 1);
        }
        cor.bindMinter(STRANGER);
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Cor.NotMinter.selector, others[i]));
            _mint(others[i], others[i], 1);
        }
    }

    function test_theDeployerSetsTheMinterOnce() external {
        vm.expectRevert(abi.encodeWithSelector(Cor.NotDeployer.selector, HOLDER));
        vm.prank(HOLDER);
        cor.bindMinter(HOLDER);
        vm.expectRevert(Cor.ZeroMinter.selector);
        cor.bindMinter(address(0));
        vm.expectEmit(address(cor));
        emit Cor.MinterBound(STRANGER);
        cor.bindMinter(STRANGER);
        assertEq(cor.minter(), STRANGER, "minter");
        vm.expectRevert(abi.encodeWithSelector(Cor.MinterAlreadyBound.selector, STRANGER));
        cor.bindMinter(CLIENT);
    }

    function _mint(address by, address to, uint256 amountWei) private {
        vm.prank(by);
        cor.mint(to, amountWei);
    }

    // ---------------------------------------------------------------- moving

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
