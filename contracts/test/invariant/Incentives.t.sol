// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "../../src/Cor.sol";
import {NetworkSessions} from "../../src/NetworkSessions.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Reputation} from "../../src/Reputation.sol";
import {Rewards} from "../../src/Rewards.sol";
import {NodeState, Role} from "../../src/types/Node.sol";
import {Checkpoint, CheckpointRecord, CheckpointState} from "../../src/types/Reputation.sol";
import {RoundState} from "../../src/types/Round.sol";
import {Test} from "../base/Test.sol";
import {IncentiveHandler} from "./IncentiveHandler.sol";

/// @notice What is true of reputation, rewards and network sessions after any sequence of actions of anybody.
/// forge-config: default.invariant.runs = 256
/// forge-config: default.invariant.depth = 500
contract IncentivesInvariantTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    IncentiveHandler private _all;
    Cor private _cor;
    NodeRegistry private _registry;
    Reputation private _reputation;
    Rewards private _rewards;
    NetworkSessions private _network;

    function setUp() external {
        _all = new IncentiveHandler();
        _all.setUp();
        (_cor, _registry) = (_all.cor(), _all.registry());
        (_reputation, _rewards, _network) = (_all.reputation(), _all.rewards(), _all.network());
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[17] memory actions = [
            IncentiveHandler.timePasses.selector,
            IncentiveHandler.oracleRequests.selector,
            IncentiveHandler.anyoneDraws.selector,
            IncentiveHandler.crewWorks.selector,
            IncentiveHandler.minersAnswer.selector,
            IncentiveHandler.validatorsEnd.selector,
            IncentiveHandler.anyoneAdvances.selector,
            IncentiveHandler.nodesComeAndGo.selector,
            IncentiveHandler.oraclesPost.selector,
            IncentiveHandler.anyoneDisputes.selector,
            IncentiveHandler.oraclesRule.selector,
            IncentiveHandler.strangerEndsADispute.selector,
            IncentiveHandler.bondsAreWithdrawn.selector,
            IncentiveHandler.anyoneAppliesALevel.selector,
            IncentiveHandler.nodeClaims.selector,
            IncentiveHandler.attackerClaims.selector,
            IncentiveHandler.attackerMeddles.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(_all), selectors: new bytes4[](18)});
        for (uint256 i = 0; i < 17; ++i) {
            targets[0].selectors[i] = actions[i];
        }
        targets[0].selectors[17] = IncentiveHandler.attackerPosts.selector;
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_all);
    }

    /// @dev Handlers that are never let act would make every invariant true.
    function test_everybodyActs() external {
        bytes4[] memory actions = targetSelectors()[0].selectors;
        for (uint256 i = 0; i < 3000; ++i) {
            uint256 number = uint256(keccak256(abi.encode("action", i)));
            (bool ok,) = address(_all).call(abi.encodeWithSelector(actions[number % 18], number));
            assertTrue(ok, "every action works");
        }
        bytes32[8] memory what =
            [bytes32("ended"), "slashed", "posted", "disputed", "ruled", "levels", "claimed", "refused"];
        for (uint256 i = 0; i < what.length; ++i) {
            assertTrue(_all.happened(what[i]) > 4, string(abi.encodePacked(what[i])));
        }
    }

    /// @dev One campaign for all, since each invariant would repeat the same sequences.
    function invariant_rewardsAreBoundedAndBondsConserved() external view {
        _assertEmission();
        _assertBonds();
        _assertCheckpoints();
        _assertCredits();
        _assertPools();
        assertEq(_registry.totals().slashedWei, _all.slashedWei(), "slashed are those who did not reveal");
    }

    function _assertEmission() private view {
        uint64 newest = _reputation.newestEpoch();
        uint256 sum = 0;
        for (uint64 epoch = 1; epoch <= newest; ++epoch) {
            uint256 claimedWei = _rewards.claimedWei(epoch);
            assertTrue(claimedWei <= _rewards.emissionWei(epoch), "an epoch's claims are at most its emission");
            assertEq(claimedWei, _all.claimed(epoch), "and what the claims were");
            sum += claimedWei;
        }
        assertEq(sum, _all.claimedWei(), "nothing was claimed of other epochs");
        assertEq(_cor.totalSupply(), _cor.GENESIS_WEI() + sum, "what is new was claimed");
        assertTrue(_cor.totalSupply() <= _cor.CAP_WEI(), "never more than the cap");
    }

    function _assertBonds() private view {
        assertEq(_cor.balanceOf(address(_reputation)), _all.bondsWei(), "every bond is there");
        address[2] memory owners = [_addressOf("stranger"), _addressOf("treasury")];
        uint256 owed = uint256(_reputation.owedTo(owners[0])) + _reputation.owedTo(owners[1]);
        bool disputed = _reputation.stateOf(_reputation.newestEpoch()) == CheckpointState.Disputed;
        assertEq(owed + (disputed ? 100 ether : 0), _all.bondsWei(), "and somebody's");
    }

    function _assertCheckpoints() private view {
        uint64 epoch = _reputation.newestEpoch();
        CheckpointRecord memory next = _reputation.checkpointOf(epoch);
        uint64 newest = epoch;
        while (epoch != 0) {
            epoch -= next.checkpoint.skipped + 1;
            Checkpoint memory before = _reputation.checkpointOf(epoch).checkpoint;
            assertEq(next.checkpoint.fromPosition, before.toPosition + 1, "positions have no gap");
            if (next.checkpoint.epoch != newest) {
                assertEq(uint256(next.state), uint256(CheckpointState.Final), "all but the newest count");
            }
            next = _reputation.checkpointOf(epoch);
        }
    }

    function _assertCredits() private view {
        address[] memory workers = _all.workers();
        uint64 epoch = _reputation.epochAt(block.timestamp);
        uint256 sum = 0;
        for (uint256 i = 0; i < workers.length; ++i) {
            uint64 credits = _network.creditsOf(epoch, workers[i]);
            assertTrue(credits <= 256, "credits are bounded");
            sum += credits;
            assertTrue(_registry.levelOf(workers[i]) <= 10, "levels are bounded");
        }
        assertEq(sum, _network.creditSumOf(epoch), "credits add up");
    }

    function _assertPools() private view {
        Role[2] memory roles = [Role.Miner, Role.Validator];
        uint256 members = 0;
        for (uint256 r = 0; r < 2; ++r) {
            for (uint256 i = 0; i < _network.poolSize(roles[r]); ++i) {
                assertTrue(_network.isInPool(roles[r], _network.poolAt(roles[r], i)), "who is listed is in");
                ++members;
            }
        }
        address[] memory workers = _all.workers();
        for (uint256 i = 0; i < workers.length; ++i) {
            for (uint256 r = 0; r < 2; ++r) {
                if (_network.isInPool(roles[r], workers[i])) --members;
            }
        }
        assertEq(members, 0, "and nobody is listed twice");
    }

    function _addressOf(string memory name) private pure returns (address) {
        return account(name);
    }

    /// @dev Whatever happened, with every oracle gone rounds and disputes end and every bond is paid out.
    function afterInvariant() external {
        _all.everybodyLeaves();
        uint64 id = _network.newestRound();
        if (id != 0) assertTrue(_network.roundOf(id).state >= RoundState.Ended, "every round ends");
        CheckpointState state = _reputation.stateOf(_reputation.newestEpoch());
        assertTrue(state != CheckpointState.Disputed, "every dispute ends");
        assertEq(_cor.balanceOf(address(_reputation)), 0, "every bond is paid out");
        assertEq(_registry.activeOracleCount(), 0, "no oracle is left");
    }
}
