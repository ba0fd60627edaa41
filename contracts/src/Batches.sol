// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchStore} from "./BatchStore.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {BatchLimits} from "./libraries/BatchLimits.sol";
import {Batch, BatchHeader, BatchRates, BatchState, Fault, SessionPart, SessionShare} from "./types/Batch.sol";
import {Shares} from "./types/Economy.sol";
import {Role} from "./types/Node.sol";
import {TaskRules, TokenPrices} from "./types/Session.sol";

/// @title Tasks by the thousand
/// @notice A router posts roots over many tasks: their precommits, in a later block their reveals, in a later block
/// their outcomes and payments. Unless somebody proves a fault within the challenge window, its payments can be claimed.
/// @dev A batch is one slot; what else belongs to it is in its header, of which only the hash is stored, and which
/// each call brings along. The outcome posts of a poster form a line, on which its accounts' totals go on from batch to
/// batch; a void batch takes all behind it out of the line, and they are void too.
contract Batches is BatchStore {
    /// @notice Who is a router.
    NodeRegistry public immutable REGISTRY;

    /// @notice How many batches there ever were; also the id of the newest.
    uint64 public batchCount;

    /// @param registry Who is a router.
    /// @param sessions Where the money comes from.
    /// @param parameters The shares of a price, and who the treasury is.
    constructor(NodeRegistry registry, Sessions sessions, Parameters parameters) BatchStore(sessions, parameters) {
        REGISTRY = registry;
    }

    // ---------------------------------------------------------------- posting

    /// @notice Begins a batch: binds its precommits and sets the sessions' money aside. Only an active router may, for
    /// sessions that list it, with a free bond.
    /// @param number How many batches the sender has begun before.
    /// @param root The tree of {PrecommitLeaf}s.
    /// @param manifestDigest The digest under which the leaves are stored.
    /// @param shares The sessions, in the order of their positions.
    /// @param effectId The sender's id of this call.
    /// @return batchId Its id, from 1.
    function postPrecommits(
        uint32 number,
        bytes32 root,
        bytes32 manifestDigest,
        SessionShare[] calldata shares,
        bytes32 effectId
    ) external returns (uint64 batchId) {
        PARAMETERS.requireEntriesOpen();
        if (!REGISTRY.isActive(msg.sender, Role.Router)) {
            revert NotActiveRouter(msg.sender);
        }
        if (shares.length == 0 || shares.length > BatchLimits.SESSIONS_MAX) {
            revert CountOutOfBounds(shares.length, BatchLimits.SESSIONS_MAX);
        }
        _markEffect(effectId);
        _begin(msg.sender, number);
        BatchHeader memory header;
        header.sessions = new SessionPart[](shares.length);
        uint256 tasks = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i].tasks == 0) revert CountOutOfBounds(0, BatchLimits.TASKS_MAX);
            tasks += shares[i].tasks;
            header.sessions[i] = _reserve(shares[i]);
        }
        if (tasks > BatchLimits.TASKS_MAX) revert CountOutOfBounds(tasks, BatchLimits.TASKS_MAX);
        header.poster = msg.sender;
        // forge-lint: disable-next-line(unsafe-typecast) at most 1,024
        header.tasks = uint16(tasks);
        header.postedBlock = uint64(block.number);
        header.bondWei = BatchLimits.BOND_WEI;
        header.precommitRoot = root;
        header.rates = _rates();
        batchId = ++batchCount;
        _write(batchId, BatchState.Precommitted, BatchLimits.STEP_S, header);
        emit BatchPrecommitted(batchId, msg.sender, manifestDigest, header);
    }

    /// @notice Binds a batch's reveals, in a later block than its precommits. Only its poster may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param root The tree of {RevealLeaf}s.
    /// @param manifestDigest The digest under which the leaves are stored.
    /// @param effectId The sender's id of this call.
    function postReveals(
        uint64 batchId,
        BatchHeader memory header,
        bytes32 root,
        bytes32 manifestDigest,
        bytes32 effectId
    ) external {
        _requireOwned(batchId, BatchState.Precommitted, header);
        _markEffect(effectId);
        header.revealRoot = root;
        header.postedBlock = uint64(block.number);
        _write(batchId, BatchState.Revealed, BatchLimits.STEP_S, header);
        emit BatchRevealed(batchId, manifestDigest, root);
    }

    /// @notice Binds a batch's outcomes and payments, in a later block than its reveals. From now on the batch can
    /// be challenged. Only its poster may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param outcomeRoot The tree of {OutcomeLeaf}s.
    /// @param paymentRoot The tree of {PaymentLeaf}s.
    /// @param payments How many payments there are.
    /// @param drawnWei What each session pays.
    /// @param manifestDigest The digest under which the leaves are stored.
    /// @param effectId The sender's id of this call.
    function postOutcomes(
        uint64 batchId,
        BatchHeader memory header,
        bytes32 outcomeRoot,
        bytes32 paymentRoot,
        uint32 payments,
        uint128[] calldata drawnWei,
        bytes32 manifestDigest,
        bytes32 effectId
    ) external {
        _requireOwned(batchId, BatchState.Revealed, header);
        if (payments > BatchLimits.PAYMENTS_MAX) revert CountOutOfBounds(payments, BatchLimits.PAYMENTS_MAX);
        if (drawnWei.length != header.sessions.length) {
            revert CountOutOfBounds(drawnWei.length, header.sessions.length);
        }
        _markEffect(effectId);
        uint256 place = _append(msg.sender);
        _posted[msg.sender][place % BatchLimits.POSTED_MAX] = batchId;
        header.outcomeRoot = outcomeRoot;
        header.paymentRoot = paymentRoot;
        header.payments = payments;
        // forge-lint: disable-next-line(unsafe-typecast) the line's length has 32 bits
        header.place = uint32(place);
        header.postedBlock = uint64(block.number);
        header.demandsUntil = uint40(block.timestamp) + BatchLimits.DEMANDS_S;
        bool anyDrawn = _noteDrawn(header.sessions, drawnWei);
        if (anyDrawn != (payments != 0)) revert CountOutOfBounds(payments, BatchLimits.PAYMENTS_MAX);
        _write(batchId, BatchState.Posted, BatchLimits.WINDOW_S, header);
        _tell(batchId, manifestDigest, header, drawnWei);
    }

    // ---------------------------------------------------------------- ending

    /// @notice Makes an unchallenged batch final after its window: what it draws can be claimed, and
    /// the sessions have back what their tasks did not cost. Anyone may, in the order of the poster's line.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param effectId The sender's id of this call.
    function finalise(uint64 batchId, BatchHeader calldata header, bytes32 effectId) external {
        Batch storage batch = _in(batchId, BatchState.Posted, header);
        if (block.timestamp <= batch.dueAt) revert NotDue(batchId, batch.dueAt);
        if (batch.demands != 0) revert DemandsOpen(batchId, batch.demands);
        if (!_stands(batchId, header)) revert NotNext(batchId);
        _markEffect(effectId);
        batch.state = BatchState.Final;
        uint128 drawnWei = _sumOf(header.sessions);
        if (!_advance(header, drawnWei)) revert NotNext(batchId);
        emit BatchFinal(batchId, drawnWei);
        _settleAll(header.sessions);
    }

    /// @notice Voids a batch whose next roots did not come in time. Anyone may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param effectId The sender's id of this call.
    function voidLate(uint64 batchId, BatchHeader calldata header, bytes32 effectId) external {
        Batch storage batch = _batches[batchId];
        if (batch.state != BatchState.Precommitted && batch.state != BatchState.Revealed) {
            revert WrongBatchState(batchId, batch.state);
        }
        _requireHeader(batchId, batch, header);
        if (block.timestamp <= batch.dueAt) revert NotDue(batchId, batch.dueAt);
        _markEffect(effectId);
        batch.state = BatchState.Void;
        _giveAllBack(header.sessions);
        _freeBond(header);
        emit BatchVoid(batchId, Fault.Late, address(0));
    }

    /// @notice Voids a batch that was built on one that is void. Anyone may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param effectId The sender's id of this call.
    function voidOrphan(uint64 batchId, BatchHeader calldata header, bytes32 effectId) external {
        Batch storage batch = _in(batchId, BatchState.Posted, header);
        if (_stands(batchId, header)) revert NotOrphan(batchId);
        _markEffect(effectId);
        batch.state = BatchState.Void;
        _giveAllBack(header.sessions);
        _freeBond(header);
        emit BatchVoid(batchId, Fault.Orphan, address(0));
    }

    /// @notice Voids a batch over a fault that was proven, and splits its bond between challenger and treasury. Only a
    /// judge may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param fault What was proven.
    /// @param challenger Who proved it.
    function condemn(uint64 batchId, BatchHeader calldata header, Fault fault, address challenger) external {
        _requireJudge();
        Batch storage batch = _in(batchId, BatchState.Posted, header);
        if (_stands(batchId, header)) _cut(header.poster, header.place);
        batch.state = BatchState.Void;
        _giveAllBack(header.sessions);
        emit BatchVoid(batchId, fault, challenger);
        _forfeit(header, challenger);
    }

    /// @notice Keeps a batch from becoming final while a demand is open. Only a judge may.
    /// @param batchId The batch.
    /// @param untilAt Seconds since 1970 until which the batch can be challenged at least.
    function hold(uint64 batchId, uint40 untilAt) external {
        _requireJudge();
        Batch storage batch = _batches[batchId];
        ++batch.demands;
        if (untilAt > batch.dueAt) batch.dueAt = untilAt;
    }

    /// @notice A demand was answered. Only a judge may.
    /// @param batchId The batch.
    function letGo(uint64 batchId) external {
        _requireJudge();
        --_batches[batchId].demands;
    }

    // ---------------------------------------------------------------- inside

    /// @dev Sets a session's money aside and notes what of its terms holds for its tasks.
    function _reserve(SessionShare calldata share) private returns (SessionPart memory part) {
        (TaskRules memory rules, TokenPrices memory prices, uint128 maxTaskPriceWei) =
            SESSIONS.reserve(share.sessionId, msg.sender, share.tasks, share.reservedWei);
        part = SessionPart({
            sessionId: share.sessionId,
            tasks: share.tasks,
            minMiners: rules.minMiners,
            redundancy: rules.redundancy,
            validators: rules.validators,
            level: rules.level,
            maxTaskPriceWei: maxTaskPriceWei,
            promptTokenWei: prices.promptTokenWei,
            outputTokenWei: prices.outputTokenWei,
            reservedWei: share.reservedWei,
            drawnWei: 0
        });
    }

    function _tell(uint64 batchId, bytes32 manifestDigest, BatchHeader memory header, uint128[] calldata drawnWei)
        private
    {
        emit BatchPosted(
            batchId, manifestDigest, header.outcomeRoot, header.paymentRoot, header.payments, header.place, drawnWei
        );
    }

    function _rates() private view returns (BatchRates memory) {
        Shares memory shares = PARAMETERS.shares();
        return BatchRates({
            treasury: shares.treasury,
            minersBps: shares.minersBps,
            validatorsBps: shares.validatorsBps,
            routerBps: shares.routerBps
        });
    }
}
