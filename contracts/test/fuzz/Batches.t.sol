// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PriceSplit} from "../../src/libraries/PriceSplit.sol";
import {BatchHeader, BatchState, OutcomeAt, OutcomeLeaf, PaymentAt, PrecommitLeaf} from "../../src/types/Batch.sol";
import {Payment, Share} from "../../src/types/Session.sol";
import {BatchFaults} from "../base/BatchFaults.sol";
import {Plan} from "../base/BatchPlans.sol";
import {vm} from "../base/Vm.sol";

contract BatchesFuzzTest is BatchFaults {
    uint64 private _session;
    uint256 private _seed;

    function setUp() public override {
        super.setUp();
        _session = openBatched();
    }

    /// forge-config: default.fuzz.runs = 48
    function testFuzz_nothingIsProvenOfHonestBatches(uint256 seed) external {
        _seed = seed;
        Plan memory a = posted(_session, uint16(_any(1, 9)));
        Plan memory b = posted(_session, uint16(_any(1, 9)));
        bytes[14] memory tries = _tries(a, b);
        for (uint256 i = 0; i < 14; ++i) {
            (bool done,) = address(challenges).call(tries[i]);
            assertFalse(done, vm.toString(i));
        }
        assertBatch(a.id, BatchState.Posted);
        assertBatch(b.id, BatchState.Posted);
        finaliseAfterWindow(a);
        batches.finalise(b.id, b.header, effect());
        claimAll(b);
        assertBatchMoney();
    }

    /// @dev Every challenge there is, with leaves of random places.
    function _tries(Plan memory a, Plan memory b) private returns (bytes[14] memory tries) {
        _taskTries(tries, b, _any(0, b.header.tasks - 1), _any(0, b.header.tasks - 1));
        uint256 i = _any(0, b.paymentCount - 1);
        uint256 j = _any(0, a.paymentCount - 1);
        _paymentTries(tries, a, b, i);
        tries[6] = _missingTry(b, _any(0, b.header.tasks - 1), i);
        PaymentAt memory before = paymentAt(a, j);
        bytes32 id = effect();
        tries[10] = abi.encodeCall(
            challenges.proveForgottenEarnings, (b.id, b.header, paymentAt(b, i), a.id, a.header, before, id)
        );
        PaymentAt[] memory first = i == 0 ? paymentsAt(b, 0, 1) : paymentsAt(b, i - 1, 2);
        tries[11] = _inventedTry(a, b, first, j);
        OutcomeAt memory outcome = outcomeAt(a, _any(0, a.header.tasks - 1));
        tries[13] =
            abi.encodeCall(challenges.provePaidBefore, (b.id, b.header, outcomeAt(b, 0), a.id, a.header, outcome, id));
    }

    function _taskTries(bytes[14] memory tries, Plan memory b, uint256 p, uint256 q) private {
        bytes32 id = effect();
        tries[0] = abi.encodeCall(challenges.proveBadAssignment, (b.id, b.header, taskAt(b, p), id));
        tries[1] = abi.encodeCall(challenges.proveWrongReveal, (b.id, b.header, taskAt(b, p), shownAt(b, p), id));
        tries[2] = abi.encodeCall(
            challenges.proveWrongOutcome, (b.id, b.header, taskAt(b, p), shownAt(b, p), outcomeAt(b, p), id)
        );
        tries[3] = abi.encodeCall(challenges.proveWrongDraw, (b.id, b.header, outcomeAt(b, p), id));
        uint256 before = p == 0 ? 0 : p - 1;
        tries[4] = abi.encodeCall(challenges.proveWrongSum, (b.id, b.header, outcomeAt(b, before), outcomeAt(b, p), id));
        tries[12] =
            abi.encodeCall(challenges.proveDoublePayment, (b.id, b.header, outcomeAt(b, p), outcomeAt(b, q), id));
    }

    function _paymentTries(bytes[14] memory tries, Plan memory a, Plan memory b, uint256 i) private {
        bytes32 id = effect();
        PaymentAt memory payment = paymentAt(b, i);
        PaymentAt memory next = i + 1 < b.paymentCount ? paymentAt(b, i + 1) : payment;
        uint256 p = payment.leaf.position;
        tries[5] =
            abi.encodeCall(challenges.proveWrongPayment, (b.id, b.header, taskAt(b, p), outcomeAt(b, p), payment, id));
        tries[7] = abi.encodeCall(challenges.proveWrongOrder, (b.id, b.header, payment, next, id));
        tries[8] = abi.encodeCall(challenges.proveWrongTotal, (b.id, b.header, payment, id));
        tries[9] = abi.encodeCall(challenges.proveWrongOrigin, (b.id, b.header, payment, a.header, id));
    }

    function _missingTry(Plan memory b, uint256 p, uint256 i) private returns (bytes memory) {
        address[] memory accounts = earners(b);
        address account = accounts[_any(0, accounts.length - 1)];
        bool pair = i + 1 < b.paymentCount && _any(0, 3) != 0;
        PaymentAt[] memory around = pair ? paymentsAt(b, i, 2) : paymentsAt(b, _any(0, 1) * (b.paymentCount - 1), 1);
        return _missingCall(b, p, Share(_any(0, 4)), account, around);
    }

    function _missingCall(Plan memory b, uint256 p, Share share, address account, PaymentAt[] memory around)
        private
        returns (bytes memory)
    {
        bool behind = _any(0, 1) == 1;
        bytes32 id = effect();
        return abi.encodeCall(
            challenges.proveMissingPayment,
            (b.id, b.header, taskAt(b, p), outcomeAt(b, p), share, account, around, behind, id)
        );
    }

    function _inventedTry(Plan memory a, Plan memory b, PaymentAt[] memory first, uint256 j)
        private
        returns (bytes memory)
    {
        bytes32 id = effect();
        if (_any(0, 2) == 0) return abi.encodeCall(challenges.proveInventedStart, (b.id, b.header, first, id));
        PaymentAt[] memory around = paymentsAt(a, j, j + 1 < a.paymentCount ? 2 : 1);
        bool behind = around.length == 1;
        return
            abi.encodeCall(
                challenges.proveInventedEarnings, (b.id, b.header, first, a.id, a.header, around, behind, id)
            );
    }

    /// @dev One share at a time is the same as all at once.
    function testFuzz_sharesAreThoseOfASplit(uint128 priceWei, uint8 honest, uint8 voters) external view {
        (PrecommitLeaf memory task, OutcomeLeaf memory outcome, BatchHeader memory header) = _task();
        outcome.honest = uint16(within(honest, 1, 63));
        outcome.voters = uint16(within(voters, 0, 7));
        outcome.priceWei = priceWei;
        Payment[] memory all = PriceSplit.split(
            priceWei,
            _members(task.miners, outcome.honest),
            _members(task.validators, outcome.voters),
            header.poster,
            address(0),
            parameters.shares()
        );
        uint256 sum = 0;
        for (uint256 i = 0; i < all.length; ++i) {
            uint128 amountWei = harness.amountOf(header, task, outcome, all[i].role, all[i].to);
            assertEq(amountWei, all[i].amountWei, "the same");
            sum += amountWei;
        }
        assertEq(sum, priceWei, "all of it");
        assertEq(harness.amountOf(header, task, outcome, Share.Oracle, STRANGER), 0, "no oracle");
        assertEq(harness.amountOf(header, task, outcome, Share.Miner, STRANGER), 0, "no stranger");
    }

    function _task() private view returns (PrecommitLeaf memory task, OutcomeLeaf memory o, BatchHeader memory header) {
        task.miners = miners;
        task.validators = validators;
        header.poster = routers[0];
        header.rates.treasury = TREASURY;
        (header.rates.minersBps, header.rates.validatorsBps, header.rates.routerBps) = (8000, 800, 700);
        return (task, o, header);
    }

    function _members(address[] memory list, uint16 set) private pure returns (address[] memory some) {
        some = new address[](list.length);
        uint256 count = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            if ((set >> i) & 1 == 1) some[count++] = list[i];
        }
        return first(some, count);
    }

    function _any(uint256 lowest, uint256 highest) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return within(_seed, lowest, highest);
    }
}
