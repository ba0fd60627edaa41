// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../base/Test.sol";
import {BatchHandler} from "./BatchHandler.sol";

/// @notice What is true of batches after any sequence of actions of anybody.
/// forge-config: default.invariant.runs = 256
/// forge-config: default.invariant.depth = 500
contract BatchInvariantTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    BatchHandler private _handler;

    function setUp() external {
        _handler = new BatchHandler();
        _handler.setUp();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[12] memory actions = [
            BatchHandler.posterBegins.selector,
            BatchHandler.posterGoesOn.selector,
            BatchHandler.posterWithdraws.selector,
            BatchHandler.watcherProves.selector,
            BatchHandler.watcherDemands.selector,
            BatchHandler.posterAnswers.selector,
            BatchHandler.strangerUsesADemand.selector,
            BatchHandler.strangerEnds.selector,
            BatchHandler.strangerClaims.selector,
            BatchHandler.clientCloses.selector,
            BatchHandler.timePasses.selector,
            BatchHandler.anybodyTriesInVain.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(_handler), selectors: new bytes4[](12)});
        for (uint256 i = 0; i < 12; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev The handler checks the money after every single action, against what it counted itself.
    function invariant_moneyIsConservedAndNobodyIsPaidTwice() external view {
        _handler.assertBatchMoney();
    }

    /// @dev Whatever happened, time alone lets everybody out: batches end, sessions close, bonds and deposits come back,
    /// and who earned by an honest line is paid to the last wei.
    function afterInvariant() external {
        _handler.everybodyLeaves();
    }
}
