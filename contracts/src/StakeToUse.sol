// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Sessions} from "./Sessions.sol";
import {TaskQueue} from "./TaskQueue.sol";
import {Limits} from "./libraries/Limits.sol";
import {Terms} from "./types/Session.sol";
import {UserStake} from "./types/UserStake.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title The second way to pay
/// @notice Who stakes $COR may use the network for a part of it each day, and gets all of it back. The tasks are paid from
/// a pool that anyone may fill, the treasury above all: from sessions that this contract owns, so that what is left of them
/// returns to the pool and never to a user. Stakes are never touched.
contract StakeToUse is EffectLog {
    using SafeERC20 for IERC20;

    /// @notice The pool received money.
    event PoolFunded(address indexed from, uint128 amountWei);
    /// @notice An account staked for its use of the network.
    event UserStaked(address indexed user, uint128 amountWei);
    /// @notice An account asked for its stake; it can use the network no more.
    event UserUnstakeRequested(address indexed user, uint40 unlocksAt);
    /// @notice An account got its stake back.
    event UserStakeWithdrawn(address indexed user, uint128 amountWei);
    /// @notice An account has a session that the pool pays for.
    event PoolSessionOpened(address indexed user, uint64 indexed sessionId);

    /// @notice Nothing is nothing to add.
    error EmptyAmount();
    /// @notice The account has no stake, or has asked for it.
    error NotStaked(address user);
    /// @notice The stake is locked; `unlocksAt` is zero where it was never asked for.
    error StakeLocked(address user, uint40 unlocksAt);
    /// @notice The allowance of the account does not cover it now; it grows with time.
    error UseExceeded(uint128 availableWei, uint128 requiredWei);
    /// @notice The pool does not cover it.
    error PoolExhausted(uint256 availableWei, uint128 requiredWei);
    /// @notice The session is another account's.
    error NotUserOfSession(uint64 sessionId, address user);

    /// @notice The token.
    IERC20 public immutable COR;
    /// @notice Where tasks are paid from.
    Sessions public immutable SESSIONS;
    /// @notice Where tasks are submitted.
    TaskQueue public immutable QUEUE;

    /// @notice All stakes together, in wei.
    uint128 public stakedWei;

    mapping(address user => UserStake) private _stakes;
    mapping(uint64 sessionId => address user) private _userOf;

    /// @param queue Where tasks are submitted.
    constructor(TaskQueue queue) {
        QUEUE = queue;
        SESSIONS = queue.SESSIONS();
        COR = SESSIONS.COR();
        COR.forceApprove(address(SESSIONS), type(uint256).max);
    }

    // ---------------------------------------------------------------- the pool

    /// @notice Adds money to the pool, for good. Anyone may.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this call; a second use reverts.
    function fundPool(uint128 amountWei, bytes32 effectId) external {
        if (amountWei == 0) revert EmptyAmount();
        _markEffectOnce(effectId);
        emit PoolFunded(msg.sender, amountWei);
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    /// @notice What is in the pool: all that this contract holds but the stakes, refunds of its sessions included.
    function poolWei() public view returns (uint256) {
        return COR.balanceOf(address(this)) - stakedWei;
    }

    // ---------------------------------------------------------------- stakes

    /// @notice Stakes for use. What may be used begins at nothing and grows; staking more keeps what has grown.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this call; a second use reverts.
    function stake(uint128 amountWei, bytes32 effectId) external {
        if (amountWei == 0) revert EmptyAmount();
        _markEffectOnce(effectId);
        UserStake storage user = _stakes[msg.sender];
        _grow(user);
        user.amountWei += amountWei;
        user.unlocksAt = 0;
        stakedWei += amountWei;
        emit UserStaked(msg.sender, amountWei);
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    /// @notice Asks for the whole stake. From now on nothing may be used.
    /// @param effectId The sender's id of this call.
    function requestUnstake(bytes32 effectId) external {
        UserStake storage user = _active(msg.sender);
        _markEffect(effectId);
        user.unlocksAt = uint40(block.timestamp) + Limits.USE_UNLOCK_S;
        user.grownWei = 0;
        emit UserUnstakeRequested(msg.sender, user.unlocksAt);
    }

    /// @notice Takes the stake back after the delay, whatever became of the pool.
    /// @param effectId The sender's id of this call.
    function withdrawStake(bytes32 effectId) external {
        UserStake storage user = _stakes[msg.sender];
        uint40 unlocksAt = user.unlocksAt;
        if (unlocksAt == 0 || block.timestamp < unlocksAt) revert StakeLocked(msg.sender, unlocksAt);
        _markEffect(effectId);
        uint128 amountWei = user.amountWei;
        delete _stakes[msg.sender];
        stakedWei -= amountWei;
        emit UserStakeWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    // ---------------------------------------------------------------- use

    /// @notice Opens a session that the pool pays for, with a first deposit out of the sender's allowance.
    /// @param terms Its rules. Whether routers may submit is not the user's to say: they may not, or the allowance would
    /// be theirs.
    /// @param routers Its routers.
    /// @param dedicatedMiners Its dedicated miners.
    /// @param depositWei The first deposit.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return sessionId Its id.
    function open(
        Terms memory terms,
        address[] calldata routers,
        address[] calldata dedicatedMiners,
        uint128 depositWei,
        bytes32 effectId
    ) external returns (uint64 sessionId) {
        _markEffectOnce(effectId);
        _use(depositWei);
        terms.routerMaySubmit = false;
        sessionId = SESSIONS.open(terms, routers, dedicatedMiners, depositWei, _own(effectId));
        _userOf[sessionId] = msg.sender;
        emit PoolSessionOpened(msg.sender, sessionId);
    }

    /// @notice Moves more of the sender's allowance from the pool into its session.
    /// @param sessionId The session.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this call; a second use reverts.
    function topUp(uint64 sessionId, uint128 amountWei, bytes32 effectId) external {
        _requireUser(sessionId);
        _markEffectOnce(effectId);
        _use(amountWei);
        SESSIONS.deposit(sessionId, amountWei, _own(effectId));
    }

    /// @notice Submits a task to the sender's session.
    /// @param sessionId The session.
    /// @param requestId The sender's own id of the request.
    /// @param promptDigest The digest of the prompt.
    /// @param maxTokens How long the output may be.
    /// @param maxPriceWei The most it may cost.
    /// @param effectId The sender's id of this call.
    /// @return taskId The task's id.
    function submit(
        uint64 sessionId,
        bytes32 requestId,
        bytes32 promptDigest,
        uint32 maxTokens,
        uint128 maxPriceWei,
        bytes32 effectId
    ) external returns (bytes32 taskId) {
        _requireUser(sessionId);
        _active(msg.sender);
        _markEffect(effectId);
        return QUEUE.submit(sessionId, requestId, promptDigest, maxTokens, maxPriceWei, _own(effectId));
    }

    /// @notice Ends a session: what is left goes back to the pool. Its user may; anyone may once the user's stake is gone.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call.
    function close(uint64 sessionId, bytes32 effectId) external {
        address user = _userOf[sessionId];
        if (user == address(0) || (user != msg.sender && _stakes[user].amountWei != 0)) {
            revert NotUserOfSession(sessionId, msg.sender);
        }
        _markEffect(effectId);
        SESSIONS.close(sessionId, _own(effectId));
    }

    /// @notice A stake, and what may be used of the pool for it now.
    /// @param account The account.
    function stakeOf(address account) external view returns (UserStake memory user, uint128 usableWei) {
        user = _stakes[account];
        usableWei = _grown(user);
    }

    /// @notice Whose session it is; zero for one that is not the pool's.
    /// @param sessionId The session.
    function userOf(uint64 sessionId) external view returns (address) {
        return _userOf[sessionId];
    }

    function _use(uint128 amountWei) private {
        UserStake storage user = _active(msg.sender);
        _grow(user);
        if (amountWei > user.grownWei) revert UseExceeded(user.grownWei, amountWei);
        uint256 availableWei = poolWei();
        if (amountWei > availableWei) revert PoolExhausted(availableWei, amountWei);
        user.grownWei -= amountWei;
    }

    function _grow(UserStake storage user) private {
        user.grownWei = _grown(user);
        user.grownAt = uint40(block.timestamp);
    }

    /// @dev A bucket that fills in a day and holds a day's use: any window of a day lets at most two through, however calls
    /// are spread, and nothing has to be counted by windows.
    function _grown(UserStake memory user) private view returns (uint128) {
        if (user.unlocksAt != 0) return 0;
        uint256 fullWei = (uint256(user.amountWei) * Limits.USE_BPS_PER_WINDOW) / Limits.BPS;
        uint256 grownWei = user.grownWei + (fullWei * (block.timestamp - user.grownAt)) / Limits.USE_WINDOW_S;
        // forge-lint: disable-next-line(unsafe-typecast) at most a part of the stake, which fits
        return uint128(grownWei < fullWei ? grownWei : fullWei);
    }

    function _active(address account) private view returns (UserStake storage user) {
        user = _stakes[account];
        if (user.amountWei == 0 || user.unlocksAt != 0) revert NotStaked(account);
    }

    function _requireUser(uint64 sessionId) private view {
        if (_userOf[sessionId] != msg.sender) revert NotUserOfSession(sessionId, msg.sender);
    }

    /// @dev This contract's own effect id for a user's: users may choose the same.
    function _own(bytes32 effectId) private view returns (bytes32) {
        return keccak256(abi.encode(msg.sender, effectId));
    }
}
