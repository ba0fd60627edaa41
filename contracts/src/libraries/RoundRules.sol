// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessionsEvents} from "../NetworkSessionsEvents.sol";
import {Answer, Round, RoundState, RoundTimes} from "../types/Round.sol";
import {IncentiveLimits} from "./IncentiveLimits.sol";

/// @title Who is who in a round
library RoundRules {
    /// @dev Every time is within its bounds.
    function requireTimes(RoundTimes memory times) internal pure {
        _requireTime(0, times.slotS, IncentiveLimits.SLOT_S_MIN, IncentiveLimits.SLOT_S_MAX);
        uint32[6] memory phases =
            [times.drawS, times.createS, times.prepareS, times.answerS, times.revealS, times.validateS];
        for (uint256 i = 0; i < phases.length; ++i) {
            _requireTime(i + 1, phases[i], IncentiveLimits.ROUND_PHASE_S_MIN, IncentiveLimits.ROUND_PHASE_S_MAX);
        }
        // A slot is not over before anyone may use it.
        _requireTime(7, times.graceS, IncentiveLimits.ROUND_PHASE_S_MIN, times.slotS / 2);
    }

    /// @dev Whether nothing more can happen in a round.
    function isOver(Round storage round) internal view returns (bool) {
        return round.state == RoundState.Ended || round.state == RoundState.Failed;
    }

    /// @dev Gives a round its creator, its preparer and their standbys, in the order drawn.
    function man(Round storage round, address[] memory drawn) internal {
        (round.creator, round.preparer) = (drawn[0], drawn[1]);
        for (uint256 i = 2; i < drawn.length; ++i) {
            round.standbys.push(drawn[i]);
        }
    }

    /// @dev Puts the next standby in the place of the creator or of the preparer; nobody where there is none.
    function replace(Round storage round, bool creating) internal returns (address silent, address standby) {
        silent = creating ? round.creator : round.preparer;
        if (round.standbysUsed < round.standbys.length) standby = round.standbys[round.standbysUsed++];
        if (creating) round.creator = standby;
        else round.preparer = standby;
    }

    /// @dev Gives a round those who answer and those who judge.
    function seat(Round storage round, address[] memory miners, address[] memory validators) internal {
        for (uint256 i = 0; i < miners.length; ++i) {
            round.answers.push(Answer({miner: miners[i], revealed: false, precommit: 0}));
        }
        round.validators = validators;
    }

    /// @dev Who made the topic and the questions.
    function crew(Round storage round) internal view returns (address[] memory) {
        return crewAnd(round, new address[](0));
    }

    /// @dev Who made the topic and the questions, and some others.
    function crewAnd(Round storage round, address[] memory others) internal view returns (address[] memory nodes) {
        nodes = new address[](2 + others.length);
        (nodes[0], nodes[1]) = (round.creator, round.preparer);
        for (uint256 i = 0; i < others.length; ++i) {
            nodes[2 + i] = others[i];
        }
    }

    /// @dev The answer of a miner, which must have been drawn for one.
    function answerOf(Round storage round, uint64 id, address miner) internal view returns (Answer storage answer) {
        uint256 count = round.answers.length;
        for (uint256 i = 0; i < count; ++i) {
            answer = round.answers[i];
            if (answer.miner == miner) return answer;
        }
        revert NetworkSessionsEvents.NotChosen(id, miner);
    }

    /// @dev Somebody is honest, and who is has revealed.
    function requireHonest(Round storage round, uint64 id, uint16 honest) internal view {
        uint256 rest = honest;
        for (uint256 i = 0; i < round.answers.length; ++i) {
            // forge-lint: disable-next-line(incorrect-shift) 1 is what moves
            if (round.answers[i].revealed) rest &= ~(1 << i);
        }
        if (honest == 0 || rest != 0) revert NetworkSessionsEvents.WrongHonestSet(id, honest);
    }

    /// @dev Everybody was drawn to judge this round.
    function requireValidators(Round storage round, uint64 id, address[] memory signers) internal view {
        address[] memory validators = round.validators;
        for (uint256 i = 0; i < signers.length; ++i) {
            bool drawn = false;
            for (uint256 j = 0; j < validators.length; ++j) {
                if (validators[j] == signers[i]) drawn = true;
            }
            if (!drawn) revert NetworkSessionsEvents.NotValidatorOfRound(id, signers[i]);
        }
    }

    function _requireTime(uint256 index, uint256 givenS, uint256 minimumS, uint256 maximumS) private pure {
        if (givenS < minimumS || givenS > maximumS) {
            revert NetworkSessionsEvents.TimeOutOfBounds(index, givenS, minimumS, maximumS);
        }
    }
}
