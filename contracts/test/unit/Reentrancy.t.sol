// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowances} from "../../src/Allowances.sol";
import {Sessions} from "../../src/Sessions.sol";
import {Allowance} from "../../src/types/Allowance.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice An account that takes its money again whenever it is called, whatever with.
contract Greedy {
    Sessions private immutable SESSIONS;
    uint256 public calls;

    constructor(Sessions sessions) {
        SESSIONS = sessions;
    }

    fallback() external {
        ++calls;
        SESSIONS.withdrawEarnings(keccak256(abi.encode(address(this), calls)));
    }
}

/// @notice An owner who says yes to an allowance if it could use another one while it was asked.
contract GreedyOwner {
    Allowances private immutable ALLOWANCES;
    Allowance private _other;

    constructor(Allowances allowances) {
        ALLOWANCES = allowances;
    }

    function prepare(Allowance memory other) external {
        _other = other;
    }

    function isValidSignature(bytes32, bytes memory signature) external returns (bytes4) {
        if (signature.length != 0) return IERC1271.isValidSignature.selector;
        bytes memory call = abi.encodeCall(Allowances.useAllowance, (_other, "yes", "inner"));
        (bool done,) = address(ALLOWANCES).call{gas: 1_000_000}(call);
        return done ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Nobody who is paid is called, and who is asked for a signature can change nothing meanwhile.
contract ReentrancyTest is NetworkTest {
    function test_nobodyWhoIsPaidIsCalled() external {
        uint64 id = openSession(defaultTerms());
        bytes32 taskId = taskIn(TaskState.Validated, id, 3, 2);
        address[] memory people = _people();
        bytes memory greedy = address(new Greedy(sessions)).code;
        for (uint256 i = 0; i < people.length; ++i) {
            vm.etch(people[i], greedy);
        }
        settle(taskId);
        uint256 paidWei = 0;
        for (uint256 i = 0; i < people.length; ++i) {
            uint256 before = cor.balanceOf(people[i]);
            if (sessions.earningsOf(people[i]) == 0) continue;
            vm.prank(people[i]);
            sessions.withdrawEarnings(effect());
            paidWei += cor.balanceOf(people[i]) - before;
        }
        assertTrue(paidWei != 0, "they were paid");
        uint256 held = cor.balanceOf(CLIENT);
        vm.prank(CLIENT);
        sessions.close(id, effect());
        assertTrue(cor.balanceOf(CLIENT) > held, "the client has its remainder");
        vm.prank(miners[0]);
        registry.requestUnstake(effect());
        pass(60 days);
        vm.prank(miners[0]);
        registry.withdrawStake(effect());
        for (uint256 i = 0; i < people.length; ++i) {
            assertEq(Greedy(people[i]).calls(), 0, "nobody was called");
        }
        assertMoneyConserved();
    }

    /// @dev The account that the test above has takes what it can when it is called: it could be seen.
    function test_whoIsCalledTakesItsMoney() external {
        taskIn(TaskState.Settled);
        address miner = miners[0];
        vm.etch(miner, address(new Greedy(sessions)).code);
        assertTrue(sessions.earningsOf(miner) != 0, "earned");
        (bool done,) = miner.call("");
        assertTrue(done, "called");
        assertEq(Greedy(miner).calls(), 1, "once");
        assertEq(sessions.earningsOf(miner), 0, "taken");
    }

    function test_whoIsAskedForASignatureCanUseNoOther() external {
        uint64 id = openSession(defaultTerms());
        GreedyOwner owner = new GreedyOwner(allowances);
        Allowance memory outer = _allowance(address(owner), id, 1);
        // What asks is a call that may change nothing, so whatever that one calls may not either.
        owner.prepare(_allowance(address(owner), id, 2));
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, address(owner)));
        allowances.useAllowance(outer, "", effect());
        // What it tried is well in itself.
        allowances.useAllowance(_allowance(address(owner), id, 2), "yes", effect());
        assertEq(allowances.grantOf(id, routers[0]).owner, address(owner), "allowed");
    }

    function _people() private view returns (address[] memory people) {
        address[] memory some = new address[](7);
        (some[0], some[1], some[2], some[3]) = (CLIENT, TREASURY, routers[0], miners[0]);
        (some[4], some[5], some[6]) = (miners[1], miners[2], validators[0]);
        return some;
    }

    function _allowance(address owner, uint64 id, uint64 nonce) private view returns (Allowance memory) {
        return Allowance({
            owner: owner,
            sessionId: id,
            router: routers[0],
            limitWei: 10 ether,
            taskLimitWei: 5 ether,
            goodUntil: uint40(block.timestamp + 1 days),
            nonce: nonce
        });
    }
}
