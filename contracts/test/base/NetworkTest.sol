// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deployment, Deployments, People} from "../../script/Deploy.s.sol";
import {Allowances} from "../../src/Allowances.sol";
import {Appeals} from "../../src/Appeals.sol";
import {BatchChallenges} from "../../src/BatchChallenges.sol";
import {BatchDemands} from "../../src/BatchDemands.sol";
import {Batches} from "../../src/Batches.sol";
import {Cor} from "../../src/Cor.sol";
import {LogAnchor} from "../../src/LogAnchor.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Pricing} from "../../src/Pricing.sol";
import {Reservations} from "../../src/Reservations.sol";
import {Rewards} from "../../src/Rewards.sol";
import {Sessions} from "../../src/Sessions.sol";
import {StakeToUse} from "../../src/StakeToUse.sol";
import {TaskQueue} from "../../src/TaskQueue.sol";
import {Timelock} from "../../src/Timelock.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role} from "../../src/types/Node.sol";
import {Permit, PoolMode, Terms} from "../../src/types/Session.sol";
import {Ballot, Draw, Scheme, Signature, TaskState} from "../../src/types/Task.sol";
import {Conservation} from "./Conservation.sol";
import {Drawing} from "./Drawing.sol";
import {vm} from "./Vm.sol";

/// @title A deployed network with its people
/// @notice A client with $COR, two routers, six miners, three validators and two oracles, all registered; and a short
/// way to bring a task to any state. The defaults are k = 3 and two validators at level 1.
abstract contract NetworkTest is Drawing {
    uint128 internal constant DEPOSIT = 1000 ether;
    uint128 internal constant MAX_PRICE = 10 ether;
    uint128 internal constant PROMPT_TOKEN = 0.001 ether;
    uint128 internal constant OUTPUT_TOKEN = 0.01 ether;
    uint128 internal constant STAKE = 1000 ether;
    /// How long only oracles act on a missed deadline, in seconds; see `Defaults`.
    uint40 internal constant GRACE = 30;
    bytes32 internal constant REQUEST = "request";
    bytes32 internal constant PROMPT = "prompt";
    string internal constant MODEL = "pebble-chat";
    uint256 internal constant TIMELOCK_DELAY = 4 days;

    Cor public cor;
    Timelock internal timelock;
    Parameters internal parameters;
    NodeRegistry public registry;
    Pricing public pricing;
    Allowances internal allowances;
    Sessions public sessions;
    Reservations internal reservations;
    Appeals public appeals;
    TaskQueue public queue;
    Batches public batches;
    BatchChallenges internal challenges;
    BatchDemands internal demands;
    StakeToUse internal stakeToUse;
    LogAnchor internal anchors;
    Rewards internal rewards;

    address internal immutable HOLDER = account("holder");
    address internal immutable TREASURY = account("treasury");
    address internal immutable PROPOSER = account("proposer");
    address internal immutable GUARDIAN = account("guardian");
    address internal immutable REGISTRAR = account("registrar");
    address internal immutable CLIENT = account("client");
    address internal immutable STRANGER = account("stranger");
    address[] internal routers;
    address[] internal miners;
    address[] internal validators;
    address[] internal oracles;

    uint256 private _effects;
    mapping(bytes32 taskId => uint64 sessionId) internal _sessionOf;
    mapping(bytes32 taskId => uint8 step) internal _stepOf;
    mapping(address node => uint256 privateKey) internal _keys;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        Deployment memory made =
            Deployments.deploy(People(HOLDER, TREASURY, PROPOSER, GUARDIAN, REGISTRAR), TIMELOCK_DELAY);
        (cor, timelock, parameters) = (made.cor, made.timelock, made.parameters);
        (registry, sessions, reservations) = (made.registry, made.sessions, made.reservations);
        (pricing, allowances, stakeToUse) = (made.pricing, made.allowances, made.stakeToUse);
        (batches, challenges, demands) = (made.batches, made.batchChallenges, made.batchDemands);
        (appeals, queue, anchors, rewards) = (made.appeals, made.queue, made.anchors, made.rewards);
        routers = _join("router", 2, Role.Router);
        miners = _join("miner", 6, Role.Miner);
        validators = _join("validator", 3, Role.Validator);
        oracles = _join("oracle", 2, Role.Oracle);
        fund(CLIENT, 100_000 ether);
    }

    // ---------------------------------------------------------------- people

    /// @dev A new effect id.
    function effect() internal returns (bytes32) {
        return bytes32(++_effects);
    }

    /// @dev Gives $COR and lets registry and sessions pull it.
    function fund(address to, uint256 amountWei) internal {
        vm.prank(HOLDER);
        assertTrue(cor.transfer(to, amountWei), "funded");
        vm.prank(to);
        cor.approve(address(registry), type(uint256).max);
        vm.prank(to);
        cor.approve(address(sessions), type(uint256).max);
        vm.prank(to);
        cor.approve(address(appeals), type(uint256).max);
    }

    function join(address node, Role role, uint128 stakeWei) internal {
        joinAs(node, Roles.bit(role), stakeWei);
    }

    /// @dev Registers in several roles; who mines serves the model.
    function joinAs(address node, uint8 roles, uint128 stakeWei) internal {
        if (stakeWei != 0) fund(node, stakeWei);
        string[] memory models = new string[](roles & Roles.MINER == 0 ? 0 : 1);
        if (models.length != 0) models[0] = MODEL;
        vm.prank(node);
        registry.register(roles, keccak256(abi.encode(node)), stakeWei, "", models, effect());
    }

    function _join(string memory name, uint256 count, Role role) private returns (address[] memory nodes) {
        nodes = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            string memory full = string.concat(name, vm.toString(i));
            nodes[i] = account(full);
            _keys[nodes[i]] = uint256(keccak256(bytes(full)));
            join(nodes[i], role, STAKE);
        }
    }

    // ---------------------------------------------------------------- the owner

    /// @dev Has the timelock do something, after its delay.
    function govern(address target, bytes memory call) internal {
        vm.prank(PROPOSER);
        timelock.schedule(target, 0, call, 0, effect(), TIMELOCK_DELAY);
        bytes32 salt = bytes32(_effects);
        vm.warp(block.timestamp + TIMELOCK_DELAY);
        timelock.execute(target, 0, call, 0, salt);
    }

    /// @dev Does something as the owner of the parameters, at once.
    function asOwner(bytes memory call) internal {
        vm.prank(address(timelock));
        (bool done,) = address(parameters).call(call);
        assertTrue(done, "the owner may");
    }

    function pauseEntries() internal {
        vm.prank(GUARDIAN);
        parameters.pauseEntries(effect());
    }

    // ---------------------------------------------------------------- sessions

    function defaultTerms() internal pure returns (Terms memory terms) {
        terms.model = MODEL;
        terms.redundancy = 3;
        terms.minMiners = 1;
        terms.maxMiners = 64;
        terms.validators = 2;
        terms.similarityBps = 8000;
        terms.level = 1;
        terms.routerMaySubmit = true;
        terms.maxTaskPriceWei = MAX_PRICE;
        terms.promptTokenWei = PROMPT_TOKEN;
        terms.outputTokenWei = OUTPUT_TOKEN;
        terms.queueTimeoutS = 60;
        terms.ackTimeoutS = 5;
        terms.executeTimeoutS = 30;
        terms.revealTimeoutS = 10;
        terms.validateTimeoutS = 20;
    }

    function openSession() internal returns (uint64) {
        return openSession(defaultTerms());
    }

    function openSession(Terms memory terms) internal returns (uint64) {
        return openSession(terms, routers, nobody());
    }

    /// @dev A session that only some miners work for.
    function openDedicated(Terms memory terms, address[] memory dedicatedMiners) internal returns (uint64) {
        terms.mode = PoolMode.Dedicated;
        return openSession(terms, routers, dedicatedMiners);
    }

    function openSession(Terms memory terms, address[] memory listed, address[] memory dedicatedMiners)
        internal
        returns (uint64)
    {
        vm.prank(CLIENT);
        return sessions.open(terms, listed, dedicatedMiners, DEPOSIT, effect());
    }

    /// @dev Gives a session other terms.
    function update(uint64 sessionId, Terms memory terms) internal returns (uint32) {
        vm.prank(CLIENT);
        return sessions.update(sessionId, terms, effect());
    }

    /// @dev A named account's approval of $COR for the sessions, signed.
    function permitOf(string memory name, uint256 amountWei) internal view returns (Permit memory permit) {
        permit.deadline = type(uint256).max;
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        address owner = account(name);
        bytes32 words =
            keccak256(abi.encode(kind, owner, address(sessions), amountWei, cor.nonces(owner), permit.deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", cor.DOMAIN_SEPARATOR(), words));
        (permit.v, permit.r, permit.s) = vm.sign(uint256(keccak256(bytes(name))), digest);
    }

    // ---------------------------------------------------------------- the way of a task

    function submit(uint64 sessionId) internal returns (bytes32) {
        return submit(sessionId, REQUEST);
    }

    function submit(uint64 sessionId, bytes32 requestId) internal returns (bytes32) {
        return submitAs(CLIENT, sessionId, requestId, MAX_PRICE);
    }

    function submitAs(address by, uint64 sessionId, bytes32 requestId, uint128 maxPriceWei)
        internal
        returns (bytes32 taskId)
    {
        vm.prank(by);
        taskId = queue.submit(sessionId, requestId, PROMPT, 64, maxPriceWei, effect());
        _sessionOf[taskId] = sessionId;
    }

    /// @dev Gives a task to the first `k` miners and the first `v` validators.
    function assign(bytes32 taskId, uint256 k, uint256 v) internal {
        assignAs(routers[0], taskId, first(miners, k), first(validators, v));
    }

    /// @dev Gives a task to miners in this order, as if they had come first, and to validators.
    function assignAs(address router, bytes32 taskId, address[] memory to, address[] memory by) internal {
        Draw memory draw = drawOf(Scheme.FirstCome, to, by);
        draw.beaconBlock = beaconAfter(queue.taskOf(taskId).submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
        vm.prank(router);
        queue.assign(taskId, draw, new Signature[](0), effect());
        _sortValidators(taskId);
    }

    /// @dev From now on the validators stand in the order in which they were drawn.
    function _sortValidators(bytes32 taskId) private {
        Ballot[] memory ballots = queue.taskOf(taskId).ballots;
        for (uint256 i = 0; i < ballots.length; ++i) {
            for (uint256 j = i; j < validators.length; ++j) {
                if (validators[j] != ballots[i].validator) continue;
                (validators[i], validators[j]) = (validators[j], validators[i]);
            }
        }
    }

    function ack(bytes32 taskId, address miner) internal {
        vm.prank(miner);
        queue.ack(taskId, effect());
    }

    function precommit(bytes32 taskId, address miner) internal {
        precommit(taskId, miner, 0);
    }

    function precommit(bytes32 taskId, address miner, uint8 attempt) internal {
        bytes32 hash = hashOf(taskId, miner, attempt);
        vm.prank(miner);
        queue.precommit(taskId, hash, effect());
    }

    function reveal(bytes32 taskId, address miner) internal {
        vm.prank(miner);
        queue.reveal(taskId, rootOf(miner), saltOf(miner), "result", effect());
    }

    function reassign(bytes32 taskId, address miner, address replacement) internal {
        vm.prank(oracles[0]);
        queue.reassign(taskId, miner, replacement, effect());
    }

    function attest(bytes32 taskId, address validator, address[] memory honest) internal {
        attest(taskId, validator, honest, 100, 50);
    }

    function attest(
        bytes32 taskId,
        address validator,
        address[] memory honest,
        uint32 promptTokens,
        uint32 outputTokens
    ) internal {
        attestWinner(taskId, validator, honest[0], honest, promptTokens, outputTokens);
    }

    function attestWinner(
        bytes32 taskId,
        address validator,
        address winner,
        address[] memory honest,
        uint32 promptTokens,
        uint32 outputTokens
    ) internal {
        vm.prank(validator);
        queue.attest(taskId, winner, honest, promptTokens, outputTokens, "report", effect());
    }

    function settle(bytes32 taskId) internal {
        vm.prank(STRANGER);
        queue.settle(taskId, "manifest", effect());
    }

    /// @dev Brings a new task of `sessionId` to a state with `k` miners and `v` validators. Never to a final one
    /// other than `Settled`.
    function taskIn(TaskState state, uint64 sessionId, uint256 k, uint256 v) internal returns (bytes32 taskId) {
        taskId = submit(sessionId, effect());
        if (state != TaskState.Queued) bring(taskId, state, k, v);
    }

    /// @dev Brings a queued task to a later state with `k` miners and `v` validators.
    function bring(bytes32 taskId, TaskState state, uint256 k, uint256 v) internal {
        assign(taskId, k, v);
        if (state == TaskState.Assigned) return;
        for (uint256 i = 0; i < k; ++i) {
            ack(taskId, miners[i]);
        }
        if (state == TaskState.Executing) return;
        for (uint256 i = 0; i < k; ++i) {
            precommit(taskId, miners[i]);
        }
        if (state == TaskState.Precommitted) return;
        for (uint256 i = 0; i < k; ++i) {
            reveal(taskId, miners[i]);
        }
        if (state == TaskState.Committed) return;
        for (uint256 i = 0; i < v / 2 + 1; ++i) {
            attest(taskId, validators[i], first(miners, k));
        }
        if (state == TaskState.Validated) return;
        settle(taskId);
    }

    function taskIn(TaskState state) internal returns (bytes32) {
        return taskIn(state, openSession(), 3, 2);
    }

    // ---------------------------------------------------------------- what a miner makes

    function rootOf(address miner) internal pure returns (bytes32) {
        return keccak256(abi.encode("root", miner));
    }

    function saltOf(address miner) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", miner));
    }

    function hashOf(bytes32 taskId, address miner, uint256 attempt) internal view returns (bytes32) {
        (uint64 id, uint256 step) = (_sessionOf[taskId], _stepOf[taskId]);
        return
            keccak256(abi.encode(block.chainid, queue, id, taskId, step, attempt, miner, rootOf(miner), saltOf(miner)));
    }

    // ---------------------------------------------------------------- looking

    function assertState(bytes32 taskId, TaskState expected) internal view {
        assertEq(uint256(queue.taskOf(taskId).state), uint256(expected), "task state");
    }

    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
    }

    /// @dev What is true of the money at every moment: of the totals, and of the stakes they are the sum of.
    function assertMoneyConserved() public view {
        assertTotalsConserved();
        uint256 sum = 0;
        for (uint256 i = 0; i < registry.nodeCount(); ++i) {
            sum += registry.nodeAt(i).stakeWei;
        }
        assertEq(sum, registry.totals().stakedWei, "registry: stakes");
    }

    function assertTotalsConserved() internal view {
        Conservation.check(cor, sessions, registry, appeals);
    }
}
