// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionEvents} from "../../src/SessionEvents.sol";
import {TermsRules} from "../../src/libraries/TermsRules.sol";
import {Role} from "../../src/types/Node.sol";
import {PoolMode, SettlementMode, Terms} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract SessionTermsTest is NetworkTest {
    function test_everyTermHasItsBounds() external {
        Terms memory terms = defaultTerms();
        terms.model = "";
        _refuses(terms, "model", 0, 1, 128);
        terms.model = string(new bytes(129));
        _refuses(terms, "model", 129, 1, 128);

        terms = defaultTerms();
        terms.redundancy = 0;
        _refuses(terms, "redundancy", 0, 1, 16);
        terms.redundancy = 17;
        _refuses(terms, "redundancy", 17, 1, 16);

        terms = defaultTerms();
        terms.minMiners = 0;
        _refuses(terms, "minMiners", 0, 1, 3);
        terms.minMiners = 4;
        _refuses(terms, "minMiners", 4, 1, 3);

        terms = defaultTerms();
        terms.maxMiners = 2;
        _refuses(terms, "maxMiners", 2, 3, 64);
        terms.maxMiners = 65;
        _refuses(terms, "maxMiners", 65, 3, 64);

        terms = defaultTerms();
        terms.level = 4;
        _refuses(terms, "level", 4, 0, 3);

        terms = defaultTerms();
        terms.validators = 0;
        _refuses(terms, "validators", 0, 1, 16);
        terms.validators = 17;
        _refuses(terms, "validators", 17, 1, 16);

        terms = defaultTerms();
        terms.similarityBps = 10_001;
        _refuses(terms, "similarityBps", 10_001, 0, 10_000);

        terms = defaultTerms();
        terms.maxTaskPriceWei = 0;
        _refuses(terms, "maxTaskPriceWei", 0, 1, type(uint128).max);

        terms = defaultTerms();
        terms.reserveFeeWei = MAX_PRICE + 1;
        _refuses(terms, "reserveFeeWei", MAX_PRICE + 1, 0, MAX_PRICE);

        terms = defaultTerms();
        terms.taskLimit = 1_000_000_001;
        _refuses(terms, "taskLimit", 1_000_000_001, 0, 1_000_000_000);
    }

    function test_everyTimeoutHasItsBounds() external {
        Terms memory terms = defaultTerms();
        terms.queueTimeoutS = 0;
        _refuses(terms, "queueTimeoutS", 0, 1, 1 days);
        terms.queueTimeoutS = 1 days + 1;
        _refuses(terms, "queueTimeoutS", 1 days + 1, 1, 1 days);

        terms = defaultTerms();
        terms.ackTimeoutS = 0;
        _refuses(terms, "ackTimeoutS", 0, 1, 1 hours);
        terms.ackTimeoutS = 1 hours + 1;
        _refuses(terms, "ackTimeoutS", 1 hours + 1, 1, 1 hours);

        terms = defaultTerms();
        terms.executeTimeoutS = 0;
        _refuses(terms, "executeTimeoutS", 0, 1, 1 hours);
        terms.executeTimeoutS = 1 hours + 1;
        _refuses(terms, "executeTimeoutS", 1 hours + 1, 1, 1 hours);

        terms = defaultTerms();
        terms.revealTimeoutS = 0;
        _refuses(terms, "revealTimeoutS", 0, 1, 1 hours);
        terms.revealTimeoutS = 1 hours + 1;
        _refuses(terms, "revealTimeoutS", 1 hours + 1, 1, 1 hours);

        terms = defaultTerms();
        terms.validateTimeoutS = 0;
        _refuses(terms, "validateTimeoutS", 0, 1, 1 hours);
        terms.validateTimeoutS = 1 hours + 1;
        _refuses(terms, "validateTimeoutS", 1 hours + 1, 1, 1 hours);

        terms = defaultTerms();
        terms.appealWindowS = 1 hours + 1;
        _refuses(terms, "appealWindowS", 1 hours + 1, 0, 1 hours);
        terms.appealWindowS = 1;
        terms.settlement = SettlementMode.Batched;
        _refuses(terms, "appealWindowS", 1, 0, 0);
        terms.settlement = SettlementMode.PerTask;
        (terms.level, terms.validators) = (0, 0);
        _refuses(terms, "appealWindowS", 1, 0, 0);

        terms = defaultTerms();
        terms.reservePeriodS = 1 days + 1;
        _refuses(terms, "reservePeriodS", 1 days + 1, 0, 1 days);
    }

    function test_everyListHasItsBounds() external {
        Terms memory terms = defaultTerms();
        _refusesLists(terms, 0, 0, "routers", 0, 1, 16);
        _refusesLists(terms, 17, 0, "routers", 17, 1, 16);
        _refusesLists(terms, 1, 65, "dedicatedMiners", 65, 0, 64);

        (terms.minMiners, terms.maxMiners) = (2, 5);
        _refusesLists(terms, 1, 6, "dedicatedMiners", 6, 0, 5);
        terms.mode = PoolMode.Dedicated;
        _refusesLists(terms, 1, 1, "dedicatedMiners", 1, 2, 5);
        _refusesLists(terms, 1, 6, "dedicatedMiners", 6, 2, 5);
        assertEq(openSession(terms, routers, first(miners, 2)), 1, "just enough");
        assertEq(openSession(terms, routers, first(miners, 5)), 2, "just not too many");
    }

    function test_termsAtTheirBoundsAreFine() external {
        Terms memory terms = defaultTerms();
        terms.model = string(new bytes(128));
        (terms.redundancy, terms.validators, terms.level) = (16, 16, 3);
        terms.similarityBps = 10_000;
        terms.queueTimeoutS = 1 days;
        (terms.ackTimeoutS, terms.executeTimeoutS) = (1 hours, 1 hours);
        (terms.revealTimeoutS, terms.validateTimeoutS) = (1 hours, 1 hours);
        (terms.minMiners, terms.maxMiners, terms.mode) = (16, 64, PoolMode.Dedicated);
        (terms.appealWindowS, terms.reservePeriodS) = (1 hours, 1 days);
        (terms.reserveFeeWei, terms.taskLimit) = (MAX_PRICE, 1_000_000_000);
        address[] memory many = new address[](16);
        for (uint256 i = 0; i < 16; ++i) {
            many[i] = account(vm.toString(i));
            join(many[i], Role.Router, STAKE);
        }
        openSession(terms, many, _some(64));
        (terms.appealWindowS, terms.settlement) = (0, SettlementMode.Batched);
        openSession(terms, many, _some(64));

        terms = defaultTerms();
        (terms.redundancy, terms.validators, terms.level, terms.similarityBps) = (1, 0, 0, 0);
        terms.maxMiners = 1;
        terms.maxTaskPriceWei = 1;
        (terms.queueTimeoutS, terms.ackTimeoutS, terms.executeTimeoutS) = (1, 1, 1);
        (terms.revealTimeoutS, terms.validateTimeoutS) = (1, 1);
        openSession(terms);
        assertEq(sessions.sessionCount(), 3, "all opened");
    }

    function test_nobodyIsListedTwice() external {
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.AlreadyListed.selector, 1, routers[0]));
        openSession(defaultTerms(), pair(routers[0], routers[0]), nobody());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.AlreadyListed.selector, 1, miners[0]));
        openSession(defaultTerms(), routers, pair(miners[0], miners[0]));
    }

    function _some(uint256 count) private pure returns (address[] memory some) {
        some = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            some[i] = address(uint160(i + 1));
        }
    }

    function _refusesLists(
        Terms memory terms,
        uint256 routerCount,
        uint256 minerCount,
        string memory term,
        uint256 value,
        uint256 low,
        uint256 high
    ) private {
        vm.expectRevert(abi.encodeWithSelector(TermsRules.TermOutOfBounds.selector, term, value, low, high));
        openSession(terms, _some(routerCount), _some(minerCount));
    }

    function _refuses(Terms memory terms, string memory term, uint256 value, uint256 low, uint256 high) private {
        vm.expectRevert(abi.encodeWithSelector(TermsRules.TermOutOfBounds.selector, term, value, low, high));
        openSession(terms);
    }
}
