// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessions} from "../../src/NetworkSessions.sol";
import {Reputation} from "../../src/Reputation.sol";
import {Rewards} from "../../src/Rewards.sol";
import {IncentiveLimits} from "../../src/libraries/IncentiveLimits.sol";
import {NodeState, Role} from "../../src/types/Node.sol";
import {Checkpoint, CheckpointState, Standing} from "../../src/types/Reputation.sol";
import {Answer, Round, RoundState} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {Trees} from "../base/Trees.sol";
import {vm} from "../base/Vm.sol";

/// @title Oracles, miners, validators and strangers, acting at random
/// @notice Each action does something that is allowed where things stand, so a revert is a defect; those of the attacker
/// try what is not allowed, and fail if it works. What happened is counted on the side.
contract IncentiveHandler is IncentivesTest {
    /// @dev What was posted for an epoch, so that its leaves can be made again.
    struct Posted {
        uint256 seed;
        bool lie;
    }

    mapping(uint64 epoch => Posted) private _posted;
    /// @notice What was claimed of an epoch, by what the claims returned.
    mapping(uint64 epoch => uint256 amountWei) public claimed;
    /// @notice All of it.
    uint256 public claimedWei;
    /// @notice Bonds put down and not yet paid back.
    uint256 public bondsWei;
    /// @notice What of the stakes should have been slashed.
    uint256 public slashedWei;
    /// @notice How often each kind of thing happened, for the test to see that it did.
    mapping(bytes32 what => uint256 count) public happened;

    // ---------------------------------------------------------------- time

    function timePasses(uint256 number) external {
        uint256 seed = _mix(number);
        vm.roll(block.number + within(seed >> 8, 1, 4));
        uint256 what = within(seed >> 16, 0, 5);
        if (what == 0) vm.warp(reputation.epochEndsAt(reputation.epochAt(block.timestamp)));
        else if (what == 1) pass(within(seed >> 24, 1, 10));
        else if (what == 2) pass(within(seed >> 24, 1, 4 hours));
        else pass(within(seed >> 24, 1, 40));
    }

    // ---------------------------------------------------------------- rounds

    function oracleRequests(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 newest = network.newestRound();
        if (newest != 0 && network.roundOf(newest).state < RoundState.Ended) return;
        if (network.slotAt(block.timestamp) <= newest) nextSlot();
        address oracle = _active(seed, oracles);
        if (oracle == address(0)) return;
        vm.prank(oracle);
        network.request(effect());
    }

    function anyoneDraws(uint256 number) external {
        (uint64 id, Round memory round) = _round();
        if (round.state != RoundState.Requested && round.state != RoundState.Prepared) return;
        if (block.number <= round.beaconBlock) vm.roll(round.beaconBlock + within(_mix(number), 1, 3));
        if (blockhash(round.beaconBlock) == 0) return;
        if (round.state == RoundState.Requested) network.draw(id, effect());
        else network.start(id, effect());
    }

    function crewWorks(uint256 number) external {
        (uint64 id, Round memory round) = _round();
        if (_mix(number) & 3 == 0) return;
        if (round.state == RoundState.Creating) {
            vm.prank(round.creator);
            network.create(id, "topic", effect());
        } else if (round.state == RoundState.Preparing) {
            vm.prank(round.preparer);
            network.prepare(id, "questions", effect());
        }
    }

    function minersAnswer(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 id, Round memory round) = _round();
        RoundState state = round.state;
        if (state != RoundState.Answering && state != RoundState.Revealing) return;
        for (uint256 i = 0; i < round.answers.length; ++i) {
            if (seed >> (2 * i) & 3 == 0) continue;
            Answer memory answer = round.answers[i];
            if (state == RoundState.Answering && answer.precommit == 0) precommit(id, answer.miner);
            if (state == RoundState.Revealing && answer.precommit != 0 && !answer.revealed) reveal(id, answer.miner);
        }
    }

    function validatorsEnd(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 id, Round memory round) = _round();
        if (round.state != RoundState.Validating) return;
        uint16 honest = 0;
        for (uint256 i = 0; i < round.answers.length; ++i) {
            if (round.answers[i].revealed && (honest == 0 || seed >> i & 1 != 0)) honest |= uint16(1 << i);
        }
        uint256 count = round.validators.length;
        end(id, honest, first(round.validators, within(seed >> 32, count / 2 + 1, count)));
        ++happened["ended"];
    }

    function anyoneAdvances(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 id, Round memory round) = _round();
        if (round.state == RoundState.None || round.state >= RoundState.Ended) return;
        address oracle = _active(seed, oracles);
        uint256 dueAt = uint256(round.phaseBy) + 1 + (oracle == address(0) ? 20 : 0);
        if (block.timestamp < dueAt) {
            if (seed >> 8 & (round.state == RoundState.Revealing ? 1 : 15) != 0) return;
            vm.warp(dueAt);
        }
        if (round.state == RoundState.Revealing) {
            for (uint256 i = 0; i < round.answers.length; ++i) {
                if (round.answers[i].precommit == 0 || round.answers[i].revealed) continue;
                uint256 stakeWei = registry.nodeOf(round.answers[i].miner).stakeWei;
                slashedWei += stakeWei < 20 ether ? stakeWei : 20 ether;
                ++happened["slashed"];
            }
        }
        vm.prank(oracle == address(0) ? STRANGER : oracle);
        network.advance(id, effect());
    }

    /// @dev Some come, one goes: what silence costs the pools is made up for.
    function nodesComeAndGo(uint256 number) external {
        uint256 seed = _mix(number);
        for (uint256 i = 0; i < 5; ++i) {
            _come(seed >> (32 * i));
        }
        _go(seed >> 160);
    }

    function _come(uint256 seed) private {
        (Role role, address node) = _anyNode(seed);
        if (!registry.isActive(node, role)) {
            uint256 stakeWei = registry.nodeOf(node).stakeWei;
            if (stakeWei < registry.minimumStakeWei(role)) return;
            setActive(node, true);
        }
        if (!network.isInPool(role, node)) enter(node, role);
    }

    function _go(uint256 seed) private {
        (Role role, address node) = _anyNode(seed);
        if (seed >> 32 & 1 == 0 && registry.isActive(node, role)) setActive(node, false);
        if (!network.isInPool(role, node) || _drawPending()) return;
        if (!registry.isActive(node, role)) {
            network.evict(role, node, effect());
        } else if (seed >> 33 & 1 == 0) {
            vm.prank(node);
            network.quit(role, effect());
        }
    }

    function _anyNode(uint256 seed) private view returns (Role role, address node) {
        role = seed & 3 == 0 ? Role.Validator : Role.Miner;
        address[] memory nodes = role == Role.Miner ? miners : validators;
        node = nodes[within(seed >> 8 & 0xffff, 0, nodes.length - 1)];
    }

    // ---------------------------------------------------------------- checkpoints

    function oraclesPost(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 newest = reputation.newestEpoch();
        if (newest != 0 && reputation.stateOf(newest) != CheckpointState.Final) return;
        uint64 over = reputation.epochAt(block.timestamp) - 1;
        if (over <= newest) return;
        uint64 epoch = uint64(within(seed, newest + 1, over));
        _posted[epoch] = Posted({seed: seed >> 64, lie: seed >> 8 & 7 == 0});
        post(checkpointOf(epoch, _standings(epoch)));
        ++happened["posted"];
    }

    function anyoneDisputes(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 epoch = reputation.newestEpoch();
        if (reputation.stateOf(epoch) != CheckpointState.Open || (seed & 3 != 0 && !_posted[epoch].lie)) return;
        dispute(epoch, STRANGER);
        bondsWei += BOND;
        ++happened["disputed"];
    }

    function oraclesRule(uint256) external {
        uint64 epoch = reputation.newestEpoch();
        if (reputation.stateOf(epoch) != CheckpointState.Disputed) return;
        rule(epoch, !_posted[epoch].lie);
        ++happened["ruled"];
    }

    function strangerEndsADispute(uint256 number) external {
        uint64 epoch = reputation.newestEpoch();
        if (reputation.stateOf(epoch) != CheckpointState.Disputed || _mix(number) & 3 != 0) return;
        _reach(uint256(reputation.checkpointOf(epoch).dueAt) + 1);
        reputation.endDispute(epoch, effect());
    }

    function bondsAreWithdrawn(uint256 number) external {
        address account_ = _mix(number) & 1 == 0 ? STRANGER : TREASURY;
        uint128 owed = reputation.owedTo(account_);
        if (owed == 0) return;
        vm.prank(account_);
        reputation.withdrawBond(effect());
        bondsWei -= owed;
    }

    function anyoneAppliesALevel(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 epoch = reputation.finalEpoch();
        if (epoch == 0) return;
        Standing[] memory all = _standings(epoch);
        uint256 which = within(seed, 0, all.length - 1);
        address node = all[which].node;
        uint8 before = registry.levelOf(node);
        if (all[which].level == before || applied[epoch][node]) return;
        uint8 level = reputation.applyLevel(all[which], Trees.proof(all, which), effect());
        applied[epoch][node] = true;
        assertEq(registry.levelOf(node), level, "in the registry");
        assertTrue(level <= before + IncentiveLimits.LEVEL_RISE_MAX, "a bounded rise");
        assertTrue(before <= level + IncentiveLimits.LEVEL_FALL_MAX, "a bounded fall");
        ++happened["levels"];
    }

    /// @notice Whose level a checkpoint has moved.
    mapping(uint64 epoch => mapping(address node => bool)) public applied;

    // ---------------------------------------------------------------- rewards

    function nodeClaims(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 epoch, Standing[] memory all, uint256 which) = _leaf(seed);
        if (epoch == 0 || rewards.hasClaimed(epoch, all[which].node)) return;
        if (block.timestamp > uint256(reputation.checkpointOf(epoch).dueAt) + 90 days) return;
        if (all[which].idleWork == 0 || _posted[epoch].lie) return;
        uint128 amountWei = rewards.claim(epoch, all[which], Trees.proof(all, which), effect());
        claimed[epoch] += amountWei;
        claimedWei += amountWei;
        ++happened["claimed"];
    }

    // ---------------------------------------------------------------- the attacker

    function attackerClaims(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 epoch, Standing[] memory all, uint256 which) = _leaf(seed);
        if (epoch == 0) return;
        Standing memory mine = all[which];
        bytes32[] memory proof = Trees.proof(all, which);
        uint256 what = within(seed >> 32, 0, 3);
        if (what == 0) mine.idleWork += 1;
        else if (what == 1) mine.node = STRANGER;
        else if (what == 2) ++epoch;
        else if (!rewards.hasClaimed(epoch, mine.node)) return;
        // Twice, more, somebody else's, or by a proof of another epoch.
        if (what == 2 && _posted[epoch].seed == _posted[epoch - 1].seed) return;
        _assertRefused(address(rewards), abi.encodeCall(Rewards.claim, (epoch, mine, proof, effect())));
    }

    function attackerPosts(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 newest = reputation.newestEpoch();
        Checkpoint memory forged = checkpointOf(newest + 1, _standings(newest + 1));
        if (seed & 1 == 0 && newest != 0) forged.epoch = newest;
        // Two of five sign, or all of them in another's name.
        bytes[] memory some = signed(first(oracles, 2), reputation.checkpointDigest(forged));
        _assertRefused(address(reputation), abi.encodeCall(Reputation.post, (forged, some, effect())));
        bytes[] memory others = signed(first(miners, 5), reputation.checkpointDigest(forged));
        _assertRefused(address(reputation), abi.encodeCall(Reputation.post, (forged, others, effect())));
    }

    function attackerMeddles(uint256 number) external {
        uint256 seed = _mix(number);
        (uint64 id, Round memory round) = _round();
        uint256 what = within(seed, 0, 5);
        bytes memory call;
        if (what == 0) call = abi.encodeCall(NetworkSessions.create, (id, "topic", effect()));
        else if (what == 1) call = abi.encodeCall(NetworkSessions.prepare, (id, "questions", effect()));
        else if (what == 2) call = abi.encodeCall(NetworkSessions.precommit, (id, "hash", effect()));
        else if (what == 3) call = abi.encodeCall(NetworkSessions.reveal, (id, "root", "salt", "answers", effect()));
        else if (what == 4) call = abi.encodeCall(NetworkSessions.end, (id, "dataset", 1, new bytes[](0), effect()));
        else call = abi.encodeCall(NetworkSessions.advance, (id, effect()));
        bool isDue = block.timestamp > uint256(round.phaseBy) + 20;
        if (what == 5 && isDue && round.state < RoundState.Ended) return;
        vm.prank(STRANGER);
        _assertRefused(address(network), call);
    }

    function _assertRefused(address target, bytes memory call) private {
        (bool ok,) = target.call(call);
        assertFalse(ok, "an attack is refused");
        ++happened["refused"];
    }

    // ---------------------------------------------------------------- what the test asks

    /// @notice With every oracle gone, time and a stranger bring everything to its end.
    function everybodyLeaves() external {
        for (uint256 i = 0; i < oracles.length; ++i) {
            setActive(oracles[i], false);
        }
        (uint64 id, Round memory round) = _round();
        for (uint256 step = 0; round.state != RoundState.None && round.state < RoundState.Ended; ++step) {
            assertTrue(step < 8, "a round ends in few steps");
            _reach(uint256(round.phaseBy) + 21);
            vm.prank(STRANGER);
            network.advance(id, effect());
            (, round) = _round();
        }
        uint64 epoch = reputation.newestEpoch();
        if (reputation.stateOf(epoch) == CheckpointState.Disputed) {
            _reach(uint256(reputation.checkpointOf(epoch).dueAt) + 1);
            reputation.endDispute(epoch, effect());
        }
        _withdraw(STRANGER);
        _withdraw(TREASURY);
    }

    function _withdraw(address account_) private {
        if (reputation.owedTo(account_) == 0) return;
        vm.prank(account_);
        reputation.withdrawBond(effect());
    }

    /// @notice Everybody who could have credits.
    function workers() external view returns (address[] memory) {
        return _workers();
    }

    // ---------------------------------------------------------------- in short

    function _round() private view returns (uint64 id, Round memory round) {
        id = network.newestRound();
        round = network.roundOf(id);
    }

    function _drawPending() private view returns (bool) {
        (, Round memory round) = _round();
        if (round.state != RoundState.Requested && round.state != RoundState.Prepared) return false;
        return block.number <= round.beaconBlock || blockhash(round.beaconBlock) != 0;
    }

    function _active(uint256 seed, address[] memory nodes) private view returns (address) {
        address node = nodes[within(seed, 0, nodes.length - 1)];
        return registry.nodeOf(node).state == NodeState.Active ? node : address(0);
    }

    function _workers() private view returns (address[] memory all) {
        all = new address[](miners.length + validators.length);
        for (uint256 i = 0; i < miners.length; ++i) {
            all[i] = miners[i];
        }
        for (uint256 i = 0; i < validators.length; ++i) {
            all[miners.length + i] = validators[i];
        }
    }

    /// @dev The leaves of an epoch's checkpoint: the true work, or more of it where the oracles lied.
    function _standings(uint64 epoch) private view returns (Standing[] memory all) {
        Posted memory posted = _posted[epoch];
        address[] memory nodes = _workers();
        all = new Standing[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint64 work = network.creditsOf(epoch, nodes[i]);
            if (posted.lie) work += 3;
            all[i] = standingOf(nodes[i], uint8(within(posted.seed >> (8 * i), 0, 10)), work);
        }
    }

    /// @dev Some node's leaf in a checkpoint that counts; epoch 0 where there is none.
    function _leaf(uint256 seed) private view returns (uint64 epoch, Standing[] memory all, uint256 which) {
        uint64 newest = reputation.finalEpoch();
        if (newest == 0) return (0, all, 0);
        epoch = uint64(within(seed, newest < 4 ? 1 : newest - 3, newest));
        if (reputation.stateOf(epoch) != CheckpointState.Final) return (0, all, 0);
        all = _standings(epoch);
        which = within(seed >> 8, 0, all.length - 1);
    }

    /// @dev Time never goes back.
    function _reach(uint256 time) private {
        if (block.timestamp < time) vm.warp(time);
    }

    function _mix(uint256 number) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(number)));
    }
}
