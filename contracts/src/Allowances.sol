// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Modules} from "./Modules.sol";
import {Powers} from "./libraries/Powers.sol";
import {Allowance, Grant} from "./types/Allowance.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title What owners let routers spend
/// @notice The owner of a session signs how much one router may escrow, and the router brings the signature once; each
/// task that it submits is then counted against it. So `submit` stays as it is, a signature is checked once and not for
/// each task, and an owner without $COR for gas can allow something.
/// @dev Signatures are of ECDSA with a low `s`, or ERC-1271 where the owner is a contract.
contract Allowances is EffectLog, Modules, EIP712 {
    /// @notice A router may spend of a session, up to a limit. What it had left of an earlier allowance is gone.
    event AllowanceTaken(
        uint64 indexed sessionId,
        address indexed router,
        address indexed owner,
        uint96 limitWei,
        uint96 taskLimitWei,
        uint40 goodUntil,
        uint256 nonce
    );
    /// @notice A router may spend no more of a session.
    event AllowanceRevoked(uint64 indexed sessionId, address indexed router, address indexed owner);
    /// @notice A signed allowance cannot be brought any more.
    event NonceRevoked(address indexed owner, uint256 nonce);

    /// @notice The allowance is not good any more.
    error AllowanceExpired(uint40 goodUntil);
    /// @notice The owner did not sign this allowance.
    error InvalidAllowance(address owner);
    /// @notice The allowance was brought before, or revoked.
    error NonceUsed(address owner, uint256 nonce);
    /// @notice An allowance is of more than nothing.
    error EmptyAllowance();
    /// @notice The session's owner has not allowed the router anything.
    error NotAllowed(uint64 sessionId, address router);
    /// @notice One task may not cost so much.
    error TaskLimitExceeded(uint256 limitWei, uint256 requiredWei);
    /// @notice Less is left than the task may cost.
    error AllowanceExceeded(uint256 leftWei, uint256 requiredWei);

    /// @dev EIP-712. That the session is the owner's is checked when it is spent.
    bytes32 private constant _ALLOWANCE = keccak256(
        "Allowance(address owner,uint64 sessionId,address router,uint96 limitWei,uint96 taskLimitWei,uint40 goodUntil,uint256 nonce)"
    );

    mapping(uint64 sessionId => mapping(address router => Grant)) private _grants;
    mapping(address owner => mapping(uint256 nonce => bool)) private _used;

    constructor() EIP712("pouw Allowances", "1") {}

    /// @notice Brings a signed allowance. Anyone may: it says for whom it is.
    /// @param allowance What is allowed.
    /// @param signature The owner's.
    /// @param effectId The sender's id of this call.
    function useAllowance(Allowance calldata allowance, bytes calldata signature, bytes32 effectId) external {
        address owner = allowance.owner;
        if (allowance.limitWei == 0 || allowance.taskLimitWei == 0) revert EmptyAllowance();
        if (block.timestamp > allowance.goodUntil) revert AllowanceExpired(allowance.goodUntil);
        if (_used[owner][allowance.nonce]) revert NonceUsed(owner, allowance.nonce);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, digestOf(allowance), signature)) {
            revert InvalidAllowance(owner);
        }
        _markEffect(effectId);
        _used[owner][allowance.nonce] = true;
        _grants[allowance.sessionId][allowance.router] = Grant({
            owner: owner,
            goodUntil: allowance.goodUntil,
            leftWei: allowance.limitWei,
            taskLimitWei: allowance.taskLimitWei
        });
        emit AllowanceTaken(
            allowance.sessionId,
            allowance.router,
            owner,
            allowance.limitWei,
            allowance.taskLimitWei,
            allowance.goodUntil,
            allowance.nonce
        );
    }

    /// @notice Takes back what a router has left. Only who signed may.
    /// @param sessionId The session.
    /// @param router The router.
    /// @param effectId The sender's id of this call.
    function revokeAllowance(uint64 sessionId, address router, bytes32 effectId) external {
        if (_grants[sessionId][router].owner != msg.sender) revert NotAllowed(sessionId, router);
        _markEffect(effectId);
        delete _grants[sessionId][router];
        emit AllowanceRevoked(sessionId, router, msg.sender);
    }

    /// @notice Makes an allowance that the sender has signed, and that was not brought yet, worthless.
    /// @param nonce Its nonce.
    /// @param effectId The sender's id of this call.
    function revokeNonce(uint256 nonce, bytes32 effectId) external {
        if (_used[msg.sender][nonce]) revert NonceUsed(msg.sender, nonce);
        _markEffect(effectId);
        _used[msg.sender][nonce] = true;
        emit NonceRevoked(msg.sender, nonce);
    }

    /// @notice Counts a task against what a router may spend. The sessions only. The whole escrow counts, also what comes
    /// back of it: the limit holds for the worst.
    /// @param sessionId The session that pays.
    /// @param owner Its owner now; what an earlier one has signed is worth nothing.
    /// @param router Who submits.
    /// @param amountWei What is escrowed.
    function spend(uint64 sessionId, address owner, address router, uint128 amountWei) external {
        _requirePower(Powers.PRICE);
        Grant storage grant = _grants[sessionId][router];
        if (grant.owner != owner) revert NotAllowed(sessionId, router);
        if (block.timestamp > grant.goodUntil) revert AllowanceExpired(grant.goodUntil);
        if (amountWei > grant.taskLimitWei) revert TaskLimitExceeded(grant.taskLimitWei, amountWei);
        uint96 leftWei = grant.leftWei;
        if (amountWei > leftWei) revert AllowanceExceeded(leftWei, amountWei);
        // forge-lint: disable-next-line(unsafe-typecast) at most what is left
        grant.leftWei = leftWei - uint96(amountWei);
    }

    /// @notice What a router may still spend of a session; the owner is zero where nothing was ever allowed.
    /// @param sessionId The session.
    /// @param router The router.
    function grantOf(uint64 sessionId, address router) external view returns (Grant memory) {
        return _grants[sessionId][router];
    }

    /// @notice Whether an allowance with this nonce was brought or revoked.
    /// @param owner Who signs.
    /// @param nonce The nonce.
    function isNonceUsed(address owner, uint256 nonce) external view returns (bool) {
        return _used[owner][nonce];
    }

    /// @notice What the owner signs: EIP-712, for this chain and this contract.
    /// @param allowance What is allowed.
    function digestOf(Allowance calldata allowance) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    _ALLOWANCE,
                    allowance.owner,
                    allowance.sessionId,
                    allowance.router,
                    allowance.limitWei,
                    allowance.taskLimitWei,
                    allowance.goodUntil,
                    allowance.nonce
                )
            )
        );
    }
}
