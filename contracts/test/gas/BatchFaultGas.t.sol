// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafKind, PaymentAt, PaymentLeaf} from "../../src/types/Batch.sol";
import {BatchFaults} from "../base/BatchFaults.sol";
import {Plan} from "../base/BatchPlans.sol";
import {vm} from "../base/Vm.sol";

/// @notice What it costs to prove each fault of a batch of 64 tasks, and to demand and show a leaf, each with what every
/// transaction costs. Another size of the batch changes the proofs' length only, by some 700 gas for each doubling.
/// forge-config: default.isolate = true
contract BatchFaultGasTest is BatchFaults {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openBatched();
        bond(routers[0], 10_000 ether);
        fund(STRANGER, 100 ether);
        vm.prank(STRANGER);
        cor.approve(address(demands), type(uint256).max);
    }

    function test_gasOfProofs() external {
        _prove(1, "bad assignment");
        _prove(8, "wrong reveal");
        _prove(12, "wrong outcome");
        _prove(19, "wrong draw");
        _prove(20, "wrong sum");
        _prove(22, "wrong payment");
        _prove(24, "wrong order");
        _prove(26, "wrong total");
        _prove(28, "wrong origin");
        _prove(29, "invented start");
        _prove(30, "double payment");
    }

    function test_gasOfAMissingPayment() external {
        Plan memory b = _bound(64);
        PaymentLeaf memory out = b.payments[1];
        leaveOut(b, 1);
        postAll(b);
        uint256 p = out.position;
        PaymentAt[] memory around = paymentsAt(b, 0, 2);
        vm.prank(STRANGER);
        challenges.proveMissingPayment(
            b.id, b.header, taskAt(b, p), outcomeAt(b, p), out.share, out.account, around, false, "1"
        );
        vm.snapshotGasLastCall("BatchFault", "missing payment");
    }

    function test_gasOfProofsWithAnEarlierBatch() external {
        Plan memory a = posted(_session, 64);
        Plan memory b = _bound(64);
        b.payments[0].accountTotalWei = b.payments[0].amountWei;
        b.payments[0].sinceBatch = 0;
        address forgotten = b.payments[0].account;
        postAll(b);
        PaymentAt memory before = paymentAt(a, lastOf(a, forgotten));
        vm.prank(STRANGER);
        challenges.proveForgottenEarnings(b.id, b.header, paymentAt(b, 0), a.id, a.header, before, "1");
        vm.snapshotGasLastCall("BatchFault", "forgotten earnings");
        b = _bound(64);
        b.payments[0].accountTotalWei += 1;
        postAll(b);
        PaymentAt[] memory around = paymentsAt(a, lastOf(a, forgotten), 2);
        vm.prank(STRANGER);
        challenges.proveInventedEarnings(b.id, b.header, paymentsAt(b, 0, 1), a.id, a.header, around, false, "2");
        vm.snapshotGasLastCall("BatchFault", "invented earnings");
        b = _bound(64);
        b.outcomes[2].taskId = a.outcomes[1].taskId;
        postAll(b);
        vm.prank(STRANGER);
        challenges.provePaidBefore(b.id, b.header, outcomeAt(b, 2), a.id, a.header, outcomeAt(a, 1), "3");
        vm.snapshotGasLastCall("BatchFault", "paid before");
    }

    function test_gasOfDemands() external {
        Plan memory b = posted(_session, 64);
        _demand(b, LeafKind.Precommit, "demand");
        _demand(b, LeafKind.Reveal, "demand again");
        _demand(b, LeafKind.Outcome, "demand again");
        _demand(b, LeafKind.Payment, "demand again");
        vm.prank(routers[0]);
        demands.showPrecommit(b.id, b.header, taskAt(b, 1), "1");
        vm.snapshotGasLastCall("BatchFault", "show precommit");
        vm.prank(routers[0]);
        demands.showReveal(b.id, b.header, shownAt(b, 1), "2");
        vm.snapshotGasLastCall("BatchFault", "show reveal");
        bytes32 digest = demands.verdictDigest(b.poster, b.tasks[1], b.outcomes[1]);
        bytes[] memory signatures = new bytes[](2);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 key = uint256(keccak256(bytes(string.concat("validator", vm.toString(i)))));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
            signatures[i] = abi.encodePacked(r, s, v);
        }
        vm.prank(routers[0]);
        demands.showOutcome(b.id, b.header, taskAt(b, 1), outcomeAt(b, 1), signatures, "3");
        vm.snapshotGasLastCall("BatchFault", "show outcome");
        pass(10 minutes + 1);
        vm.prank(STRANGER);
        demands.proveWithheld(b.id, b.header, LeafKind.Payment, 1, "4");
        vm.snapshotGasLastCall("BatchFault", "withheld");
    }

    function _demand(Plan memory b, LeafKind kind, string memory name) private {
        vm.prank(STRANGER);
        demands.demand(b.id, b.header, kind, 1, effect());
        vm.snapshotGasLastCall("BatchFault", name);
    }

    function _prove(uint256 which, string memory name) private {
        Plan memory b = plan(_session, 64);
        lie(which, b);
        bytes memory call = accuse(which, b);
        vm.prank(STRANGER);
        (bool done,) = address(challenges).call(call);
        vm.snapshotGasLastCall("BatchFault", name);
        assertTrue(done, name);
    }

    function _bound(uint16 tasks) private returns (Plan memory b) {
        b = plan(_session, tasks);
        precommitAll(b);
        revealAll(b);
        pay(b);
    }
}
