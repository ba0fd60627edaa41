// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The network's token, $COR
/// @notice An ERC-20 with permit and a fixed supply. It has no hooks, no owner and no fees, so a contract that
/// moves it is never called back and always receives what was sent.
contract Cor is ERC20Permit, EffectLog {
    /// @notice All $COR there will ever be, in wei.
    uint256 public constant SUPPLY_WEI = 1_000_000_000 ether;

    /// @param holder Who receives the whole supply.
    constructor(address holder) ERC20("COR", "COR") ERC20Permit("COR") {
        _mint(holder, SUPPLY_WEI);
    }

    /// @notice `transfer` for senders that may crash between sending and hearing the answer.
    /// @param to Who receives the tokens.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this transfer; a second use reverts.
    function transferOnce(address to, uint256 amountWei, bytes32 effectId) external {
        _markEffectOnce(effectId);
        _transfer(msg.sender, to, amountWei);
    }
}
