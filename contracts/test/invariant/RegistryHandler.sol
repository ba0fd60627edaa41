// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Stakes} from "../../src/types/Economy.sol";
import {Module} from "../../src/types/Module.sol";
import {NodeRecord, NodeState, Role, SlashReason} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @title Nodes that come and go, and all that may be done to them, at random
/// @notice Each action does what is allowed where the registry stands, so a revert is a defect; {anybodyTriesForNothing}
/// tries what is not, and fails if that works. Modules, owner, guardian and registrar use all the power that they have.
contract RegistryHandler is NetworkTest {
    uint256 private constant NODES = 8;
    address private immutable MODULE = account("module");

    address[] private _people;
    /// @notice What an account has put into the registry and taken out of it, in wei.
    mapping(address account => uint256 amountWei) public putIn;
    mapping(address account => uint256 amountWei) public takenOut;
    /// @notice What was ever slashed of an account's stake.
    mapping(address account => uint256 amountWei) public lost;

    function setUp() public override {
        super.setUp();
        registry = new NodeRegistry(cor, parameters);
        Module[] memory modules = new Module[](1);
        modules[0] = Module(MODULE, Powers.SLASH | Powers.COOL_DOWN | Powers.SET_LEVEL);
        registry.bindModules(modules);
        for (uint256 i = 0; i < NODES; ++i) {
            _people.push(account(string.concat("person", vm.toString(i))));
            fund(_people[i], 1_000_000 ether);
        }
    }

    /// @dev After every single action, whatever it was.
    modifier conserves() {
        _;
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- nodes

    function nodeRegisters(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anybody(seed);
        if (parameters.entriesPaused() || registry.numberOf(node) != 0) return;
        uint8 roles = uint8(within(seed >> 8, 1, 31));
        if (!_authorised(node, roles)) return;
        (uint128 minimumWei,) = parameters.rulesFor(roles);
        uint128 stakeWei = uint128(within(seed >> 16, minimumWei, minimumWei + 100 ether));
        vm.prank(node);
        registry.register(roles, keccak256(abi.encode(node)), stakeWei, "", new string[](0), effect());
        putIn[node] += stakeWei;
    }

    function nodeStakesMore(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anyNode(seed);
        if (node == address(0) || parameters.entriesPaused()) return;
        uint128 amountWei = uint128(within(seed >> 8, 1, 300 ether));
        vm.prank(node);
        registry.addStake(amountWei, effect());
        putIn[node] += amountWei;
    }

    function nodeWorksOrStops(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anyNode(seed);
        if (node == address(0)) return;
        bool active = seed & (3 << 8) != 0;
        if (active && !_fit(node)) return;
        vm.prank(node);
        registry.setActive(active, effect());
        if (active) assertEq(uint256(registry.nodeOf(node).state), uint256(NodeState.Active), "works");
    }

    function nodeLeaves(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anyNode(seed);
        if (node == address(0) || registry.nodeOf(node).stakeWei == 0) return;
        vm.prank(node);
        registry.requestUnstake(effect());
    }

    function nodeWithdraws(uint256 number) external conserves {
        address node = _anyNode(_mix(number));
        if (node == address(0)) return;
        NodeRecord memory record = registry.nodeOf(node);
        if (record.unbondsAt == 0 || block.timestamp < record.unbondsAt) return;
        vm.prank(node);
        registry.withdrawStake(effect());
        takenOut[node] += record.stakeWei;
    }

    // ---------------------------------------------------------------- modules

    function moduleSlashes(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anybody(seed);
        address to = seed & (1 << 8) == 0 ? address(0) : _anybody(seed >> 16);
        uint128 before = registry.nodeOf(node).stakeWei;
        uint128 owed = registry.rewardOf(to);
        uint16 bps = uint16(within(seed >> 24, 0, 9000));
        vm.prank(MODULE);
        (uint128 takenWei, uint128 rewardWei) =
            registry.slash(node, uint128(within(seed >> 40, 0, 400 ether)), effect(), SlashReason.Withheld, to, bps);
        lost[node] += takenWei;
        assertEq(registry.nodeOf(node).stakeWei, before - takenWei, "taken from the stake");
        assertEq(registry.rewardOf(to), owed + rewardWei, "given to who proved it");
        assertTrue(rewardWei <= takenWei - takenWei / 10 + 1, "never all");
        if (registry.nodeOf(node).state == NodeState.Active) assertTrue(_fit(node), "who works after it is fit");
    }

    function moduleCoolsOrLifts(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anyNode(seed);
        if (node == address(0)) return;
        vm.prank(MODULE);
        registry.setLevel(node, uint8(within(seed >> 8, 0, 10)));
        vm.prank(MODULE);
        registry.coolDown(node, uint40(block.timestamp + within(seed >> 16, 0, 7 days)));
    }

    // ---------------------------------------------------------------- what was slashed

    function challengerWithdraws(uint256 number) external conserves {
        address to = _anybody(_mix(number));
        uint128 rewardWei = registry.rewardOf(to);
        if (rewardWei == 0) return;
        uint256 before = cor.balanceOf(to);
        vm.prank(to);
        registry.withdrawReward(effect());
        assertEq(cor.balanceOf(to), before + rewardWei, "received");
    }

    function strangerSweeps() external conserves {
        uint256 before = registry.totals().unclaimedWei;
        vm.prank(STRANGER);
        (bool done,) = address(registry).call(abi.encodeCall(registry.sweepSlashed, (effect())));
        if (!done) assertEq(before, _rewards(), "refused where all is challengers'");
        assertEq(registry.totals().unclaimedWei, _rewards(), "what is left is challengers'");
    }

    // ---------------------------------------------------------------- who governs

    function guardianPauses(uint256 number) external conserves {
        if (_mix(number) & 3 == 0) pauseEntries();
        else asOwner(abi.encodeCall(parameters.openEntries, (effect())));
    }

    function ownerSetsStakes(uint256 number) external conserves {
        uint256 seed = _mix(number);
        Stakes memory stakes = parameters.stakes();
        stakes.minerWei = uint80(within(seed, 1 ether, 500 ether));
        stakes.routerWei = uint80(within(seed >> 8, 1 ether, 500 ether));
        stakes.unbondingS = uint32(within(seed >> 16, 4 days, 60 days));
        stakes.closedRoles = seed & (1 << 24) == 0 ? 0 : uint8(within(seed >> 32, 0, 31));
        asOwner(abi.encodeCall(parameters.setStakes, (stakes, effect())));
    }

    function registrarDecides(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anybody(seed);
        uint8 roles = uint8(within(seed >> 8, 1, 31));
        vm.prank(REGISTRAR);
        if (seed & (1 << 16) == 0) registry.authorise(node, roles, effect());
        else registry.revoke(node, roles, effect());
    }

    function strangerStopsTheUnfit(uint256 number) external conserves {
        address node = _anyNode(_mix(number));
        if (node == address(0) || registry.nodeOf(node).state != NodeState.Active || _fit(node)) return;
        vm.prank(STRANGER);
        registry.stopUnfit(node, effect());
        assertEq(uint256(registry.nodeOf(node).state), uint256(NodeState.Draining), "stopped");
    }

    function timePasses(uint256 number) external {
        pass(within(_mix(number), 1, 10 days));
    }

    /// @dev Nobody takes a stake that is bonded, another's reward, or anything with a power that is not its own.
    function anybodyTriesForNothing(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anybody(seed);
        NodeRecord memory record = registry.nodeOf(node);
        if (record.unbondsAt == 0 || block.timestamp < record.unbondsAt) {
            _refused(node, abi.encodeCall(registry.withdrawStake, (effect())));
        }
        if (registry.rewardOf(node) == 0) _refused(node, abi.encodeCall(registry.withdrawReward, (effect())));
        _refused(node, abi.encodeCall(registry.slash, (_anybody(seed >> 8), 1, 0, SlashReason.Outlier, node, 9000)));
        _refused(GUARDIAN, abi.encodeCall(registry.slash, (node, 1, 0, SlashReason.Outlier, GUARDIAN, 0)));
        _refused(address(timelock), abi.encodeCall(registry.setLevel, (node, 10)));
        _refused(REGISTRAR, abi.encodeCall(registry.coolDown, (node, uint40(block.timestamp) + 1)));
        _refused(node, abi.encodeCall(registry.authorise, (node, Roles.ALL, effect())));
    }

    function _refused(address sender, bytes memory call) private {
        vm.prank(sender);
        (bool done,) = address(registry).call(call);
        assertFalse(done, "somebody did what it may not");
    }

    // ---------------------------------------------------------------- the end of everything

    /// @notice With entries paused and nobody to help, every node takes its stake and everybody its reward.
    function everybodyLeaves() external {
        pauseEntries();
        for (uint256 i = 0; i < NODES; ++i) {
            if (registry.nodeOf(_people[i]).stakeWei == 0) continue;
            vm.prank(_people[i]);
            registry.requestUnstake(effect());
        }
        pass(60 days);
        for (uint256 i = 0; i < NODES; ++i) {
            uint128 stakeWei = registry.nodeOf(_people[i]).stakeWei;
            if (stakeWei != 0) {
                vm.prank(_people[i]);
                registry.withdrawStake(effect());
                takenOut[_people[i]] += stakeWei;
            }
            if (registry.rewardOf(_people[i]) == 0) continue;
            vm.prank(_people[i]);
            registry.withdrawReward(effect());
        }
        if (registry.totals().unclaimedWei != 0) registry.sweepSlashed(effect());
    }

    // ---------------------------------------------------------------- looking

    function people() external view returns (address[] memory) {
        return _people;
    }

    function _rewards() private view returns (uint256 sum) {
        for (uint256 i = 0; i < NODES; ++i) {
            sum += registry.rewardOf(_people[i]);
        }
    }

    function _fit(address node) private view returns (bool) {
        NodeRecord memory record = registry.nodeOf(node);
        (uint128 minimumWei,) = parameters.rulesFor(record.roles);
        return record.stakeWei >= minimumWei && _authorised(node, record.roles);
    }

    function _authorised(address node, uint8 roles) private view returns (bool) {
        for (uint256 role = 1; role < 6; ++role) {
            if (roles & Roles.bit(Role(role)) != 0 && !registry.isAuthorised(node, Role(role))) return false;
        }
        return true;
    }

    function _mix(uint256 number) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(number)));
    }

    function _anybody(uint256 seed) private view returns (address) {
        return _people[within(seed & 255, 0, NODES - 1)];
    }

    /// @dev One that registered; zero where nobody has.
    function _anyNode(uint256 seed) private view returns (address) {
        uint256 count = registry.nodeCount();
        return count == 0 ? address(0) : registry.nodeAt(within(seed & 255, 0, count - 1)).node;
    }
}
