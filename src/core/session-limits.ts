/** What the terms of a session may be. A part of `limits`, where they are used. */
export const sessionLimits = {
  /** Versions of a session's terms before the newest that its state keeps, to undo an update that a reorg takes back. */
  sessionTermsKept: 8,
  /** Redundancy k of a session. */
  redundancyMax: 16,
  /** Validators of a session. */
  validatorsMax: 16,
  /** Bytes of a model's id in a session's terms; the contract holds to it. */
  modelIdBytesMax: 128,
  /** Routers of a session; the contract holds to it. */
  sessionRoutersMax: 16,
  /** Accounts that a router lists in one transaction as served or refused; the contract holds to it. */
  accessAccountsPerCallMax: 64,
  /** Accounts on the list of a router; the contract holds to it. */
  accessListedMax: 1_024,
  /** Groups in which the sessions of one set of routers are owned: as many leases, whatever the number of sessions. */
  sessionGroupsPerRouters: 16,
  /** Milliseconds a lease may last that is not renewed; an entry that says more is no lease. */
  leaseMsMax: 60_000,
  /** Miners in a session's pool, dedicated or reserved; the contract holds to it. */
  dedicatedMinersMax: 64,
  /** Seconds a session may let a task wait for its miners; the contract holds to it. */
  queueTimeoutSMax: 86_400,
  /** Seconds a session may allow for any later phase of a task; the contract holds to it. */
  phaseTimeoutSMax: 3_600,
  /** Seconds a session may leave for appeals; the contract holds to it. */
  appealWindowSMax: 86_400,
  /** Seconds a miner may be reserved for at a time; the contract holds to it. */
  reservePeriodSMax: 86_400,
  /** Prompts of a session that a router takes an hour for tasks that their client puts on chain itself. */
  heldPromptsMax: 256,
  /** Allowances of a session that a router brings to the chain an hour: it pays the gas. */
  allowancesBroughtMax: 16,
  /** Tasks that a session may bound itself to; the contract holds to it. */
  taskLimitMax: 1_000_000_000,
  /** Openings of sessions that the reader of a log on NATS keeps, so that the chain is not asked for them again. */
  openingsKept: 65_536,
  /** How long the first commit of a session may be ahead of the chain that a reader sees, in milliseconds. */
  openingWaitMsMax: 30_000,
  /** And in blocks: one that is further ahead is not waited for. */
  openingBlocksAheadMax: 64,
} as const;
