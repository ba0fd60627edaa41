// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title The owner of the parameters
/// @notice What it is to do is on chain for the whole delay before anybody can have it done. It has no administrator but
/// itself; one account proposes and may cancel, and once the delay is over anyone may execute.
contract Timelock is TimelockController {
    /// @param delayS Seconds between a proposal and its execution; longer than any task can live, in production.
    /// @param proposer Who proposes and cancels.
    constructor(uint256 delayS, address proposer)
        TimelockController(delayS, _only(proposer), _only(address(0)), address(0))
    {}

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
