// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appeals} from "../../src/Appeals.sol";
import {Cor} from "../../src/Cor.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Sessions} from "../../src/Sessions.sol";
import {AppealTotals} from "../../src/types/Appeal.sol";
import {RegistryTotals} from "../../src/types/Node.sol";
import {SessionTotals} from "../../src/types/Session.sol";
import {vm} from "./Vm.sol";

/// @title What is true of the money's totals at every moment
library Conservation {
    function check(Cor cor, Sessions sessions, NodeRegistry registry, Appeals appeals) internal view {
        SessionTotals memory s = sessions.totals();
        vm.assertEq(s.depositedWei, s.balanceWei + s.escrowedWei + s.paidWei + s.refundedWei, "sessions: deposited");
        vm.assertEq(cor.balanceOf(address(sessions)), s.balanceWei + s.escrowedWei + s.unclaimedWei, "sessions: tokens");
        RegistryTotals memory r = registry.totals();
        vm.assertEq(r.depositedWei, r.stakedWei + r.withdrawnWei + r.slashedWei, "registry: deposited");
        vm.assertEq(cor.balanceOf(address(registry)), r.stakedWei + r.unclaimedWei, "registry: tokens");
        AppealTotals memory a = appeals.totals();
        vm.assertEq(a.bondedWei + a.rewardedWei, a.heldWei + a.owedWei + a.withdrawnWei, "appeals: bonds and rewards");
        vm.assertEq(cor.balanceOf(address(appeals)), a.heldWei + a.owedWei, "appeals: tokens");
    }
}
