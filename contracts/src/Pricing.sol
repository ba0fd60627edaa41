// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Modules} from "./Modules.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {DemandMath} from "./libraries/DemandMath.sol";
import {Limits} from "./libraries/Limits.sol";
import {Powers} from "./libraries/Powers.sol";
import {Demand} from "./types/Economy.sol";
import {Forecast, Market} from "./types/Market.sol";
import {Role} from "./types/Node.sol";

/// @title The demand for each model
/// @notice A multiplier of the price of a model's tasks. It follows the use of the model: the value that was paid for in
/// a period, at base prices, against what the miners that are counted for the model could have earned in it. It is kept
/// up to date by whoever comes next, in a bounded number of steps, however long nobody came.
/// @dev What the sessions call never reverts for the state of a market, so that no task and no session is held up by it.
contract Pricing is EffectLog, Modules {
    /// @notice A model has a number.
    event ModelNumbered(uint24 indexed model, bytes32 indexed modelHash);
    /// @notice A period ended: the multiplier in millionths, the use in it, and how many miners the model has and needs.
    event DemandMoved(
        uint24 indexed model, uint32 demandPpm, uint256 useBps, uint32 minerCount, uint256 requiredMiners
    );
    /// @notice A miner counts for a model.
    event MinerCounted(uint24 indexed model, address indexed miner);
    /// @notice A miner no longer counts for a model.
    event MinerStruck(uint24 indexed model, address indexed miner);

    /// @notice No session was ever opened for the model.
    error UnknownModel(bytes32 modelHash);
    /// @notice The miner counts already.
    error AlreadyCounted(uint24 model, address miner);
    /// @notice The miner does not count.
    error NotCounted(uint24 model, address miner);
    /// @notice The miner is not active, or does not serve the model.
    error NotServing(bytes32 modelHash, address miner);
    /// @notice The miner is active and serves the model.
    error StillServing(bytes32 modelHash, address miner);

    /// @notice Who serves what.
    NodeRegistry public immutable REGISTRY;
    /// @notice How demand moves prices.
    Parameters public immutable PARAMETERS;

    /// @notice How many models have a number; also the number of the newest.
    uint24 public modelCount;

    mapping(bytes32 modelHash => uint24 model) private _models;
    mapping(uint24 model => Market) private _markets;
    mapping(uint24 model => mapping(address miner => bool)) private _counted;

    /// @param registry Who serves what.
    constructor(NodeRegistry registry) {
        REGISTRY = registry;
        PARAMETERS = registry.PARAMETERS();
    }

    // ---------------------------------------------------------------- the sessions

    /// @notice The number of a model; one that is new gets the next. The sessions only.
    /// @param modelHash `keccak256` of the model's id.
    /// @return model Its number, from 1.
    function numberOnce(bytes32 modelHash) external returns (uint24 model) {
        _requirePower(Powers.PRICE);
        model = _models[modelHash];
        if (model != 0) return model;
        model = ++modelCount;
        _models[modelHash] = model;
        Market storage market = _markets[model];
        market.multiplier = DemandMath.UNIT;
        market.endsAt = uint40(block.timestamp + PARAMETERS.demand().periodS);
        emit ModelNumbered(model, modelHash);
    }

    /// @notice A session got money, or gave some back. The sessions only.
    /// @param model The model of the session.
    /// @param addedWei What came.
    /// @param takenWei What went.
    function funded(uint24 model, uint256 addedWei, uint256 takenWei) external {
        _requirePower(Powers.PRICE);
        Market storage market = _markets[model];
        market.fundsWei = _lessOrNone(market.fundsWei + addedWei, takenWei);
    }

    /// @notice A task begins. The sessions only.
    /// @param model The model of its session.
    /// @return demandPpm The multiplier that holds for it to its end, in millionths.
    function began(uint24 model) external returns (uint32 demandPpm) {
        _requirePower(Powers.PRICE);
        Market storage market = _markets[model];
        _catchUp(model, market);
        ++market.unfinished;
        return _ppm(market.multiplier);
    }

    /// @notice A task ended. The sessions only.
    /// @param model The model of its session.
    /// @param baseWei What was paid for it, without the multiplier; nothing for a refund.
    function ended(uint24 model, uint256 baseWei) external {
        _requirePower(Powers.PRICE);
        Market storage market = _markets[model];
        _catchUp(model, market);
        if (market.unfinished != 0) --market.unfinished;
        uint256 workWei = market.workWei + baseWei;
        // forge-lint: disable-next-line(unsafe-typecast) the smaller of both fits
        market.workWei = workWei < type(uint96).max ? uint96(workWei) : type(uint96).max;
    }

    // ---------------------------------------------------------------- capacity

    /// @notice Counts an active miner that serves a model to its capacity. Anyone may: the registry is the witness.
    /// @param modelHash `keccak256` of the model's id.
    /// @param miner The miner.
    /// @param effectId The sender's id of this call; a second use reverts.
    function countMiner(bytes32 modelHash, address miner, bytes32 effectId) external {
        uint24 model = _known(modelHash);
        if (_counted[model][miner]) revert AlreadyCounted(model, miner);
        if (!_serves(modelHash, miner)) revert NotServing(modelHash, miner);
        _markEffectOnce(effectId);
        Market storage market = _markets[model];
        _catchUp(model, market);
        _counted[model][miner] = true;
        ++market.minerCount;
        emit MinerCounted(model, miner);
    }

    /// @notice Strikes a miner that is no longer active, or no longer serves the model. Anyone may.
    /// @param modelHash `keccak256` of the model's id.
    /// @param miner The miner.
    /// @param effectId The sender's id of this call; a second use reverts.
    function strikeMiner(bytes32 modelHash, address miner, bytes32 effectId) external {
        uint24 model = _known(modelHash);
        if (!_counted[model][miner]) revert NotCounted(model, miner);
        if (_serves(modelHash, miner)) revert StillServing(modelHash, miner);
        _markEffectOnce(effectId);
        Market storage market = _markets[model];
        _catchUp(model, market);
        _counted[model][miner] = false;
        --market.minerCount;
        emit MinerStruck(model, miner);
    }

    // ---------------------------------------------------------------- what is known

    /// @notice The number of a model; zero if no session was ever opened for it.
    /// @param modelHash `keccak256` of the model's id.
    function modelNumberOf(bytes32 modelHash) external view returns (uint24) {
        return _models[modelHash];
    }

    /// @notice Whether a miner counts for a model.
    /// @param modelHash `keccak256` of the model's id.
    /// @param miner The miner.
    function isCounted(bytes32 modelHash, address miner) external view returns (bool) {
        return _counted[_models[modelHash]][miner];
    }

    /// @notice The multiplier that a task of a model would get now, in millionths; one for a model that nobody knows.
    /// @param modelHash `keccak256` of the model's id.
    function demandOf(bytes32 modelHash) external view returns (uint32) {
        uint24 model = _models[modelHash];
        if (model == 0) return Limits.PPM;
        (Market memory market,) = _now(_markets[model], PARAMETERS.demand());
        return _ppm(market.multiplier);
    }

    /// @notice What a model has and what it is going to need.
    /// @param modelHash `keccak256` of the model's id.
    function forecastOf(bytes32 modelHash) external view returns (Forecast memory) {
        (Market memory market, uint256 use) = _now(_markets[_known(modelHash)], PARAMETERS.demand());
        return Forecast({
            demandPpm: _ppm(market.multiplier),
            useBps: use,
            minerCount: market.minerCount,
            requiredMiners: _requiredMiners(market),
            unfinishedTasks: market.unfinished,
            fundsWei: market.fundsWei
        });
    }

    // ---------------------------------------------------------------- periods

    /// @dev Ends the period if it is over, with all that passed since.
    function _catchUp(uint24 model, Market storage market) private {
        if (block.timestamp < market.endsAt) return;
        (Market memory next, uint256 use) = _now(market, PARAMETERS.demand());
        _markets[model] = next;
        emit DemandMoved(model, _ppm(next.multiplier), use, next.minerCount, _requiredMiners(next));
    }

    /// @dev A market as it stands now, and the use in the period that ended last in which there was any. What was paid in
    /// that period is no longer in the funds.
    function _now(Market memory market, Demand memory demand) private view returns (Market memory, uint256 use) {
        uint256 capacityWei = uint256(market.minerCount) * Limits.MINER_CAPACITY_WEI_PER_S * demand.periodS;
        use = DemandMath.useBps(market.workWei, capacityWei);
        if (block.timestamp < market.endsAt) return (market, use);
        uint256 idle = (block.timestamp - market.endsAt) / demand.periodS;
        uint256 spentWei = (uint256(market.workWei) * market.multiplier) / DemandMath.UNIT;
        market.fundsWei = _lessOrNone(market.fundsWei, spentWei);
        uint256 idleUse = DemandMath.useBps(0, capacityWei);
        market.multiplier = DemandMath.move(market.multiplier, use, idleUse, idle, demand);
        // forge-lint: disable-next-line(unsafe-typecast) at most a period from now
        market.endsAt = uint40(market.endsAt + (idle + 1) * demand.periodS);
        market.workWei = 0;
        return (market, use);
    }

    /// @dev Enough miners to do within a day what is paid in for, and one for each unfinished task.
    function _requiredMiners(Market memory market) private pure returns (uint256) {
        uint256 perMinerWei = Limits.MINER_CAPACITY_WEI_PER_S * Limits.FORECAST_S;
        uint256 byDeposits = (market.fundsWei + perMinerWei - 1) / perMinerWei;
        return byDeposits > market.unfinished ? byDeposits : market.unfinished;
    }

    function _serves(bytes32 modelHash, address miner) private view returns (bool) {
        return REGISTRY.isActive(miner, Role.Miner) && REGISTRY.serves(miner, modelHash);
    }

    function _known(bytes32 modelHash) private view returns (uint24 model) {
        model = _models[modelHash];
        if (model == 0) revert UnknownModel(modelHash);
    }

    function _ppm(uint64 multiplier) private pure returns (uint32) {
        // forge-lint: disable-next-line(unsafe-typecast) at most a hundred millions
        return uint32(multiplier / (DemandMath.UNIT / Limits.PPM));
    }

    function _lessOrNone(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : 0;
    }
}
