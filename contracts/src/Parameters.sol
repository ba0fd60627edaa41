// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {EconomyRules} from "./libraries/EconomyRules.sol";
import {Limits} from "./libraries/Limits.sol";
import {Roles} from "./libraries/Roles.sol";
import {Appeals, Batching, Demand, Economy, Shares, Slashes, Stakes} from "./types/Economy.sol";
import {Role} from "./types/Node.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Every number of the economy
/// @notice The owner, in production a timelock, sets them within bounds that are constants ({Limits}). A guardian can
/// pause entries and nothing else: no way out of any contract asks whether they are open.
contract Parameters is Ownable2Step, EffectLog {
    /// @notice The parts of a price have new rates.
    event SharesSet(Shares shares);
    /// @notice Faults cost something else.
    event SlashesSet(Slashes slashes);
    /// @notice Roles need other stakes.
    event StakesSet(Stakes stakes);
    /// @notice Batches have other rules.
    event BatchingSet(Batching batching);
    /// @notice Appeals have other rules.
    event AppealsSet(Appeals appeals);
    /// @notice Demand moves prices otherwise.
    event DemandSet(Demand demand);
    /// @notice Levels allow other weights.
    event MaxWeightsSet(uint16[11] maxWeights);
    /// @notice Somebody else may pause entries.
    event GuardianSet(address indexed guardian);
    /// @notice Somebody else authorises accounts.
    event RegistrarSet(address indexed registrar);
    /// @notice Entries were closed.
    event EntriesPaused(address indexed by);
    /// @notice Entries were opened again.
    event EntriesOpened();

    /// @notice Entries are paused; every way out is open.
    error EntriesArePaused();
    /// @notice Only the guardian and the owner pause.
    error NotGuardian(address account);
    /// @notice Without an owner, what is paused would stay so.
    error OwnershipIsKept();
    /// @notice There is no such level.
    error UnknownLevel(uint8 level);

    Shares private _shares;
    Slashes private _slashes;
    Stakes private _stakes;
    Batching private _batching;
    Appeals private _appeals;
    Demand private _demand;
    uint16[11] private _maxWeights;

    /// @notice Who may pause entries; nobody but the owner where it is zero.
    address public guardian;
    /// @notice Whether entries are paused.
    bool public entriesPaused;
    /// @notice Who authorises accounts; nobody where it is zero.
    address public registrar;

    /// @param owner_ Who sets the parameters: in production a timelock.
    /// @param guardian_ Who may pause entries.
    /// @param registrar_ Who authorises accounts for closed roles.
    /// @param economy All numbers to start with.
    constructor(address owner_, address guardian_, address registrar_, Economy memory economy) Ownable(owner_) {
        _setShares(economy.shares);
        _setSlashes(economy.slashes);
        _setStakes(economy.stakes);
        _setBatching(economy.batching);
        _setAppeals(economy.appeals);
        _setDemand(economy.demand);
        _setMaxWeights(economy.maxWeights);
        _setGuardian(guardian_);
        _setRegistrar(registrar_);
    }

    // ---------------------------------------------------------------- the pause

    /// @notice Closes entries: nobody registers, stakes, opens, deposits, submits or posts. The guardian and the owner may.
    /// @param effectId The sender's id of this call.
    function pauseEntries(bytes32 effectId) external {
        if (msg.sender != guardian && msg.sender != owner()) revert NotGuardian(msg.sender);
        _markEffect(effectId);
        if (entriesPaused) return;
        entriesPaused = true;
        emit EntriesPaused(msg.sender);
    }

    /// @notice Opens entries again. Only the owner may.
    /// @param effectId The sender's id of this call.
    function openEntries(bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        if (!entriesPaused) return;
        entriesPaused = false;
        emit EntriesOpened();
    }

    /// @notice Reverts while entries are paused.
    function requireEntriesOpen() external view {
        if (entriesPaused) revert EntriesArePaused();
    }

    // ---------------------------------------------------------------- the owner's

    /// @notice Sets the parts of a price, the treasury, the quorum and a challenger's part. Only the owner may.
    /// @param shares_ The new ones.
    /// @param effectId The sender's id of this call.
    function setShares(Shares calldata shares_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setShares(shares_);
    }

    /// @notice Sets what faults cost. Only the owner may.
    /// @param slashes_ The new amounts.
    /// @param effectId The sender's id of this call.
    function setSlashes(Slashes calldata slashes_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setSlashes(slashes_);
    }

    /// @notice Sets minimum stakes, the unbonding delay and the closed roles. Only the owner may. A delay that runs keeps
    /// its end; a minimum that rises holds from the next activation on, or when somebody calls `stopUnfit`.
    /// @param stakes_ The new ones.
    /// @param effectId The sender's id of this call.
    function setStakes(Stakes calldata stakes_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setStakes(stakes_);
    }

    /// @notice Sets the rules of batches. Only the owner may.
    /// @param batching_ The new ones.
    /// @param effectId The sender's id of this call.
    function setBatching(Batching calldata batching_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setBatching(batching_);
    }

    /// @notice Sets the rules of appeals. Only the owner may.
    /// @param appeals_ The new ones.
    /// @param effectId The sender's id of this call.
    function setAppeals(Appeals calldata appeals_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setAppeals(appeals_);
    }

    /// @notice Sets how demand moves prices. Only the owner may.
    /// @param demand_ The new rules.
    /// @param effectId The sender's id of this call.
    function setDemand(Demand calldata demand_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setDemand(demand_);
    }

    /// @notice Sets the highest weight of each level. Only the owner may.
    /// @param maxWeights_ By level, in thousandths, never falling.
    /// @param effectId The sender's id of this call.
    function setMaxWeights(uint16[11] calldata maxWeights_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setMaxWeights(maxWeights_);
    }

    /// @notice Sets who may pause entries. Only the owner may.
    /// @param guardian_ The new guardian; zero for the owner alone.
    /// @param effectId The sender's id of this call.
    function setGuardian(address guardian_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setGuardian(guardian_);
    }

    /// @notice Sets who authorises accounts. Only the owner may.
    /// @param registrar_ The new registrar; zero for nobody.
    /// @param effectId The sender's id of this call.
    function setRegistrar(address registrar_, bytes32 effectId) external onlyOwner {
        _markEffect(effectId);
        _setRegistrar(registrar_);
    }

    /// @notice Always refused: parameters without an owner could never be opened again after a pause.
    function renounceOwnership() public view override onlyOwner {
        revert OwnershipIsKept();
    }

    // ---------------------------------------------------------------- what they are

    /// @notice The parts of a price, the treasury, the quorum and a challenger's part. One slot.
    function shares() external view returns (Shares memory) {
        return _shares;
    }

    /// @notice What faults cost. One slot.
    function slashes() external view returns (Slashes memory) {
        return _slashes;
    }

    /// @notice Minimum stakes, the unbonding delay and the closed roles. Two slots.
    function stakes() external view returns (Stakes memory) {
        return _stakes;
    }

    /// @notice The rules of batches. One slot.
    function batching() external view returns (Batching memory) {
        return _batching;
    }

    /// @notice The rules of appeals. One slot.
    function appeals() external view returns (Appeals memory) {
        return _appeals;
    }

    /// @notice How demand moves prices. One slot.
    function demand() external view returns (Demand memory) {
        return _demand;
    }

    /// @notice The highest weight of each level, 0 to 10, in thousandths. One slot.
    function maxWeights() external view returns (uint16[11] memory) {
        return _maxWeights;
    }

    /// @notice The highest weight that a candidate of a level may have in a selection, in thousandths.
    /// @param level 0 to 10.
    function maxWeightOf(uint8 level) external view returns (uint16) {
        if (level > Limits.NODE_LEVEL_MAX) revert UnknownLevel(level);
        return _maxWeights[level];
    }

    /// @notice Where the treasury's part goes.
    function treasury() external view returns (address) {
        return _shares.treasury;
    }

    /// @notice What a node must have staked for a role, in wei.
    /// @param role The role.
    function minimumStakeWei(Role role) external view returns (uint128) {
        return _minimumStakeWei(Roles.bit(role));
    }

    /// @notice What a node must have staked for all of several roles together, and which roles only authorised accounts
    /// may have: what the registry asks when a node goes to work.
    /// @param roles A set of {Roles}.
    function rulesFor(uint8 roles) external view returns (uint128 minimumWei, uint8 closedRoles) {
        return (_minimumStakeWei(roles), _stakes.closedRoles);
    }

    /// @notice Seconds a stake stays slashable after its owner asked for it.
    function unbondingS() external view returns (uint32) {
        return _stakes.unbondingS;
    }

    // ---------------------------------------------------------------- how they are set

    function _minimumStakeWei(uint8 roles) private view returns (uint128 minimumWei) {
        if (roles & Roles.CLIENT != 0) minimumWei += _stakes.clientWei;
        if (roles & Roles.ROUTER != 0) minimumWei += _stakes.routerWei;
        if (roles & Roles.MINER != 0) minimumWei += _stakes.minerWei;
        if (roles & Roles.VALIDATOR != 0) minimumWei += _stakes.validatorWei;
        if (roles & Roles.ORACLE != 0) minimumWei += _stakes.oracleWei;
    }

    function _setShares(Shares memory shares_) private {
        EconomyRules.check(shares_);
        _shares = shares_;
        emit SharesSet(shares_);
    }

    function _setSlashes(Slashes memory slashes_) private {
        EconomyRules.check(slashes_);
        _slashes = slashes_;
        emit SlashesSet(slashes_);
    }

    function _setStakes(Stakes memory stakes_) private {
        EconomyRules.check(stakes_);
        _stakes = stakes_;
        emit StakesSet(stakes_);
    }

    function _setBatching(Batching memory batching_) private {
        EconomyRules.check(batching_);
        _batching = batching_;
        emit BatchingSet(batching_);
    }

    function _setAppeals(Appeals memory appeals_) private {
        EconomyRules.check(appeals_);
        _appeals = appeals_;
        emit AppealsSet(appeals_);
    }

    function _setDemand(Demand memory demand_) private {
        EconomyRules.check(demand_);
        _demand = demand_;
        emit DemandSet(demand_);
    }

    function _setMaxWeights(uint16[11] memory maxWeights_) private {
        EconomyRules.check(maxWeights_);
        _maxWeights = maxWeights_;
        emit MaxWeightsSet(maxWeights_);
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _setRegistrar(address registrar_) private {
        registrar = registrar_;
        emit RegistrarSet(registrar_);
    }
}
