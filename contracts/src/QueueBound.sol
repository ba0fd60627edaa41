// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract that one task queue may command
/// @notice The queue is deployed last, so its address is set once, by the deployer, and can never change after.
abstract contract QueueBound {
    /// @notice The queue was set.
    /// @param queue The task queue.
    event QueueBoundTo(address indexed queue);

    /// @notice Only the deployer may set the queue.
    error NotDeployer(address account);
    /// @notice The queue is set for good.
    error QueueAlreadyBound(address queue);
    /// @notice Zero is not a queue.
    error ZeroQueue();
    /// @notice Only the queue may do this.
    error NotQueue(address account);

    address private immutable _DEPLOYER;

    /// @notice The task queue, or zero before it is set.
    address public queue;

    constructor() {
        _DEPLOYER = msg.sender;
    }

    /// @notice Sets the queue, once. Only the deployer may.
    /// @param queue_ The task queue's address.
    function bindQueue(address queue_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (queue != address(0)) revert QueueAlreadyBound(queue);
        if (queue_ == address(0)) revert ZeroQueue();
        queue = queue_;
        emit QueueBoundTo(queue_);
    }

    /// @dev Reverts unless the queue is calling.
    function _requireQueue() internal view {
        if (msg.sender != queue) revert NotQueue(msg.sender);
    }
}
