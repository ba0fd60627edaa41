// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OutcomeLeaf, PaymentAt, PaymentLeaf} from "../../src/types/Batch.sol";
import {Share} from "../../src/types/Session.sol";
import {Plan} from "./BatchPlans.sol";
import {BatchTest} from "./BatchTest.sol";

/// @title Every way of lying in a batch, and its proof
/// @notice {lie} spoils an honest plan of at least six tasks and posts it; {accuse} is the call that proves it.
abstract contract BatchFaults is BatchTest {
    uint256 internal constant LIES = 31;

    /// @dev The plan of a batch that is wrong in exactly one way, posted.
    function lie(uint256 which, Plan memory b) internal {
        if (which < 8) lieAboutTask(which, b);
        precommitAll(b);
        if (which >= 8 && which < 11) lieAboutReveal(which, b);
        revealAll(b);
        if (which >= 11 && which < 19) lieAboutOutcome(which, b);
        if (which >= 19 && which < 22) lieAboutSums(which, b);
        if (which == 30) payTwice(b);
        pay(b);
        if (which >= 22 && which < 30) lieAboutPayment(which, b);
        postAll(b);
    }

    function lieAboutTask(uint256 which, Plan memory b) internal view {
        if (which == 0) b.tasks[1].sessionId += 1;
        else if (which == 1) b.tasks[1].maxPriceWei = MAX_PRICE + 1;
        else if (which == 2) b.tasks[1].maxPriceWei = 0;
        else if (which == 3) b.tasks[1].miners[1] = b.tasks[1].miners[0];
        else if (which == 4) b.tasks[1].miners[1] = STRANGER;
        else if (which == 5) b.tasks[1].validators = nobody();
        else if (which == 6) b.tasks[1].validators[0] = miners[5];
        else b.tasks[1].attempts = new uint8[](2);
    }

    function lieAboutReveal(uint256 which, Plan memory b) internal pure {
        if (which == 8) b.shown[2].resultRoots[1] = "another";
        else if (which == 9) b.shown[2].taskId = "another";
        else b.shown[2].salts = new bytes32[](2);
    }

    /// @dev Sums and payments follow from the lie, so that it is the only one.
    function lieAboutOutcome(uint256 which, Plan memory b) internal pure {
        OutcomeLeaf memory o = b.outcomes[3];
        if (which == 11) {
            o.outputTokens += 1;
        } else if (which == 12) {
            o.priceWei += 1;
            o.refundWei -= 1;
        } else if (which == 13) {
            o.refundWei -= 1;
        } else if (which == 14) {
            o.taskId = "another";
        } else if (which == 15) {
            o.voters = 1;
        } else if (which == 16) {
            o.honest = 1;
            o.winner = 1;
        } else if (which == 17) {
            o.voters = 7;
        } else {
            // A task that failed, and costs all the same.
            b.outcomes[4].priceWei = 1;
            b.outcomes[4].refundWei -= 1;
        }
        sum(b, 0, b.header.tasks);
        b.drawnWei[0] = b.outcomes[b.header.tasks - 1].sessionPriceWei;
    }

    function lieAboutSums(uint256 which, Plan memory b) internal pure {
        uint256 last = b.header.tasks - 1;
        if (which == 19) {
            // Drawn for more than the tasks cost; payments would not add up either, but this is proven alone.
            b.drawnWei[0] += 1;
        } else {
            // A jump in the sums hides it; or they do not begin at nothing.
            uint256 from = which == 20 ? 2 : 0;
            for (uint256 i = from; i <= last; ++i) {
                b.outcomes[i].sessionPriceWei += 1;
                b.outcomes[i].sessionRefundWei -= 1;
            }
            b.drawnWei[0] += 1;
        }
    }

    function lieAboutPayment(uint256 which, Plan memory b) internal pure {
        uint256 middle = b.paymentCount / 2;
        PaymentLeaf memory leaf = b.payments[middle];
        if (which == 22) {
            // Somebody who did nothing is paid instead.
            leaf.position = (leaf.position + 4) % b.header.tasks;
        } else if (which == 23) {
            leaveOut(b, middle);
        } else if (which == 24) {
            leaf.batchTotalWei += 1;
        } else if (which == 25) {
            leaf.accountTotalWei += 1;
        } else if (which == 26) {
            b.payments[b.paymentCount - 1].batchTotalWei += 1;
        } else if (which == 27) {
            leaf.position = b.header.tasks;
        } else if (which == 28) {
            leaf.sinceBatch = b.id;
        } else {
            _raiseTotal(b, b.payments[0].account, 5, 0);
        }
    }

    function _raiseTotal(Plan memory b, address account, uint128 byWei, uint64 since) internal pure {
        for (uint256 i = 0; i < b.paymentCount; ++i) {
            if (b.payments[i].account != account) continue;
            b.payments[i].accountTotalWei += byWei;
            b.payments[i].sinceBatch = since;
        }
    }

    /// @dev Takes a payment out and moves what is behind it up, totals and all.
    function leaveOut(Plan memory b, uint256 index) internal pure {
        PaymentLeaf memory out = b.payments[index];
        for (uint256 i = index; i + 1 < b.paymentCount; ++i) {
            b.payments[i] = b.payments[i + 1];
            b.payments[i].index = uint32(i);
            b.payments[i].batchTotalWei -= out.amountWei;
            if (b.payments[i].account == out.account) b.payments[i].accountTotalWei -= out.amountWei;
        }
        b.paymentCount -= 1;
        PaymentLeaf[] memory rest = new PaymentLeaf[](widthOf(b.paymentCount));
        for (uint256 i = 0; i < rest.length; ++i) {
            if (i < b.paymentCount) rest[i] = b.payments[i];
            else rest[i].index = uint32(i);
        }
        b.payments = rest;
    }

    /// @dev One task at two positions: the work was done once.
    function payTwice(Plan memory b) internal pure {
        b.outcomes[1].taskId = b.outcomes[0].taskId;
    }

    // ---------------------------------------------------------------- the proofs

    /// @dev The call to {BatchChallenges} that proves a lie.
    function accuse(uint256 which, Plan memory b) internal returns (bytes memory) {
        if (which < 8) {
            return abi.encodeCall(challenges.proveBadAssignment, (b.id, b.header, taskAt(b, 1), effect()));
        }
        if (which < 11) {
            return abi.encodeCall(challenges.proveWrongReveal, (b.id, b.header, taskAt(b, 2), shownAt(b, 2), effect()));
        }
        if (which < 19) {
            uint256 p = which == 18 ? 4 : 3;
            return abi.encodeCall(
                challenges.proveWrongOutcome, (b.id, b.header, taskAt(b, p), shownAt(b, p), outcomeAt(b, p), effect())
            );
        }
        if (which == 19) {
            uint256 last = b.header.tasks - 1;
            return abi.encodeCall(challenges.proveWrongDraw, (b.id, b.header, outcomeAt(b, last), effect()));
        }
        if (which == 20) {
            return
                abi.encodeCall(challenges.proveWrongSum, (b.id, b.header, outcomeAt(b, 1), outcomeAt(b, 2), effect()));
        }
        if (which == 21) {
            return abi.encodeCall(challenges.proveWrongDraw, (b.id, b.header, outcomeAt(b, 0), effect()));
        }
        if (which == 30) {
            return
                abi.encodeCall(
                    challenges.proveDoublePayment, (b.id, b.header, outcomeAt(b, 0), outcomeAt(b, 1), effect())
                );
        }
        return _accusePayment(which, b);
    }

    function _accusePayment(uint256 which, Plan memory b) private returns (bytes memory) {
        uint256 middle = which == 23 ? (b.paymentCount + 1) / 2 : b.paymentCount / 2;
        PaymentLeaf memory leaf = b.payments[middle];
        if (which == 22) {
            uint256 p = leaf.position;
            return abi.encodeCall(
                challenges.proveWrongPayment,
                (b.id, b.header, taskAt(b, p), outcomeAt(b, p), paymentAt(b, middle), effect())
            );
        }
        if (which == 23) return _accuseMissing(b, middle);
        if (which == 24 || which == 25) {
            return abi.encodeCall(
                challenges.proveWrongOrder, (b.id, b.header, paymentAt(b, middle - 1), paymentAt(b, middle), effect())
            );
        }
        if (which == 26 || which == 27) {
            uint256 index = which == 26 ? b.paymentCount - 1 : middle;
            return abi.encodeCall(challenges.proveWrongTotal, (b.id, b.header, paymentAt(b, index), effect()));
        }
        if (which == 28) {
            return
                abi.encodeCall(challenges.proveWrongOrigin, (b.id, b.header, paymentAt(b, middle), b.header, effect()));
        }
        return abi.encodeCall(challenges.proveInventedStart, (b.id, b.header, paymentsAt(b, 0, 1), effect()));
    }

    /// @dev Whoever lacks a payment between two others.
    function _accuseMissing(Plan memory b, uint256 right) private returns (bytes memory) {
        (uint256 p, Share share, address lacking) = _missing(b, right);
        PaymentAt[] memory around = paymentsAt(b, right - 1, 2);
        bytes32 id = effect();
        return abi.encodeCall(
            challenges.proveMissingPayment,
            (b.id, b.header, taskAt(b, p), outcomeAt(b, p), share, lacking, around, false, id)
        );
    }

    /// @dev Found by looking at every task, share and account.
    function _missing(Plan memory b, uint256 right) private view returns (uint256, Share, address) {
        address[] memory accounts = earners(b);
        for (uint256 p = 0; p < b.header.tasks; ++p) {
            for (uint256 s = 0; s < 5; ++s) {
                for (uint256 a = 0; a < accounts.length; ++a) {
                    if (_isMissing(b, right, p, Share(s), accounts[a])) return (p, Share(s), accounts[a]);
                }
            }
        }
        revert("nothing is missing");
    }

    function _isMissing(Plan memory b, uint256 right, uint256 p, Share share, address account)
        private
        view
        returns (bool)
    {
        uint256 key = _key(account, p, share);
        if (key <= _keyOf(b.payments[right - 1]) || key >= _keyOf(b.payments[right])) return false;
        return harness.amountOf(b.header, b.tasks[p], b.outcomes[p], share, account) != 0;
    }

    function _keyOf(PaymentLeaf memory leaf) private pure returns (uint256) {
        return _key(leaf.account, leaf.position, leaf.share);
    }

    function _key(address account, uint256 position, Share share) private pure returns (uint256) {
        return (uint256(uint160(account)) << 24) | (position << 8) | uint256(share);
    }
}
