// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRecord, SlashReason} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract NodeRegistryFuzzTest is NetworkTest {
    function testFuzz_pagesAreTheListInParts(uint256 from, uint256 count) external view {
        from = within(from, 0, 20);
        count = within(count, 0, 20);
        NodeRecord[] memory page = registry.nodesPage(from, count);
        uint256 total = registry.nodeCount();
        uint256 left = from < total ? total - from : 0;
        assertEq(page.length, count < left ? count : left, "as many as there are");
        for (uint256 i = 0; i < page.length; ++i) {
            assertEq(page[i].number, from + i + 1, "in order");
        }
    }

    function testFuzz_everyTokenOfASlashIsSomebodys(uint128 amountWei, uint16 rewardBps, bool byChallenger) external {
        rewardBps = uint16(within(rewardBps, 0, 9000));
        address to = byChallenger ? STRANGER : address(0);
        (uint128 takenWei, uint128 rewardWei) = _slash(amountWei, to, rewardBps);
        assertEq(takenWei, amountWei < STAKE ? amountWei : STAKE, "taken");
        assertEq(rewardWei, byChallenger ? (uint256(takenWei) * rewardBps) / 10_000 : 0, "rewarded");
        assertMoneyConserved();
        if (rewardWei != 0) {
            vm.prank(STRANGER);
            registry.withdrawReward(effect());
        }
        if (takenWei != rewardWei) registry.sweepSlashed(effect());
        assertEq(cor.balanceOf(STRANGER) + cor.balanceOf(TREASURY), takenWei, "all of it");
        assertMoneyConserved();
    }

    function _slash(uint128 amountWei, address to, uint16 bps) private returns (uint128, uint128) {
        vm.prank(address(queue));
        return registry.slash(miners[0], amountWei, "task", SlashReason.Fraudulent, to, bps);
    }
}
