// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowances} from "./Allowances.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Pricing} from "./Pricing.sol";
import {SessionLists} from "./SessionLists.sol";
import {SessionMoney} from "./SessionMoney.sol";
import {SessionOwners} from "./SessionOwners.sol";
import {Powers} from "./libraries/Powers.sol";
import {TermsRules} from "./libraries/TermsRules.sol";
import {Role} from "./types/Node.sol";
import {
    Escrow,
    Payment,
    Permit,
    Session,
    SessionRecord,
    SessionState,
    SettlementMode,
    TaskRules,
    Terms,
    TokenPrices
} from "./types/Session.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title The clients' sessions
/// @notice Sessions with their terms, lists, balance and escrow, and what nodes have earned. Only the task queue can
/// move money out of a balance; only the owner of a session gets the rest back.
contract Sessions is SessionLists, SessionOwners {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice What owners let routers spend.
    Allowances public immutable ALLOWANCES;

    /// @notice How many sessions were ever opened; also the id of the newest.
    uint64 public sessionCount;

    /// @param cor The token that is deposited.
    /// @param registry Who is a router.
    /// @param pricing The demand for each model.
    /// @param allowances What owners let routers spend.
    constructor(IERC20 cor, NodeRegistry registry, Pricing pricing, Allowances allowances)
        SessionMoney(cor, registry.PARAMETERS(), pricing)
        SessionLists(registry)
    {
        ALLOWANCES = allowances;
    }

    /// @notice Opens a session and pulls its first deposit by `transferFrom`.
    /// @param terms Its rules: version 1.
    /// @param routers Its routers, at least one, each registered.
    /// @param dedicatedMiners The list that counts while the mode is `Dedicated`.
    /// @param depositWei More than nothing.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return sessionId Its id, from 1.
    function open(
        Terms calldata terms,
        address[] calldata routers,
        address[] calldata dedicatedMiners,
        uint128 depositWei,
        bytes32 effectId
    ) external returns (uint64 sessionId) {
        return _openOnce(terms, routers, dedicatedMiners, depositWei, effectId);
    }

    /// @notice {open} with the approval of the deposit signed instead of sent: one transaction in all. A permit that
    /// someone else has brought already does no harm: what counts is the allowance.
    /// @param terms Its rules: version 1.
    /// @param routers Its routers, at least one, each registered.
    /// @param dedicatedMiners The list that counts while the mode is `Dedicated`.
    /// @param depositWei More than nothing; also what is permitted.
    /// @param permit The signed approval of just this amount.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return sessionId Its id, from 1.
    function openWithPermit(
        Terms calldata terms,
        address[] calldata routers,
        address[] calldata dedicatedMiners,
        uint128 depositWei,
        Permit calldata permit,
        bytes32 effectId
    ) external returns (uint64 sessionId) {
        _permit(depositWei, permit);
        return _openOnce(terms, routers, dedicatedMiners, depositWei, effectId);
    }

    /// @notice Gives a session other terms. Tasks that were submitted before keep those they were submitted under. Only
    /// the owner may, and not once the session ends.
    /// @param sessionId The session.
    /// @param terms Its rules from now on, for the same model; the lists stay, and must go with them.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return version The version of the terms that this made.
    function update(uint64 sessionId, Terms calldata terms, bytes32 effectId) external returns (uint32 version) {
        Session storage session = _ownedLive(sessionId);
        TermsRules.check(terms, PARAMETERS);
        TermsRules.checkLists(terms, _routers[sessionId].length(), _dedicated[sessionId].length());
        if (PRICING.modelNumberOf(keccak256(bytes(terms.model))) != session.model) revert ModelFixed(sessionId);
        _markEffectOnce(effectId);
        version = _writeVersion(sessionId, session, terms);
        emit SessionUpdated(sessionId, version, terms);
    }

    /// @notice Sets money of a session aside for a task. Only the queue may.
    /// @param sessionId The session.
    /// @param submitter Who submits the task: the owner, or a listed router where the terms or an allowance let it.
    /// @param maxPriceWei The most the submitter wants to pay; the terms' own maximum applies too.
    /// @return held What was set aside, the version of the terms the task runs under, and the demand it is priced at.
    function escrow(uint64 sessionId, address submitter, uint128 maxPriceWei) external returns (Escrow memory held) {
        _requirePower(Powers.ESCROW);
        Session storage session = _open(sessionId);
        address owner = session.owner;
        if (submitter != owner && !isRouter(sessionId, submitter)) revert NotSubmitter(sessionId, submitter);
        uint128 escrowWei = maxPriceWei < session.maxTaskPriceWei ? maxPriceWei : session.maxTaskPriceWei;
        if (escrowWei == 0) revert ZeroPrice(sessionId);
        if (submitter != owner && !session.routerMaySubmit) {
            ALLOWANCES.spend(sessionId, owner, submitter, escrowWei);
        }
        _setAside(session, escrowWei);
        _countTasks(sessionId, session, 1);
        held = Escrow({
            escrowWei: escrowWei,
            version: session.version,
            demandPpm: PRICING.began(session.model),
            queueTimeoutS: session.queueTimeoutS
        });
    }

    /// @notice Ends a task's escrow: credits the payments and returns the rest to the session. Only the queue may.
    /// @param sessionId The session.
    /// @param escrowWei What was set aside for the task.
    /// @param demandPpm The demand it was priced at, as {escrow} said.
    /// @param payments Who gets what, together at most the escrow; none for a refund.
    /// @return returnedWei What went back to the session.
    function release(uint64 sessionId, uint128 escrowWei, uint32 demandPpm, Payment[] calldata payments)
        external
        returns (uint128 returnedWei)
    {
        _requirePower(Powers.ESCROW);
        return _release(sessionId, escrowWei, demandPpm, payments);
    }

    /// @notice Sets the reservation fee of a session aside. The reservations only, while the session is open.
    /// @param sessionId The session.
    /// @return feeWei What was set aside.
    function holdFee(uint64 sessionId) external returns (uint128 feeWei) {
        _requirePower(Powers.RESERVE);
        Session storage session = _open(sessionId);
        feeWei = session.reserveFeeWei;
        _setAside(session, feeWei);
    }

    /// @notice Ends what was set aside for a reservation: credits the miner's part and returns the rest. The reservations
    /// only.
    /// @param sessionId The session.
    /// @param feeWei What was set aside.
    /// @param miner Who was reserved.
    /// @param paidWei What it earned, at most the fee.
    function payFee(uint64 sessionId, uint128 feeWei, address miner, uint128 paidWei) external {
        _requirePower(Powers.RESERVE);
        _credit(miner, paidWei);
        _endEscrow(sessionId, feeWei, paidWei);
    }

    /// @notice Sets money of a session aside for a batch of tasks. Only the batches may.
    /// @param sessionId The session.
    /// @param router Who posts the batch: a listed router, where the terms allow it and want batches.
    /// @param tasks How many tasks.
    /// @param amountWei The sum of their highest prices, each at most the terms' own.
    /// @return rules What the tasks run under: the newest version of the terms.
    /// @return prices What they pay per token.
    /// @return maxTaskPriceWei The highest price of one.
    function reserve(uint64 sessionId, address router, uint16 tasks, uint128 amountWei)
        external
        returns (TaskRules memory rules, TokenPrices memory prices, uint128 maxTaskPriceWei)
    {
        _requirePower(Powers.DRAW);
        Session storage session = _open(sessionId);
        if (!session.routerMaySubmit || !isRouter(sessionId, router)) revert NotSubmitter(sessionId, router);
        (rules, prices) = _termsAt(sessionId, session.version);
        maxTaskPriceWei = session.maxTaskPriceWei;
        if (rules.settlement != SettlementMode.Batched) revert NotBatched(sessionId);
        if (amountWei == 0) revert ZeroPrice(sessionId);
        if (amountWei > uint256(maxTaskPriceWei) * tasks) revert ReservedTooMuch(sessionId, amountWei);
        _setAside(session, amountWei);
        _countTasks(sessionId, session, tasks);
    }

    /// @notice All about a session; the state is `None` if there is no such session.
    /// @param sessionId The session.
    function sessionOf(uint64 sessionId) external view returns (SessionRecord memory) {
        return _record(sessionId);
    }

    /// @notice Up to `count` sessions in the order in which they were opened; fewer, or none, at the end.
    /// @param from The id of the first, from 1.
    /// @param count How many at most.
    function sessionsPage(uint64 from, uint64 count) external view returns (SessionRecord[] memory page) {
        if (from == 0 || from > sessionCount) return page;
        uint64 left = sessionCount - from + 1;
        page = new SessionRecord[](count < left ? count : left);
        for (uint64 i = 0; i < page.length; ++i) {
            page[i] = _record(from + i);
        }
    }

    function _openOnce(
        Terms calldata terms,
        address[] calldata routers,
        address[] calldata dedicatedMiners,
        uint128 depositWei,
        bytes32 effectId
    ) private returns (uint64 sessionId) {
        if (depositWei == 0) revert EmptyDeposit();
        if (!REGISTRY.isAuthorised(msg.sender, Role.Client)) revert NotAuthorised(msg.sender);
        TermsRules.check(terms, PARAMETERS);
        TermsRules.checkLists(terms, routers.length, dedicatedMiners.length);
        _markEffectOnce(effectId);
        sessionId = ++sessionCount;
        Session storage session = _sessions[sessionId];
        _own(session, sessionId, msg.sender);
        session.state = SessionState.Open;
        session.model = PRICING.numberOnce(keccak256(bytes(terms.model)));
        _writeVersion(sessionId, session, terms);
        _list(sessionId, routers, dedicatedMiners);
        emit SessionOpened(sessionId, msg.sender, terms, routers, dedicatedMiners);
        _deposit(sessionId, depositWei);
    }

    function _record(uint64 sessionId) private view returns (SessionRecord memory) {
        Session storage session = _sessions[sessionId];
        return SessionRecord({
            owner: session.owner,
            pendingOwner: session.pendingOwner,
            state: session.state,
            version: session.version,
            routerMaySubmit: session.routerMaySubmit,
            model: session.model,
            balanceWei: session.balanceWei,
            escrowedWei: session.escrowedWei,
            maxTaskPriceWei: session.maxTaskPriceWei,
            reserveFeeWei: session.reserveFeeWei,
            taskCount: session.taskCount,
            taskLimit: session.taskLimit,
            routerCount: _routers[sessionId].length(),
            dedicatedCount: _dedicated[sessionId].length()
        });
    }

    function _countTasks(uint64 sessionId, Session storage session, uint32 tasks) private {
        uint32 count = session.taskCount + tasks;
        uint32 limit = session.taskLimit;
        if (limit != 0 && count > limit) revert TaskLimitReached(sessionId, limit);
        session.taskCount = count;
    }
}
