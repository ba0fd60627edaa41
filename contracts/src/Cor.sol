// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The network's token, $COR
/// @notice An ERC-20 with permit and a capped supply. It has no hooks, no owner and no fees, so a contract that
/// moves it is never called back and always receives what was sent. What is not there from the start only the rewards
/// contract can mint, and never more than the cap.
contract Cor is ERC20Capped, ERC20Permit, EffectLog {
    /// @notice The $COR there are from the start, in wei.
    uint256 public constant GENESIS_WEI = 900_000_000 ether;
    /// @notice All $COR there can ever be, in wei.
    uint256 public constant CAP_WEI = 1_000_000_000 ether;

    /// @notice The minter was set.
    event MinterBound(address indexed minter);

    /// @notice Only the deployer may set the minter.
    error NotDeployer(address account);
    /// @notice The minter is set for good.
    error MinterAlreadyBound(address minter);
    /// @notice Zero is not a minter.
    error ZeroMinter();
    /// @notice Only the minter mints.
    error NotMinter(address account);

    address private immutable _DEPLOYER;

    /// @notice The rewards contract; zero before it is set.
    address public minter;

    /// @param holder Who receives the supply that is there from the start.
    constructor(address holder) ERC20("COR", "COR") ERC20Permit("COR") ERC20Capped(CAP_WEI) {
        _DEPLOYER = msg.sender;
        _mint(holder, GENESIS_WEI);
    }

    /// @notice Sets the minter, once. Only the deployer may.
    /// @param minter_ The rewards contract.
    function bindMinter(address minter_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (minter != address(0)) revert MinterAlreadyBound(minter);
        if (minter_ == address(0)) revert ZeroMinter();
        minter = minter_;
        emit MinterBound(minter_);
    }

    /// @notice Makes new tokens, up to the cap. Only the minter may.
    /// @param to Who receives them.
    /// @param amountWei How much.
    function mint(address to, uint256 amountWei) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(to, amountWei);
    }

    /// @notice `transfer` for senders that may crash between sending and hearing the answer.
    /// @param to Who receives the tokens.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this transfer; a second use reverts.
    function transferOnce(address to, uint256 amountWei, bytes32 effectId) external {
        _markEffectOnce(effectId);
        _transfer(msg.sender, to, amountWei);
    }

    /// @dev Both bases change what a transfer does; the cap is what remains.
    function _update(address from, address to, uint256 amountWei) internal override(ERC20, ERC20Capped) {
        super._update(from, to, amountWei);
    }
}
