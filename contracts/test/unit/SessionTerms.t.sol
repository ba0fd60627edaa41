// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TermsRules} from "../../src/libraries/TermsRules.sol";
import {Terms} from "../../src/types/Session.sol";
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
    }

    function test_everyListHasItsBounds() external {
        Terms memory terms = defaultTerms();
        terms.routers = new address[](0);
        _refuses(terms, "routers", 0, 1, 16);
        terms.routers = new address[](17);
        _refuses(terms, "routers", 17, 1, 16);

        terms = defaultTerms();
        terms.dedicatedMiners = new address[](65);
        _refuses(terms, "dedicatedMiners", 65, 0, 64);
    }

    function test_termsAtTheirBoundsAreFine() external {
        Terms memory terms = defaultTerms();
        terms.model = string(new bytes(128));
        (terms.redundancy, terms.validators, terms.level) = (16, 16, 3);
        terms.similarityBps = 10_000;
        terms.queueTimeoutS = 1 days;
        (terms.ackTimeoutS, terms.executeTimeoutS) = (1 hours, 1 hours);
        (terms.revealTimeoutS, terms.validateTimeoutS) = (1 hours, 1 hours);
        terms.routers = new address[](16);
        for (uint256 i = 0; i < 16; ++i) {
            terms.routers[i] = routers[i % 2];
        }
        terms.dedicatedMiners = new address[](64);
        openSession(terms);

        terms = defaultTerms();
        (terms.redundancy, terms.validators, terms.level, terms.similarityBps) = (1, 0, 0, 0);
        terms.maxTaskPriceWei = 1;
        (terms.queueTimeoutS, terms.ackTimeoutS, terms.executeTimeoutS) = (1, 1, 1);
        (terms.revealTimeoutS, terms.validateTimeoutS) = (1, 1);
        openSession(terms);
        assertEq(sessions.sessionCount(), 2, "both opened");
    }

    function _refuses(Terms memory terms, string memory term, uint256 value, uint256 low, uint256 high) private {
        vm.expectRevert(abi.encodeWithSelector(TermsRules.TermOutOfBounds.selector, term, value, low, high));
        openSession(terms);
    }
}
