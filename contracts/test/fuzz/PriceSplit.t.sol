// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defaults} from "../../script/Defaults.sol";
import {PriceSplit} from "../../src/libraries/PriceSplit.sol";
import {Payment, Share, TokenPrices} from "../../src/types/Session.sol";
import {Test} from "../base/Test.sol";

contract PriceSplitTest is Test {
    address private constant ROUTER = address(0x1001);
    address private constant ORACLE = address(0x1002);
    address private constant TREASURY = address(0x1003);

    function testFuzz_thePriceIsWhatTheTokensCostUpToTheEscrow(
        uint32 promptTokens,
        uint32 outputTokens,
        uint128 promptTokenWei,
        uint128 outputTokenWei,
        uint32 demandPpm,
        uint128 escrowWei
    ) external pure {
        uint256 base = uint256(promptTokens) * promptTokenWei + uint256(outputTokens) * outputTokenWei;
        uint256 full = (base * demandPpm) / 1_000_000;
        TokenPrices memory prices = TokenPrices({promptTokenWei: promptTokenWei, outputTokenWei: outputTokenWei});
        uint128 price = PriceSplit.price(promptTokens, outputTokens, prices, demandPpm, escrowWei);
        assertEq(price, full < escrowWei ? full : escrowWei, "price");
    }

    function testFuzz_thePaymentsAddUpToThePrice(uint128 priceWei, uint256 miners, uint256 validators, bool hasOracle)
        external
        pure
    {
        Payment[] memory payments = _split(priceWei, within(miners, 1, 16), within(validators, 0, 16), hasOracle);
        uint256 sum = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            sum += payments[i].amountWei;
        }
        assertEq(sum, priceWei, "to the last wei");
    }

    function testFuzz_everybodyGetsItsShare(uint128 priceWei, uint256 miners, uint256 validators, bool hasOracle)
        external
        pure
    {
        miners = within(miners, 1, 16);
        validators = within(validators, 0, 16);
        Payment[] memory payments = _split(priceWei, miners, validators, hasOracle);
        assertEq(payments.length, miners + validators + (hasOracle ? 3 : 2), "one payment each");
        uint256 next = 0;
        for (uint256 i = 0; i < miners; ++i) {
            _assertPayment(payments[next++], address(uint160(i + 1)), Share.Miner, _bps(priceWei, 8000) / miners);
        }
        for (uint256 i = 0; i < validators; ++i) {
            address validator = address(uint160(i + 101));
            _assertPayment(payments[next++], validator, Share.Validator, _bps(priceWei, 800) / validators);
        }
        _assertPayment(payments[next++], ROUTER, Share.Router, _bps(priceWei, 700));
        if (hasOracle) _assertPayment(payments[next++], ORACLE, Share.Oracle, _bps(priceWei, 200));
        assertEq(payments[next].to, TREASURY, "treasury");
        assertEq(uint256(payments[next].role), uint256(Share.Treasury), "the last");
        uint256 least = _bps(priceWei, 300 + (validators == 0 ? 800 : 0) + (hasOracle ? 0 : 200));
        uint256 rounding = payments[next].amountWei - least;
        assertTrue(rounding <= miners + validators + 4, "its part, what had no taker and the rounding");
    }

    function _assertPayment(Payment memory payment, address to, Share role, uint256 amountWei) private pure {
        assertEq(payment.to, to, "to");
        assertEq(uint256(payment.role), uint256(role), "role");
        assertEq(payment.amountWei, amountWei, "amount");
    }

    function _bps(uint256 amountWei, uint256 bps) private pure returns (uint256) {
        return (amountWei * bps) / 10_000;
    }

    function _split(uint128 priceWei, uint256 miners, uint256 validators, bool hasOracle)
        private
        pure
        returns (Payment[] memory)
    {
        return PriceSplit.split(
            priceWei,
            _accounts(1, miners),
            _accounts(101, validators),
            ROUTER,
            hasOracle ? ORACLE : address(0),
            Defaults.economy(TREASURY).shares
        );
    }

    function _accounts(uint160 from, uint256 count) private pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint160 i = 0; i < count; ++i) {
            accounts[i] = address(from + i);
        }
    }
}
