// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchHeader,
    BatchRates,
    BatchState,
    OutcomeLeaf,
    PaymentLeaf,
    PrecommitLeaf,
    RevealLeaf,
    SessionPart,
    SessionShare
} from "../../src/types/Batch.sol";
import {SettlementMode, Share, Terms} from "../../src/types/Session.sol";
import {BatchLeafHarness} from "./BatchLeafHarness.sol";
import {BatchPlans, Plan} from "./BatchPlans.sol";
import {BatchTree} from "./BatchTree.sol";
import {vm} from "./Vm.sol";

/// @title A network with batches, and a poster's way of making them
/// @notice {plan} is an honest batch of tasks of three miners and two validators. A test changes what it likes before
/// {precommitAll}, {revealAll} and {postAll} bind it.
abstract contract BatchTest is BatchPlans {
    using BatchTree for bytes32[];

    uint256 private _requests;

    /// @dev What a poster's standing batches have paid an account, and which was the last.
    mapping(address poster => mapping(address account => uint128)) internal totalOf;
    mapping(address poster => mapping(address account => uint64)) internal sinceOf;

    function setUp() public virtual override {
        super.setUp();
        harness = new BatchLeafHarness();
        for (uint256 i = 0; i < routers.length; ++i) {
            bond(routers[i], 1000 ether);
        }
    }

    function bond(address poster, uint128 amountWei) internal {
        fund(poster, amountWei);
        vm.prank(poster);
        cor.approve(address(batches), type(uint256).max);
        vm.prank(poster);
        batches.depositBond(amountWei, effect());
    }

    function openBatched() internal returns (uint64) {
        Terms memory terms = defaultTerms();
        terms.settlement = SettlementMode.Batched;
        return openSession(terms);
    }

    function one(uint64 sessionId, uint16 tasks) internal pure returns (SessionShare[] memory shares) {
        shares = new SessionShare[](1);
        shares[0] = SessionShare({sessionId: sessionId, tasks: tasks, reservedWei: 0});
    }

    // ---------------------------------------------------------------- an honest batch

    function plan(uint64 sessionId, uint16 tasks) internal returns (Plan memory b) {
        return plan(routers[0], one(sessionId, tasks));
    }

    /// @dev Tasks, reveals and outcomes of an honest batch; every fifth task fails, every third has an outlier.
    function plan(address poster, SessionShare[] memory shares) internal returns (Plan memory b) {
        b.poster = poster;
        b.shares = shares;
        uint256 count = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            count += shares[i].tasks;
        }
        uint256 width = widthOf(count);
        b.tasks = new PrecommitLeaf[](width);
        b.shown = new RevealLeaf[](width);
        b.outcomes = new OutcomeLeaf[](width);
        b.drawnWei = new uint128[](shares.length);
        uint256 next = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            uint256 first = next;
            for (uint256 j = 0; j < shares[i].tasks; ++j) {
                _task(b, next++, shares[i].sessionId);
            }
            sum(b, first, next);
            OutcomeLeaf memory last = b.outcomes[next - 1];
            b.drawnWei[i] = last.sessionPriceWei;
            shares[i].reservedWei = last.sessionPriceWei + last.sessionRefundWei;
        }
        for (; next < width; ++next) {
            b.tasks[next].position = uint16(next);
            b.shown[next].position = uint16(next);
            b.outcomes[next].position = uint16(next);
        }
    }

    function _task(Plan memory b, uint256 position, uint64 sessionId) private {
        PrecommitLeaf memory task = b.tasks[position];
        task.position = uint16(position);
        task.sessionId = sessionId;
        task.taskId = queue.taskIdOf(sessionId, bytes32(++_requests));
        task.maxPriceWei = 1 ether;
        task.miners = first(miners, 3);
        if (position % 2 == 1) task.miners[2] = miners[3 + position % 3];
        task.attempts = new uint8[](3);
        task.attempts[1] = uint8(position % 2);
        task.precommits = new bytes32[](3);
        task.validators = first(validators, 2);
        RevealLeaf memory shown = b.shown[position];
        shown.position = uint16(position);
        shown.taskId = task.taskId;
        shown.resultRoots = new bytes32[](3);
        shown.salts = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            shown.resultRoots[i] = rootOf(task.miners[i]);
            shown.salts[i] = saltOf(task.miners[i]);
            task.precommits[i] = precommitOf(task, i, shown.resultRoots[i], shown.salts[i]);
        }
        OutcomeLeaf memory outcome = b.outcomes[position];
        outcome.position = uint16(position);
        outcome.taskId = task.taskId;
        outcome.refundWei = task.maxPriceWei;
        if (position % 5 == 4) return;
        outcome.honest = position % 3 == 2 ? 3 : 7;
        outcome.winner = uint8(position % 2);
        outcome.voters = 3;
        outcome.promptTokens = 10;
        outcome.outputTokens = uint32(7 + position % 50);
        outcome.priceWei = 10 * PROMPT_TOKEN + outcome.outputTokens * OUTPUT_TOKEN;
        outcome.refundWei -= outcome.priceWei;
    }

    function precommitOf(PrecommitLeaf memory task, uint256 slot, bytes32 root, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                block.chainid,
                address(batches),
                task.sessionId,
                task.taskId,
                task.step,
                task.attempts[slot],
                task.miners[slot],
                root,
                salt
            )
        );
    }

    /// @dev The sums of a session's tasks, from position `from` up to before `to`.
    function sum(Plan memory b, uint256 from, uint256 to) internal pure {
        (uint128 priceWei, uint128 refundWei) = (0, 0);
        for (uint256 i = from; i < to; ++i) {
            b.outcomes[i].sessionPriceWei = priceWei += b.outcomes[i].priceWei;
            b.outcomes[i].sessionRefundWei = refundWei += b.outcomes[i].refundWei;
        }
    }

    // ---------------------------------------------------------------- its payments

    /// @dev Everybody who can earn, sorted, each once.
    function earners(Plan memory b) internal view returns (address[] memory sorted) {
        uint256 count = miners.length + validators.length + 2;
        sorted = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            address next = i < miners.length
                ? miners[i]
                : i < count - 2 ? validators[i - miners.length] : i == count - 2 ? b.poster : TREASURY;
            uint256 j = i;
            for (; j > 0 && sorted[j - 1] > next; --j) {
                sorted[j] = sorted[j - 1];
            }
            sorted[j] = next;
        }
    }

    /// @dev The payments that follow from the outcomes, and the totals that follow from the line.
    function pay(Plan memory b) internal view {
        uint256 tasks = b.header.tasks;
        address[] memory accounts = earners(b);
        PaymentLeaf[] memory list = new PaymentLeaf[](tasks * 7 + 1);
        uint256 count = 0;
        uint128 batchTotalWei = 0;
        for (uint256 a = 0; a < accounts.length; ++a) {
            uint128 totalWei = totalOf[b.poster][accounts[a]];
            for (uint256 p = 0; p < tasks; ++p) {
                for (uint256 s = 0; s < 5; ++s) {
                    uint128 amountWei = _amountOf(b, p, Share(s), accounts[a]);
                    if (amountWei == 0) continue;
                    PaymentLeaf memory leaf;
                    leaf.index = uint32(count);
                    leaf.account = accounts[a];
                    leaf.position = uint16(p);
                    leaf.share = Share(s);
                    leaf.amountWei = amountWei;
                    leaf.accountTotalWei = totalWei += amountWei;
                    leaf.batchTotalWei = batchTotalWei += amountWei;
                    leaf.sinceBatch = sinceOf[b.poster][accounts[a]];
                    list[count++] = leaf;
                }
            }
        }
        b.paymentCount = uint32(count);
        uint256 width = widthOf(count);
        b.payments = new PaymentLeaf[](width);
        for (uint256 i = 0; i < width; ++i) {
            if (i < count) b.payments[i] = list[i];
            else b.payments[i].index = uint32(i);
        }
    }

    /// @dev What an account earns, computed here rather than asked of the contract.
    function _amountOf(Plan memory b, uint256 p, Share share, address account) private view returns (uint128) {
        OutcomeLeaf memory o = b.outcomes[p];
        uint128 minerWei = o.honest == 0 ? 0 : o.priceWei * 8000 / 10_000 / _ones(o.honest);
        uint128 validatorWei = o.voters == 0 ? 0 : o.priceWei * 800 / 10_000 / _ones(o.voters);
        uint128 routerWei = o.priceWei * 700 / 10_000;
        if (share == Share.Miner) return _in(b.tasks[p].miners, o.honest, account) ? minerWei : 0;
        if (share == Share.Validator) return _in(b.tasks[p].validators, o.voters, account) ? validatorWei : 0;
        if (share == Share.Router) return account == b.poster ? routerWei : 0;
        if (share == Share.Oracle || account != TREASURY) return 0;
        return o.priceWei - minerWei * _ones(o.honest) - validatorWei * _ones(o.voters) - routerWei;
    }

    function _in(address[] memory list, uint16 set, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return (set >> i) & 1 == 1;
        }
        return false;
    }

    function _ones(uint16 set) private pure returns (uint128 count) {
        for (; set != 0; set >>= 1) {
            count += set & 1;
        }
    }

    /// @dev Notes that a batch stands, for those behind it.
    function remember(Plan memory b) internal {
        for (uint256 i = 0; i < b.paymentCount; ++i) {
            PaymentLeaf memory leaf = b.payments[i];
            totalOf[b.poster][leaf.account] = leaf.accountTotalWei;
            sinceOf[b.poster][leaf.account] = b.id;
        }
    }

    // ---------------------------------------------------------------- posting

    function precommitAll(Plan memory b) internal {
        postPrecommits(b);
        b.header = _headerOf(b);
        vm.roll(block.number + 1);
    }

    function postPrecommits(Plan memory b) internal {
        b.taskTree = treeOf(b.tasks);
        b.id = batches.batchCount() + 1;
        uint32 number = batches.lineOf(b.poster).begun;
        vm.prank(b.poster);
        batches.postPrecommits(number, b.taskTree.root(), "manifest", b.shares, effect());
    }

    function revealAll(Plan memory b) internal {
        b.shownTree = treeOf(b.shown);
        vm.prank(b.poster);
        batches.postReveals(b.id, b.header, b.shownTree.root(), "manifest", effect());
        b.header.revealRoot = b.shownTree.root();
        b.header.postedBlock = uint64(block.number);
        vm.roll(block.number + 1);
    }

    /// @dev Binds outcomes and payments as they are.
    function postAll(Plan memory b) internal {
        b.outcomeTree = treeOf(b.outcomes);
        b.paymentTree = treeOf(b.payments);
        bytes32 paymentRoot = b.payments.length == 0 ? bytes32(0) : b.paymentTree.root();
        uint32 place = batches.lineOf(b.poster).length;
        vm.prank(b.poster);
        batches.postOutcomes(
            b.id, b.header, b.outcomeTree.root(), paymentRoot, b.paymentCount, b.drawnWei, "manifest", effect()
        );
        b.header.place = place;
        _finishHeader(b, paymentRoot);
    }

    function _finishHeader(Plan memory b, bytes32 paymentRoot) private view {
        b.header.outcomeRoot = b.outcomeTree.root();
        b.header.paymentRoot = paymentRoot;
        b.header.payments = b.paymentCount;
        b.header.postedBlock = uint64(block.number);
        b.header.demandsUntil = uint40(block.timestamp) + 6 hours;
        for (uint256 i = 0; i < b.drawnWei.length; ++i) {
            b.header.sessions[i].drawnWei = b.drawnWei[i];
        }
    }

    /// @dev An honest batch, posted.
    function posted(uint64 sessionId, uint16 tasks) internal returns (Plan memory b) {
        b = plan(sessionId, tasks);
        postHonestly(b);
    }

    function postHonestly(Plan memory b) internal {
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        remember(b);
    }

    function finaliseAfterWindow(Plan memory b) internal {
        pass(1 hours + 1);
        vm.prank(STRANGER);
        batches.finalise(b.id, b.header, effect());
    }

    /// @dev One claim for everybody, by nobody in particular.
    function claimAll(Plan memory b) internal {
        address[] memory accounts = earners(b);
        PaymentLeaf[] memory leaves = new PaymentLeaf[](accounts.length);
        bytes32[][] memory proofs = new bytes32[][](accounts.length);
        uint256 count = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            uint256 last = lastOf(b, accounts[i]);
            if (last == type(uint256).max) continue;
            leaves[count] = b.payments[last];
            proofs[count++] = paymentAt(b, last).proof;
        }
        assembly {
            mstore(leaves, count)
            mstore(proofs, count)
        }
        vm.prank(STRANGER);
        batches.claimMany(b.id, b.header, leaves, proofs, effect());
    }

    function _headerOf(Plan memory b) internal view returns (BatchHeader memory header) {
        header.poster = b.poster;
        header.postedBlock = uint64(block.number);
        header.bondWei = 100 ether;
        header.precommitRoot = b.taskTree.root();
        header.rates = BatchRates({treasury: TREASURY, minersBps: 8000, validatorsBps: 800, routerBps: 700});
        header.sessions = new SessionPart[](b.shares.length);
        for (uint256 i = 0; i < b.shares.length; ++i) {
            SessionShare memory share = b.shares[i];
            header.tasks += share.tasks;
            uint32 version = sessions.sessionOf(share.sessionId).version;
            header.sessions[i] = SessionPart({
                sessionId: share.sessionId,
                tasks: share.tasks,
                minMiners: sessions.rulesOf(share.sessionId, version).minMiners,
                redundancy: sessions.rulesOf(share.sessionId, version).redundancy,
                validators: sessions.rulesOf(share.sessionId, version).validators,
                level: sessions.rulesOf(share.sessionId, version).level,
                maxTaskPriceWei: sessions.sessionOf(share.sessionId).maxTaskPriceWei,
                promptTokenWei: sessions.tokenPricesOf(share.sessionId, version).promptTokenWei,
                outputTokenWei: sessions.tokenPricesOf(share.sessionId, version).outputTokenWei,
                reservedWei: share.reservedWei,
                drawnWei: 0
            });
        }
    }

    // ---------------------------------------------------------------- looking

    function assertBatch(uint64 batchId, BatchState expected) internal view {
        assertEq(uint256(batches.batchOf(batchId).state), uint256(expected), "batch state");
    }

    /// @dev What is true of the money at every moment.
    function assertBatchMoney() public view {
        assertTotalsConserved();
        assertEq(cor.balanceOf(address(batches)), batches.bondsWei() + batches.fundsWei(), "batches: tokens");
    }
}
