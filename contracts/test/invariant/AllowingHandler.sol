// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowance, Grant} from "../../src/types/Allowance.sol";
import {SessionRecord, SessionState} from "../../src/types/Session.sol";
import {vm} from "../base/Vm.sol";
import {StakerHandler} from "./StakerHandler.sol";

/// @title Owners that sign what their routers may spend, and routers that spend more
abstract contract AllowingHandler is StakerHandler {
    uint256 private constant SIGNED_MAX = 12;

    Allowance[] private _signed;
    mapping(address owner => mapping(uint256 nonce => bool)) private _gone;
    /// @dev What each router may spend, counted by what was brought, spent and revoked.
    mapping(uint64 sessionId => mapping(address router => Grant)) private _granted;
    uint256 private _nonce;
    /// @dev Whom something was allowed last.
    uint64 private _lastId;
    address private _lastRouter;
    mapping(address owner => uint256 privateKey) internal _ownerKeys;

    function ownerSigns(uint256 number) external {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        address owner = sessions.sessionOf(id).owner;
        // Not always the owner of the session, and now and then under a nonce that was used.
        Allowance memory allowance = Allowance({
            owner: seed & (7 << 8) == 0 || owner == address(stakeToUse) ? _pick(_owners, seed >> 11) : owner,
            sessionId: id,
            router: _pick(routers, seed >> 16),
            limitWei: uint96(within(seed >> 24, 1, 10 ether)),
            taskLimitWei: uint96(within(seed >> 90, 1, 4 ether)),
            goodUntil: uint40(block.timestamp + within(seed >> 160, 0, 5 days)),
            nonce: seed & (7 << 200) == 0 ? within(seed >> 210, 0, _nonce) : ++_nonce
        });
        if (_signed.length < SIGNED_MAX) _signed.push(allowance);
        else _signed[within(seed >> 220, 0, SIGNED_MAX - 1)] = allowance;
    }

    /// @dev Anybody brings what was signed, as it is or not quite.
    function anyoneBrings(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_signed.length == 0) return;
        Allowance memory allowance = _signed[within(seed, 0, _signed.length - 1)];
        bytes memory signature = _signature(allowance, seed & (7 << 8) == 0 ? STRANGER : allowance.owner);
        bool allowed =
            seed & (7 << 8) != 0 && block.timestamp <= allowance.goodUntil && !_gone[allowance.owner][allowance.nonce];
        if (seed & (7 << 16) == 0) {
            allowed = false;
            if (seed & (1 << 20) == 0) allowance.limitWei += 1;
            else allowance.router = STRANGER;
        }
        bytes memory call = abi.encodeCall(allowances.useAllowance, (allowance, signature, effect()));
        _do(STRANGER, address(allowances), call, allowed, "brought");
        if (!allowed) return;
        _gone[allowance.owner][allowance.nonce] = true;
        (_lastId, _lastRouter) = (allowance.sessionId, allowance.router);
        _granted[allowance.sessionId][allowance.router] =
            Grant(allowance.owner, allowance.goodUntil, allowance.limitWei, allowance.taskLimitWei);
        _vain(allowance.router, address(allowances), call);
    }

    function ownerRevokes(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        (address by, address router) = (_pick(_owners, seed >> 8), _pick(routers, seed >> 16));
        if (seed & (3 << 32) == 0) {
            bool allowed = _granted[id][router].owner == by;
            bytes memory call = abi.encodeCall(allowances.revokeAllowance, (id, router, effect()));
            _do(by, address(allowances), call, allowed, "revoked");
            if (allowed) delete _granted[id][router];
        } else if (seed & (3 << 32) == 1 << 32 && _signed.length != 0) {
            uint256 nonce = _signed[within(seed >> 40, 0, _signed.length - 1)].nonce;
            bytes memory call = abi.encodeCall(allowances.revokeNonce, (nonce, effect()));
            _do(by, address(allowances), call, !_gone[by][nonce], "nonce revoked");
            _gone[by][nonce] = true;
        }
    }

    /// @dev A router submits in the owner's name: as much as it may, or one more.
    function routerSubmits(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0 || _tasks.length >= TASKS_MAX) return;
        address router = _pick(routers, seed >> 8);
        if (seed & (1 << 200) != 0) (id, router) = (_lastId, _lastRouter);
        if (id == 0) return;
        Grant storage grant = _granted[id][router];
        SessionRecord memory session = sessions.sessionOf(id);
        uint256 boundWei = seed & (1 << 16) == 0 ? grant.leftWei : grant.taskLimitWei;
        uint128 priceWei = _around(boundWei == 0 ? 1 ether : boundWei, seed >> 24);
        uint256 heldWei = priceWei < session.maxTaskPriceWei ? priceWei : session.maxTaskPriceWei;
        bool allowed = session.state == SessionState.Open && sessions.isRouter(id, router) && heldWei != 0
            && heldWei <= session.balanceWei;
        if (!session.routerMaySubmit) {
            allowed = allowed && grant.owner == session.owner && block.timestamp <= grant.goodUntil
                && heldWei <= grant.taskLimitWei && heldWei <= grant.leftWei;
        }
        bytes32 request = effect();
        bytes memory call = abi.encodeCall(queue.submit, (id, request, PROMPT, 64, priceWei, effect()));
        _do(router, address(queue), call, allowed, session.routerMaySubmit ? bytes32("trusted") : bytes32("allowed"));
        if (!allowed) return;
        if (!session.routerMaySubmit) grant.leftWei -= uint96(heldWei);
        _began(queue.taskIdOf(id, request), id, heldWei);
    }

    /// @notice What the contract says is allowed is what was signed, less what was spent.
    function assertGrants() external view {
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            for (uint256 i = 0; i < routers.length; ++i) {
                Grant memory real = allowances.grantOf(id, routers[i]);
                assertEq(keccak256(abi.encode(real)), keccak256(abi.encode(_granted[id][routers[i]])), "an allowance");
            }
        }
    }

    function _signature(Allowance memory allowance, address signer) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_ownerKeys[signer], allowances.digestOf(allowance));
        return abi.encodePacked(r, s, v);
    }
}
