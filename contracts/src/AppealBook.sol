// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealEvents} from "./AppealEvents.sol";
import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {TaskQueue} from "./TaskQueue.sol";
import {Appeal, AppealRecord, AppealState, AppealTotals} from "./types/Appeal.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title What is kept of appeals, and their money
/// @notice Bonds of open appeals, and what accounts are owed of bonds and of what validators lost. The contract holds
/// exactly `heldWei + owedWei` in tokens.
abstract contract AppealBook is EffectLog, AppealEvents {
    using SafeERC20 for IERC20;

    /// @notice Who validates, and whose stake is slashed.
    NodeRegistry public immutable REGISTRY;
    /// @notice The bond, what a contradicted validator loses, and the treasury.
    Parameters public immutable PARAMETERS;
    /// @notice The token of bonds.
    IERC20 public immutable COR;
    address private immutable _DEPLOYER;

    /// @notice Whose outcomes are appealed.
    TaskQueue public queue;

    mapping(bytes32 taskId => Appeal) internal _appeals;
    AppealTotals private _books;
    mapping(address account => uint128 amountWei) private _owedWei;

    /// @param registry Who validates, and whose stake is slashed.
    constructor(NodeRegistry registry) {
        REGISTRY = registry;
        PARAMETERS = registry.PARAMETERS();
        COR = registry.COR();
        _DEPLOYER = msg.sender;
    }

    /// @notice Names the queue, once. Only the deployer may.
    /// @param queue_ Whose outcomes are appealed.
    function bindQueue(TaskQueue queue_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (address(queue) != address(0) || address(queue_) == address(0)) revert QueueNotBindable();
        queue = queue_;
    }

    /// @notice Takes all that the sender is owed.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdraw(bytes32 effectId) external {
        uint128 amountWei = _owedWei[msg.sender];
        if (amountWei == 0) revert NothingOwed(msg.sender);
        _markEffectOnce(effectId);
        _owedWei[msg.sender] = 0;
        _books.owedWei -= amountWei;
        _books.withdrawnWei += amountWei;
        emit AppealWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    /// @notice What an account can withdraw, in wei.
    /// @param account The account.
    function owedTo(address account) external view returns (uint128) {
        return _owedWei[account];
    }

    /// @notice The appeals' money.
    function totals() external view returns (AppealTotals memory) {
        return _books;
    }

    /// @notice All about the appeal of a task; the state is `None` where there is none.
    /// @param taskId The task.
    function appealOf(bytes32 taskId) external view returns (AppealRecord memory) {
        Appeal storage appeal = _appeals[taskId];
        return AppealRecord({
            state: appeal.state,
            sessionId: appeal.sessionId,
            appellant: appeal.appellant,
            bondWei: appeal.bondWei,
            wanted: appeal.wanted,
            needed: _neededOf(appeal),
            beaconBlock: appeal.beaconBlock,
            beacon: appeal.beacon,
            drawBy: appeal.drawBy,
            attestBy: appeal.attestBy,
            validators: REGISTRY.nodesOf(appeal.drawn),
            opinions: appeal.opinions
        });
    }

    /// @dev More than half of all that are drawn, or would be if there were enough: more than the task's own validators.
    function _neededOf(Appeal storage appeal) internal view returns (uint8) {
        return appeal.state == AppealState.None ? 0 : appeal.wanted / 2 + 1;
    }

    function _open(bytes32 taskId) internal view returns (Appeal storage appeal) {
        appeal = _appeals[taskId];
        if (appeal.state != AppealState.Open) revert NoOpenAppeal(taskId);
    }

    /// @dev Pulls a bond. The last thing a call does.
    function _pullBond(uint128 amountWei) internal {
        _books.bondedWei += amountWei;
        _books.heldWei += amountWei;
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    /// @dev A bond is nobody's until its parts are credited.
    function _freeBond(Appeal storage appeal) internal returns (uint128 bondWei) {
        bondWei = appeal.bondWei;
        _books.heldWei -= bondWei;
    }

    /// @dev Takes what the registry has for the appeals of what was just slashed.
    function _takeRewards(bytes32 taskId, uint128 amountWei) internal {
        if (amountWei == 0) return;
        _books.rewardedWei += amountWei;
        // A task is ruled on once, so its id serves as that of the effect.
        REGISTRY.withdrawReward(taskId);
    }

    function _credit(bytes32 taskId, address account, uint128 amountWei) internal {
        if (amountWei == 0) return;
        _owedWei[account] += amountWei;
        _books.owedWei += amountWei;
        emit AppealCredited(account, taskId, amountWei);
    }
}
