// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealBook} from "./AppealBook.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {TaskQueueEvents} from "./TaskQueueEvents.sol";
import {AppealRules} from "./libraries/AppealRules.sol";
import {Limits} from "./libraries/Limits.sol";
import {Messages} from "./libraries/Messages.sol";
import {Opinions} from "./libraries/Opinions.sol";
import {Appeal, AppealState} from "./types/Appeal.sol";
import {Slashes} from "./types/Economy.sol";
import {SlashReason} from "./types/Node.sol";
import {TaskRules} from "./types/Session.sol";
import {Amendment, CarriedAttestation, Finality, Outcome, TaskRecord, TaskState} from "./types/Task.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Appeals of outcomes
/// @notice Within the window of the session's terms a party to a validated task may ask more validators, with a bond.
/// Who they are is decided by the hash of a later block among all that anybody nominates; more of them than the task
/// had validators at all have to find the same, and that stands for good. Whoever attested something else loses stake.
/// @dev The queue settles the task once the time named to it has passed, so nothing that happens or fails here can keep
/// a task from its end. Calls the registry, the queue and the token only.
contract Appeals is AppealBook, EIP712 {
    using AppealRules for Appeal;
    using AppealRules for TaskRecord;

    /// @dev What an appeal is decided with: the task as it stood before, and who was drawn.
    struct Hearing {
        bytes32 taskId;
        TaskRecord task;
        address[] drawn;
    }

    /// @param registry Who validates, and whose stake is slashed.
    constructor(NodeRegistry registry) AppealBook(registry) EIP712("pouw Appeals", "1") {}

    /// @notice Appeals what the validators of a task found. The session's owner may, a miner that showed its result and
    /// is called an outlier, or a validator of the task that is not among those who found it. Pulls the bond.
    /// @param taskId A task whose window is open.
    /// @param effectId The sender's id of this call.
    function appeal(bytes32 taskId, bytes32 effectId) external {
        Appeal storage made = _appeals[taskId];
        if (made.state != AppealState.None) revert AlreadyAppealed(taskId, made.appellant);
        TaskRecord memory task = queue.taskOf(taskId);
        if (task.state != TaskState.Validated || task.finality != Finality.Appealable) revert NotAppealable(taskId);
        if (block.timestamp > task.phaseBy) revert AppealTooLate(taskId, task.phaseBy);
        if (queue.SESSIONS().sessionOf(task.sessionId).owner != msg.sender && !task.lost(msg.sender)) {
            revert NotAParty(taskId, msg.sender);
        }
        _markEffect(effectId);
        uint96 bondWei = PARAMETERS.appeals().bondWei;
        (made.appellant, made.bondWei, made.sessionId) = (msg.sender, bondWei, task.sessionId);
        _setTimes(made, task);
        emit OutcomeAppealed(
            task.sessionId, taskId, msg.sender, bondWei, made.beaconBlock, made.wanted, made.drawBy, made.attestBy
        );
        queue.amend(taskId, Amendment(Finality.Appealed, made.attestBy, 0, 0, 0, 0, 0));
        _pullBond(bondWei);
    }

    /// @notice Names validators that may be drawn. Anyone may, any number of times until `drawBy`: of all that were
    /// named the ones with the smallest keys are drawn, so that nobody can keep another out by being first.
    /// @param taskId The task.
    /// @param nodes At most {Limits.CANDIDATES_MAX} at a time; who may not be drawn is passed over.
    /// @param effectId The sender's id of this call.
    function nominate(bytes32 taskId, address[] calldata nodes, bytes32 effectId) external {
        Appeal storage made = _open(taskId);
        if (block.timestamp > made.drawBy) revert NominationsOver(taskId, made.drawBy);
        if (nodes.length > Limits.CANDIDATES_MAX) {
            revert TaskQueueEvents.CandidateCountOutOfBounds(nodes.length, Limits.CANDIDATES_MAX);
        }
        _markEffect(effectId);
        if (made.beacon == 0) {
            made.beacon = blockhash(made.beaconBlock);
            if (made.beacon == 0) revert BeaconUnavailable(made.beaconBlock);
        }
        address[] memory drawn = made.merge(taskId, queue.taskOf(taskId), nodes, REGISTRY);
        emit AppealDrawn(made.sessionId, taskId, made.beacon, drawn);
    }

    /// @notice Says what validators of the appeal found that agree, by whoever has their signatures; each once, after
    /// `drawBy`. Decides the appeal where enough of them found the same.
    /// @param taskId The task.
    /// @param outcome What they found.
    /// @param carried One at least: places of the draw with the digests of their reports and signatures of
    /// `AppealAttestation`s.
    /// @param effectId The sender's id of this call.
    function attestMany(
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        bytes32 effectId
    ) external {
        Appeal storage made = _open(taskId);
        if (block.timestamp <= made.drawBy) revert NominationsOpen(taskId, made.drawBy);
        if (carried.length == 0) revert TaskQueueEvents.NothingCarried(taskId);
        TaskRecord memory task = queue.taskOf(taskId);
        // Somebody may have used the deadline already.
        if (task.state != TaskState.Validated) revert TaskQueueEvents.WrongTaskState(taskId, task.state);
        AppealRules.requireSound(taskId, outcome, task);
        _markEffect(effectId);
        Hearing memory hearing = Hearing(taskId, task, REGISTRY.nodesOf(made.drawn));
        uint64 voters = made.cast(outcome, _votersIn(made, hearing, outcome, carried));
        if (AppealRules.size(voters) < _neededOf(made)) return;
        _decide(made, hearing, outcome, voters, carried[carried.length - 1].reportDigest);
    }

    /// @notice Ends an appeal that is not decided in time, or never can be since too few were drawn: what was found first
    /// stands, and the appellant has its bond back. Anyone may.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function end(bytes32 taskId, bytes32 effectId) external {
        Appeal storage made = _open(taskId);
        bool hopeless = block.timestamp > made.drawBy && made.drawn.length < _neededOf(made);
        if (!hopeless && block.timestamp <= made.attestBy) revert AppealNotDue(taskId, made.attestBy);
        _markEffect(effectId);
        made.state = AppealState.Undecided;
        _credit(taskId, made.appellant, _freeBond(made));
        emit AppealUndecided(made.sessionId, taskId);
        TaskRecord memory task = queue.taskOf(taskId);
        if (task.state == TaskState.Validated) _rule(taskId, task, task.outcome);
    }

    // ---------------------------------------------------------------- in short

    /// @dev All times follow from the terms and are known from the beginning: the time that nodes get for one transaction,
    /// twice, because a block has to come first; then as long as the first validators had.
    function _setTimes(Appeal storage made, TaskRecord memory task) private {
        TaskRules memory rules = queue.SESSIONS().rulesOf(task.sessionId, task.version);
        uint256 drawBy = block.timestamp + 2 * uint256(rules.ackTimeoutS);
        made.state = AppealState.Open;
        // forge-lint: disable-start(unsafe-typecast) hours after now; at most 33 of a task's 16
        made.wanted = uint8(2 * task.ballots.length + 1);
        made.drawBy = uint32(drawBy);
        made.attestBy = uint32(drawBy + rules.validateTimeoutS);
        made.nodeCount = uint32(REGISTRY.nodeCount());
        made.beaconBlock = uint32(block.number + 1);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @dev The validators that signed an outcome, each for the first time.
    function _votersIn(
        Appeal storage made,
        Hearing memory hearing,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried
    ) private returns (uint64 by) {
        by = made.voted();
        uint64 before = by;
        for (uint256 i = 0; i < carried.length; ++i) {
            uint256 place = carried[i].validator;
            if (place >= hearing.drawn.length) revert TaskQueueEvents.NoSuchPlace(hearing.taskId, place);
            address validator = hearing.drawn[place];
            if (by & AppealRules.bit(place) != 0) {
                revert TaskQueueEvents.AlreadyAttested(hearing.taskId, validator);
            }
            _requireSigned(hearing, outcome, carried[i], validator);
            by |= AppealRules.bit(place);
        }
        by ^= before;
    }

    function _requireSigned(
        Hearing memory hearing,
        Outcome calldata outcome,
        CarriedAttestation calldata carried,
        address validator
    ) private {
        bytes32 message = Messages.appealAttestation(hearing.taskId, hearing.task.step, outcome, carried.reportDigest);
        Messages.requireSigned(_domainSeparatorV4(), hearing.taskId, validator, message, carried.signature);
        emit AppealAttested(hearing.task.sessionId, hearing.taskId, validator, carried.reportDigest);
    }

    function _decide(
        Appeal storage made,
        Hearing memory hearing,
        Outcome calldata outcome,
        uint64 voters,
        bytes32 reportDigest
    ) private {
        bool overturned = !AppealRules.same(hearing.task.outcome, outcome);
        made.state = overturned ? AppealState.Overturned : AppealState.Upheld;
        uint128 bondWei = _freeBond(made);
        _announce(hearing, outcome, overturned, reportDigest);
        _rule(hearing.taskId, hearing.task, outcome);
        uint128 rewardsWei = _punish(made, hearing, outcome);
        _takeRewards(hearing.taskId, rewardsWei);
        if (overturned) {
            uint128 halfWei = rewardsWei / 2;
            uint128 restWei = _share(hearing, rewardsWei - halfWei, voters, 0);
            _credit(hearing.taskId, made.appellant, bondWei + halfWei + restWei);
        } else {
            uint128 restWei = _share(hearing, bondWei + rewardsWei, voters, hearing.task.votersOf(outcome));
            _credit(hearing.taskId, PARAMETERS.treasury(), restWei);
        }
    }

    function _rule(bytes32 taskId, TaskRecord memory task, Outcome memory outcome) private {
        Amendment memory amendment;
        amendment.finality = Finality.Ruled;
        (amendment.winner, amendment.honest) = (outcome.winner, outcome.honest);
        amendment.voters = task.votersOf(outcome);
        (amendment.promptTokens, amendment.outputTokens) = (outcome.promptTokens, outcome.outputTokens);
        queue.amend(taskId, amendment);
    }

    /// @dev Slashes everybody of both rounds that attested something else. Returns what of it is for the appeals to give.
    function _punish(Appeal storage made, Hearing memory hearing, Outcome memory outcome)
        private
        returns (uint128 rewardsWei)
    {
        uint16 right = hearing.task.votersOf(outcome);
        for (uint256 i = 0; i < hearing.task.ballots.length; ++i) {
            if (!hearing.task.ballots[i].cast || right & Opinions.bit(i) != 0) continue;
            rewardsWei += _slash(hearing.taskId, hearing.task.ballots[i].validator);
        }
        for (uint256 i = 0; i < made.opinions.length; ++i) {
            if (AppealRules.same(AppealRules.outcomeOf(made.opinions[i]), outcome)) continue;
            uint64 wrong = made.opinions[i].voters;
            for (uint256 place = 0; place < hearing.drawn.length; ++place) {
                if (wrong & AppealRules.bit(place) == 0) continue;
                rewardsWei += _slash(hearing.taskId, hearing.drawn[place]);
            }
        }
    }

    function _slash(bytes32 taskId, address validator) private returns (uint128 rewardWei) {
        uint16 partBps = PARAMETERS.shares().challengerBps;
        Slashes memory costs = PARAMETERS.slashes();
        (, rewardWei) =
            REGISTRY.slash(validator, costs.contradictedWei, taskId, SlashReason.Contradicted, address(this), partBps);
        if (costs.coolDownS != 0) REGISTRY.coolDown(validator, uint40(block.timestamp) + costs.coolDownS);
    }

    /// @dev Credits equal parts to validators of the draw and of the task. Returns what rounding leaves.
    function _share(Hearing memory hearing, uint128 amountWei, uint64 voters, uint16 first)
        private
        returns (uint128 restWei)
    {
        uint256 count = AppealRules.size(voters) + Opinions.size(first);
        // forge-lint: disable-next-line(unsafe-typecast) at most the amount, which fits
        uint128 eachWei = uint128(amountWei / count);
        for (uint256 place = 0; place < hearing.drawn.length; ++place) {
            if (voters & AppealRules.bit(place) != 0) _credit(hearing.taskId, hearing.drawn[place], eachWei);
        }
        for (uint256 i = 0; i < hearing.task.ballots.length; ++i) {
            if (first & Opinions.bit(i) != 0) _credit(hearing.taskId, hearing.task.ballots[i].validator, eachWei);
        }
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the amount
        restWei = uint128(amountWei - eachWei * count);
    }

    function _announce(Hearing memory hearing, Outcome memory outcome, bool overturned, bytes32 reportDigest) private {
        TaskRecord memory task = hearing.task;
        address[] memory honest = new address[](Opinions.size(outcome.honest));
        uint256 count = 0;
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (outcome.honest & Opinions.bit(i) != 0) honest[count++] = task.slots[i].miner;
        }
        emit AppealDecided(
            task.sessionId,
            hearing.taskId,
            overturned,
            task.slots[outcome.winner].miner,
            honest,
            outcome.promptTokens,
            outcome.outputTokens,
            reportDigest
        );
    }
}
