// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "../../src/Cor.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract CorFuzzTest is NetworkTest {
    function testFuzz_thereIsNeverMoreThanTheCap(uint256 first_, uint256 second) external {
        cor = new Cor(HOLDER);
        cor.bindMinter(STRANGER);
        uint256 left = cor.CAP_WEI() - cor.totalSupply();
        first_ = within(first_, 0, left);
        vm.prank(STRANGER);
        cor.mint(CLIENT, first_);
        second = within(second, 0, type(uint256).max - cor.CAP_WEI() - 1);
        vm.prank(STRANGER);
        (bool done,) = address(cor).call(abi.encodeCall(cor.mint, (CLIENT, second)));
        assertEq(done ? 1 : 0, second <= left - first_ ? 1 : 0, "as long as it fits");
        assertTrue(cor.totalSupply() <= cor.CAP_WEI(), "never more");
    }
}
