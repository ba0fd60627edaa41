// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Shares} from "../types/Economy.sol";
import {Payment, Share, TokenPrices} from "../types/Session.sol";
import {Limits} from "./Limits.sol";

/// @title How a task's price is divided
/// @notice The payments always add up to the price: the treasury gets its own part, every part that nobody earned and
/// all rounding.
library PriceSplit {
    /// @dev The price of delivered work at a demand, at most the escrow.
    function price(
        uint32 promptTokens,
        uint32 outputTokens,
        TokenPrices memory prices,
        uint32 demandPpm,
        uint128 escrowWei
    ) internal pure returns (uint128) {
        uint256 baseWei = uint256(promptTokens) * prices.promptTokenWei + uint256(outputTokens) * prices.outputTokenWei;
        uint256 fullWei = (baseWei * demandPpm) / Limits.PPM;
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the escrow, which fits
        return fullWei < escrowWei ? uint128(fullWei) : escrowWei;
    }

    /// @dev One payment for each honest miner, each validator that attested the outcome, the router, the oracle
    /// unless it is zero, and the treasury, in this order.
    function split(
        uint128 priceWei,
        address[] memory miners,
        address[] memory validators,
        address router,
        address oracle,
        Shares memory shares
    ) internal pure returns (Payment[] memory payments) {
        uint256 others = oracle == address(0) ? 2 : 3;
        payments = new Payment[](miners.length + validators.length + others);
        uint128 leftWei = priceWei - _share(payments, 0, miners, Share.Miner, _part(priceWei, shares.minersBps));
        uint256 next = miners.length;
        leftWei -= _share(payments, next, validators, Share.Validator, _part(priceWei, shares.validatorsBps));
        next += validators.length;
        uint128 partWei = _part(priceWei, shares.routerBps);
        payments[next++] = Payment({to: router, role: Share.Router, amountWei: partWei});
        leftWei -= partWei;
        if (oracle != address(0)) {
            partWei = _part(priceWei, shares.oracleBps);
            payments[next++] = Payment({to: oracle, role: Share.Oracle, amountWei: partWei});
            leftWei -= partWei;
        }
        payments[next] = Payment({to: shares.treasury, role: Share.Treasury, amountWei: leftWei});
    }

    /// @dev Writes equal payments to all of a kind and returns their sum, which rounding leaves below the part.
    function _share(Payment[] memory payments, uint256 from, address[] memory accounts, Share role, uint128 partWei)
        private
        pure
        returns (uint128)
    {
        uint256 count = accounts.length;
        if (count == 0) return 0;
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the part, which fits
        uint128 eachWei = uint128(partWei / count);
        for (uint256 i = 0; i < count; ++i) {
            payments[from + i] = Payment({to: accounts[i], role: role, amountWei: eachWei});
        }
        // forge-lint: disable-next-line(unsafe-typecast) at most the part, which fits
        return uint128(eachWei * count);
    }

    function _part(uint128 priceWei, uint256 bps) private pure returns (uint128) {
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the price, which fits
        return uint128((uint256(priceWei) * bps) / Limits.BPS);
    }
}
