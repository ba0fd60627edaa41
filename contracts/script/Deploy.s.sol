// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cor} from "../src/Cor.sol";
import {LogAnchor} from "../src/LogAnchor.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {Sessions} from "../src/Sessions.sol";
import {TaskQueue} from "../src/TaskQueue.sol";

/// @notice The five contracts of one deployment.
struct Deployment {
    Cor cor;
    NodeRegistry registry;
    Sessions sessions;
    TaskQueue queue;
    LogAnchor anchors;
}

/// @title How the contracts come to be
/// @notice Deploys and binds everything in the one order that works; the tests deploy with it too.
library Deployments {
    /// @dev Whoever runs this deploys, and so may bind the queue.
    /// @param holder Who receives the whole supply of $COR.
    /// @param treasury Who gets the treasury's part of every price.
    function deploy(address holder, address treasury) internal returns (Deployment memory made) {
        made.cor = new Cor(holder);
        made.registry = new NodeRegistry(made.cor);
        made.sessions = new Sessions(made.cor, made.registry);
        made.queue = new TaskQueue(made.registry, made.sessions, treasury);
        made.anchors = new LogAnchor(made.registry);
        made.registry.bindQueue(address(made.queue));
        made.sessions.bindQueue(address(made.queue));
    }
}

/// @notice The cheatcodes of `forge script` that {Deploy} uses.
interface ScriptVm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function envOr(string calldata name, address fallbackValue) external view returns (address);
}

/// @title `forge script contracts/script/Deploy.s.sol --rpc-url URL --private-key KEY --broadcast`
/// @notice The sender holds the supply and is the treasury, unless `COR_HOLDER` and `TREASURY` name others.
contract Deploy {
    /// @notice Tells forge that this is a script.
    bool public constant IS_SCRIPT = true;

    ScriptVm private constant VM = ScriptVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys.
    /// @return made Where everything is.
    function run() external returns (Deployment memory made) {
        address holder = VM.envOr("COR_HOLDER", msg.sender);
        address treasury = VM.envOr("TREASURY", msg.sender);
        VM.startBroadcast();
        made = Deployments.deploy(holder, treasury);
        VM.stopBroadcast();
    }
}
