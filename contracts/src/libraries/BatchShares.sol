// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchRates, OutcomeLeaf, PrecommitLeaf} from "../types/Batch.sol";
import {Share} from "../types/Session.sol";
import {Limits} from "./Limits.sol";

/// @title Who earns what by a task of a batch
/// @notice The same amounts as {PriceSplit} has for a task without an oracle, one at a time.
library BatchShares {
    /// @dev What an account earns by one share of a task; zero where that share is not the account's.
    function amountOf(
        BatchHeader calldata header,
        PrecommitLeaf calldata task,
        OutcomeLeaf calldata outcome,
        Share share,
        address account
    ) internal pure returns (uint128) {
        BatchRates calldata rates = header.rates;
        uint128 minerWei = each(outcome.priceWei, rates.minersBps, outcome.honest);
        if (share == Share.Miner) return _has(task.miners, outcome.honest, account) ? minerWei : 0;
        uint128 validatorWei = each(outcome.priceWei, rates.validatorsBps, outcome.voters);
        if (share == Share.Validator) return _has(task.validators, outcome.voters, account) ? validatorWei : 0;
        uint128 routerWei = _part(outcome.priceWei, rates.routerBps);
        if (share == Share.Router) return account == header.poster ? routerWei : 0;
        if (share != Share.Treasury || account != rates.treasury) return 0;
        // forge-lint: disable-next-line(unsafe-typecast) no set has more than 16 members, and all parts fit the price
        return outcome.priceWei - routerWei - minerWei * uint128(size(outcome.honest)) - validatorWei
            * uint128(size(outcome.voters));
    }

    /// @dev What each of a set gets of a part of the price; zero for no set.
    function each(uint128 priceWei, uint256 bps, uint16 set) internal pure returns (uint128) {
        // forge-lint: disable-next-line(unsafe-typecast) at most 16
        return set == 0 ? 0 : _part(priceWei, bps) / uint128(size(set));
    }

    /// @dev How many members a set has.
    function size(uint16 set) internal pure returns (uint256 count) {
        for (uint256 rest = set; rest != 0; rest &= rest - 1) {
            ++count;
        }
    }

    /// @dev Whether an account is in a set of a list. Bits past the end of the list name nobody.
    function _has(address[] calldata list, uint16 set, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account && (set >> i) & 1 != 0) return true;
        }
        return false;
    }

    function _part(uint128 priceWei, uint256 bps) private pure returns (uint128) {
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the price, which fits
        return uint128((uint256(priceWei) * bps) / Limits.BPS);
    }
}
