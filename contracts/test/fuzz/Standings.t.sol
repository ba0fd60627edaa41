// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standings} from "../../src/libraries/Standings.sol";
import {Checkpoint, Standing} from "../../src/types/Reputation.sol";
import {Test} from "../base/Test.sol";
import {Trees} from "../base/Trees.sol";
import {vm} from "../base/Vm.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

contract StandingsHarness {
    using Standings for Standing;
    using Standings for Checkpoint;

    function leaf(Standing calldata standing) external pure returns (bytes32) {
        return standing.leaf();
    }

    function hashOf(Checkpoint calldata checkpoint) external pure returns (bytes32) {
        return checkpoint.hashOf();
    }
}

contract StandingsTest is Test {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    StandingsHarness private _harness = new StandingsHarness();

    function testFuzz_aLeafIsSevenWordsHashedTwice(Standing calldata s) external view {
        assertEq(_harness.leaf(s), Trees.leaf(s), "the leaf");
    }

    function testFuzz_everyLeafOfATreeIsProven(Standing[] calldata all, uint256 which, uint32 change) external view {
        vm.assume(all.length != 0 && all.length < 40);
        which = within(which, 0, all.length - 1);
        bytes32 root = Trees.root(all);
        bytes32[] memory proof = Trees.proof(all, which);
        assertTrue(MerkleProof.verify(proof, root, _harness.leaf(all[which])), "in the tree");
        Standing memory forged = all[which];
        forged.honest ^= uint32(within(change, 1, type(uint32).max));
        assertFalse(MerkleProof.verify(proof, root, _harness.leaf(forged)), "not another one");
    }

    /// @dev The TypeScript side makes this file: `src/core/checkpoint.ts`.
    function test_theVectorsAreMet() external view {
        string memory json = vm.readFile("contracts/test/vectors/reputation.json");
        uint256 index = 0;
        while (vm.keyExistsJson(json, _path(index, ""))) {
            _meetTree(json, index);
            _meetDigest(json, index);
            ++index;
        }
        assertEq(index, 24, "vectors");
    }

    function _meetTree(string memory json, uint256 index) private view {
        Standing memory s;
        s.node = vm.parseJsonAddress(json, _path(index, ".standing.node"));
        s.level = uint8(_number(json, index, ".standing.level"));
        s.scoreBps = uint16(_number(json, index, ".standing.scoreBps"));
        s.honest = uint32(_number(json, index, ".standing.honest"));
        s.outlier = uint32(_number(json, index, ".standing.outlier"));
        s.timedOut = uint32(_number(json, index, ".standing.timedOut"));
        s.idleWork = uint64(_number(json, index, ".standing.idleWork"));
        bytes32 leaf = _harness.leaf(s);
        assertEq(leaf, vm.parseJsonBytes32(json, _path(index, ".leaf")), "leaf");
        uint256 depth = 0;
        while (vm.keyExistsJson(json, _sibling(index, depth))) ++depth;
        bytes32[] memory proof = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            proof[i] = vm.parseJsonBytes32(json, _sibling(index, i));
        }
        bytes32 root = vm.parseJsonBytes32(json, _path(index, ".checkpoint.root"));
        assertTrue(MerkleProof.verify(proof, root, leaf), "proof");
    }

    function _meetDigest(string memory json, uint256 index) private view {
        Checkpoint memory c;
        c.epoch = uint64(_number(json, index, ".checkpoint.epoch"));
        c.skipped = uint64(_number(json, index, ".checkpoint.skipped"));
        c.fromPosition = uint64(_number(json, index, ".checkpoint.fromPosition"));
        c.toPosition = uint64(_number(json, index, ".checkpoint.toPosition"));
        c.anchorEpoch = uint64(_number(json, index, ".checkpoint.anchorEpoch"));
        c.idleWork = uint64(_number(json, index, ".checkpoint.idleWork"));
        c.nodes = uint32(_number(json, index, ".checkpoint.nodes"));
        c.revision = uint32(_number(json, index, ".checkpoint.revision"));
        c.root = vm.parseJsonBytes32(json, _path(index, ".checkpoint.root"));
        c.manifestDigest = vm.parseJsonBytes32(json, _path(index, ".checkpoint.manifestDigest"));
        address contract_ = vm.parseJsonAddress(json, _path(index, ".contract"));
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256("pouw Reputation"), keccak256("1"), uint256(31_337), contract_));
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, _harness.hashOf(c));
        assertEq(digest, vm.parseJsonBytes32(json, _path(index, ".digest")), "digest");
    }

    function _number(string memory json, uint256 index, string memory field) private pure returns (uint256) {
        return vm.parseJsonUint(json, _path(index, field));
    }

    function _sibling(uint256 index, uint256 i) private pure returns (string memory) {
        return _path(index, string.concat(".proof[", vm.toString(i), "]"));
    }

    function _path(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".vectors[", vm.toString(index), "]", field);
    }
}
