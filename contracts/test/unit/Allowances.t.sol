// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowances} from "../../src/Allowances.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {Modules} from "../../src/Modules.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Allowance, Grant} from "../../src/types/Allowance.sol";
import {Terms} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice An owner that is a contract and approves one digest.
contract Wallet is IERC1271 {
    bytes32 private _digest;

    function approve(bytes32 digest) external {
        _digest = digest;
    }

    function isValidSignature(bytes32 digest, bytes memory) external view returns (bytes4) {
        return digest == _digest ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract AllowancesTest is NetworkTest {
    uint64 private _id;

    function setUp() public override {
        super.setUp();
        Terms memory terms = defaultTerms();
        terms.routerMaySubmit = false;
        _id = openSession(terms);
    }

    // ---------------------------------------------------------------- what is allowed

    function test_aRouterSpendsWhatItsClientSigned() external {
        Allowance memory allowance = _allowance();
        bytes memory signature = _signed("client", allowance);
        vm.expectEmit(address(allowances));
        emit EffectLog.EffectApplied(routers[0], "use");
        vm.expectEmit(address(allowances));
        emit Allowances.AllowanceTaken(_id, routers[0], CLIENT, 5 ether, 2 ether, allowance.goodUntil, 7);
        vm.prank(routers[0]);
        allowances.useAllowance(allowance, signature, "use");
        assertTrue(allowances.isNonceUsed(CLIENT, 7), "used");

        submitAs(routers[0], _id, "first", 2 ether);
        submitAs(routers[0], _id, "second", 2 ether);
        Grant memory grant = allowances.grantOf(_id, routers[0]);
        assertEq(grant.owner, CLIENT, "who allowed");
        assertEq(grant.leftWei, 1 ether, "what is left");
        vm.expectRevert(abi.encodeWithSelector(Allowances.AllowanceExceeded.selector, 1 ether, 2 ether));
        submitAs(routers[0], _id, "third", 2 ether);
        submitAs(routers[0], _id, "third", 1 ether);
        vm.expectRevert(abi.encodeWithSelector(Allowances.AllowanceExceeded.selector, 0, 1));
        submitAs(routers[0], _id, "fourth", 1);
        submit(_id, "the owner needs none");
        assertMoneyConserved();
    }

    function test_oneTaskHasALimitOfItsOwn() external {
        _use(_allowance());
        vm.expectRevert(abi.encodeWithSelector(Allowances.TaskLimitExceeded.selector, 2 ether, 2 ether + 1));
        submitAs(routers[0], _id, "large", 2 ether + 1);
    }

    function test_anAllowanceEnds() external {
        Allowance memory allowance = _allowance();
        _use(allowance);
        vm.warp(allowance.goodUntil);
        submitAs(routers[0], _id, "just in time", 1 ether);
        vm.warp(allowance.goodUntil + 1);
        vm.expectRevert(abi.encodeWithSelector(Allowances.AllowanceExpired.selector, allowance.goodUntil));
        submitAs(routers[0], _id, "too late", 1 ether);
        allowance.nonce = 8;
        _refuses(allowance, "client", abi.encodeWithSelector(Allowances.AllowanceExpired.selector, allowance.goodUntil));
    }

    function test_itIsForOneRouterAndThatOnlyWhileItIsListed() external {
        _use(_allowance());
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, _id, routers[1]));
        submitAs(routers[1], _id, "another router", 1 ether);
        vm.prank(CLIENT);
        sessions.removeRouter(_id, routers[0], effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, _id, routers[0]));
        submitAs(routers[0], _id, "off the list", 1 ether);
    }

    function test_itEndsWithTheOwnersPossession() external {
        _use(_allowance());
        vm.prank(CLIENT);
        sessions.offerSession(_id, STRANGER, effect());
        vm.prank(STRANGER);
        sessions.acceptSession(_id, effect());
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, _id, routers[0]));
        submitAs(routers[0], _id, "of an earlier owner", 1 ether);
    }

    function test_aStrangersSignatureAllowsNothing() external {
        Allowance memory allowance = _allowance();
        allowance.owner = account("stranger");
        bytes memory signature = _signed("stranger", allowance);
        allowances.useAllowance(allowance, signature, effect());
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, _id, routers[0]));
        submitAs(routers[0], _id, "not the owner's word", 1 ether);
    }

    function test_aNewAllowanceTakesTheOldOnesPlace() external {
        _use(_allowance());
        Allowance memory next = _allowance();
        (next.nonce, next.limitWei) = (8, 3 ether);
        _use(next);
        assertEq(allowances.grantOf(_id, routers[0]).leftWei, 3 ether, "not both");
    }

    // ---------------------------------------------------------------- taking it back

    function test_anAllowanceIsRevoked() external {
        _use(_allowance());
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, _id, routers[0]));
        vm.prank(STRANGER);
        allowances.revokeAllowance(_id, routers[0], effect());
        vm.expectEmit(address(allowances));
        emit Allowances.AllowanceRevoked(_id, routers[0], CLIENT);
        vm.prank(CLIENT);
        allowances.revokeAllowance(_id, routers[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, _id, routers[0]));
        submitAs(routers[0], _id, "revoked", 1 ether);
        _refuses(_allowance(), "client", abi.encodeWithSelector(Allowances.NonceUsed.selector, CLIENT, 7));
    }

    function test_aSignedOneIsRevokedBeforeItIsBrought() external {
        vm.expectEmit(address(allowances));
        emit Allowances.NonceRevoked(CLIENT, 7);
        vm.prank(CLIENT);
        allowances.revokeNonce(7, effect());
        _refuses(_allowance(), "client", abi.encodeWithSelector(Allowances.NonceUsed.selector, CLIENT, 7));
        vm.expectRevert(abi.encodeWithSelector(Allowances.NonceUsed.selector, CLIENT, 7));
        vm.prank(CLIENT);
        allowances.revokeNonce(7, effect());
    }

    // ---------------------------------------------------------------- attacks

    function test_aSignatureIsUsedOnce() external {
        _use(_allowance());
        _refuses(_allowance(), "client", abi.encodeWithSelector(Allowances.NonceUsed.selector, CLIENT, 7));
    }

    function test_bringingItForTheRouterDoesNoHarm() external {
        Allowance memory allowance = _allowance();
        bytes memory signature = _signed("client", allowance);
        vm.prank(STRANGER);
        allowances.useAllowance(allowance, signature, effect());
        submitAs(routers[0], _id, "it is the router's all the same", 1 ether);
    }

    function test_everyFieldIsSigned() external {
        bytes memory signature = _signed("client", _allowance());
        for (uint256 field = 0; field < 6; ++field) {
            Allowance memory forged = _allowance();
            if (field == 0) forged.sessionId += 1;
            else if (field == 1) forged.router = routers[1];
            else if (field == 2) forged.limitWei += 1;
            else if (field == 3) forged.taskLimitWei += 1;
            else if (field == 4) forged.goodUntil += 1;
            else forged.nonce += 1;
            vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
            allowances.useAllowance(forged, signature, effect());
        }
    }

    function test_aSignatureForAnotherChainOrContractIsWorthless() external {
        Allowance memory allowance = _allowance();
        Allowances other = new Allowances();
        bytes memory elsewhere = _sign("client", other.digestOf(allowance));
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
        allowances.useAllowance(allowance, elsewhere, effect());
        bytes memory here = _signed("client", allowance);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
        allowances.useAllowance(allowance, here, effect());
    }

    function test_aSignatureForAnotherPurposeIsWorthless() external {
        // What the client signs as a permit of the token never passes for an allowance.
        Allowance memory allowance = _allowance();
        bytes32 words = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                CLIENT,
                address(allowances),
                uint256(allowance.limitWei),
                cor.nonces(CLIENT),
                uint256(allowance.goodUntil)
            )
        );
        bytes memory permit = _sign("client", keccak256(abi.encodePacked("\x19\x01", cor.DOMAIN_SEPARATOR(), words)));
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
        allowances.useAllowance(allowance, permit, effect());
    }

    function test_aSignatureHasOneForm() external {
        Allowance memory allowance = _allowance();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(uint256(keccak256("client")), allowances.digestOf(allowance));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory high = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
        allowances.useAllowance(allowance, high, effect());
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, CLIENT));
        allowances.useAllowance(allowance, abi.encodePacked(r, s), effect());
    }

    function test_nobodySignsForZero() external {
        Allowance memory allowance = _allowance();
        allowance.owner = address(0);
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, address(0)));
        allowances.useAllowance(allowance, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)), effect());
    }

    function test_anAllowanceIsOfMoreThanNothing() external {
        Allowance memory allowance = _allowance();
        allowance.limitWei = 0;
        _refuses(allowance, "client", abi.encodeWithSelector(Allowances.EmptyAllowance.selector));
        allowance = _allowance();
        allowance.taskLimitWei = 0;
        _refuses(allowance, "client", abi.encodeWithSelector(Allowances.EmptyAllowance.selector));
    }

    function test_aContractAllowsByItsOwnRules() external {
        Wallet wallet = new Wallet();
        Allowance memory allowance = _allowance();
        allowance.owner = address(wallet);
        vm.expectRevert(abi.encodeWithSelector(Allowances.InvalidAllowance.selector, address(wallet)));
        allowances.useAllowance(allowance, "", effect());
        wallet.approve(allowances.digestOf(allowance));
        allowances.useAllowance(allowance, "", effect());
        assertEq(allowances.grantOf(_id, routers[0]).owner, address(wallet), "allowed");
    }

    function test_onlyTheSessionsSpend() external {
        _use(_allowance());
        vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, STRANGER, Powers.PRICE));
        vm.prank(STRANGER);
        allowances.spend(_id, CLIENT, routers[0], 1);
    }

    // ---------------------------------------------------------------- signing

    function _allowance() private view returns (Allowance memory) {
        return Allowance({
            owner: CLIENT,
            sessionId: _id,
            router: routers[0],
            limitWei: 5 ether,
            taskLimitWei: 2 ether,
            goodUntil: 1_800_000_000 + 1 days,
            nonce: 7
        });
    }

    function _signed(string memory name, Allowance memory allowance) private view returns (bytes memory) {
        return _sign(name, allowances.digestOf(allowance));
    }

    function _sign(string memory name, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(uint256(keccak256(bytes(name))), digest);
        return abi.encodePacked(r, s, v);
    }

    function _use(Allowance memory allowance) private {
        bytes memory signature = _signed("client", allowance);
        vm.prank(routers[0]);
        allowances.useAllowance(allowance, signature, effect());
    }

    function _refuses(Allowance memory allowance, string memory signer, bytes memory refusal) private {
        bytes memory signature = _signed(signer, allowance);
        vm.expectRevert(refusal);
        allowances.useAllowance(allowance, signature, effect());
    }
}
