// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RewardToken} from "../../src/interfaces/RewardToken.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

/// @notice $COR with a minter, as rewards need it.
contract MintedCor is ERC20Capped, RewardToken {
    error NotMinter(address account);

    address public minter;

    constructor(address holder) ERC20("COR", "COR") ERC20Capped(1_000_000_000 ether) {
        _mint(holder, 900_000_000 ether);
    }

    function bindMinter(address minter_) external {
        minter = minter_;
    }

    function mint(address to, uint256 amountWei) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(to, amountWei);
    }

    function cap() public view override(ERC20Capped, RewardToken) returns (uint256) {
        return super.cap();
    }

    function totalSupply() public view override(ERC20, RewardToken) returns (uint256) {
        return super.totalSupply();
    }
}
