import type { RegisteredKey } from '../core/author-rules.ts';
import { type AnchoredHead, parseAnchorManifest } from '../core/anchor.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { PouwError } from '../core/errors.ts';
import { hashJson } from '../core/hash.ts';
import { type Address, roles } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import { addressForm, bytes32Form, hashForm, hasExactly, isCount, isPlainJson, isText } from '../core/json-form.ts';
import { contractNames, type Deployment } from '../ports/chain.ts';
import type { ChainAnchor, LogClaims } from './source.ts';

/** The version of the export this code writes and the newest it reads. */
export const exportFormat = 2;

/** What the first line of an exported log says. */
export interface LogFacts extends LogClaims {
  readonly deployment: Deployment | null;
  /** By address. */
  readonly keys: Readonly<Record<Address, RegisteredKey>>;
  /** In order of epoch, manifests included. */
  readonly anchors: readonly ChainAnchor[];
}

/** The first line of an exported log: its facts, what it is, and the hash of all that. */
export interface LogHeader extends LogFacts {
  readonly pouw: 'log';
  /** {@link exportFormat}. */
  readonly v: number;
  /** SHA-256 over the canonical JSON of the header without this member, 64 hex digits. */
  readonly headerHash: string;
}

/** The first line of an export, without line end. */
export function headerLine(facts: LogFacts): string {
  const header = { ...facts, pouw: 'log', v: exportFormat };
  return canonicalJson({ ...header, headerHash: hashJson(header) });
}

/**
 * Reads the first line of an export.
 *
 * @throws PouwError `log_malformed`, `log_newer_version`.
 */
export function parseHeader(text: string, origin: string): LogHeader {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || (value as { pouw?: unknown }).pouw !== 'log') {
    throw malformedLog(origin, 1, 'It is not the header of an exported log.');
  }
  refuseNewer(value, origin);
  if (!isPlainJson(value) || !isHeader(value))
    throw malformedLog(origin, 1, 'The header does not have the form of one.');
  if (canonicalJson(value) !== text) throw malformedLog(origin, 1, 'The header is not written as canonical JSON.');
  const { headerHash, ...rest } = value;
  if (hashJson(rest) !== headerHash) throw malformedLog(origin, 1, 'The header does not match its hash.');
  return value;
}

/** What is wrong with a line of an exported log. Line numbers count from 1, which is the header. */
export function malformedLog(
  origin: string,
  line: number,
  why: string,
  details: Readonly<Record<string, unknown>> = {},
): PouwError {
  return new PouwError('log_malformed', `Line ${line} of ${origin} is not a line of an exported log.`, {
    class: 'corrupt',
    why,
    hint: 'Export the log again, or copy the file again.',
    details: { ...details, line },
  });
}

/** The value of JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function refuseNewer({ v }: { v?: unknown }, origin: string): void {
  if (!isCount(v, exportFormat + 1)) return;
  throw new PouwError('log_newer_version', `${origin} has export format ${v}; this pouw reads up to ${exportFormat}.`, {
    class: 'corrupt',
    why: 'The log was exported by a newer version of pouw.',
    hint: 'Run the newer version.',
  });
}

const headerMembers = [
  'pouw',
  'v',
  'deployment',
  'exportedAt',
  'commits',
  'streams',
  'heads',
  'keys',
  'anchors',
  'headerHash',
] as const;

function isHeader(value: unknown): value is LogHeader {
  if (!hasExactly(value, headerMembers)) return false;
  return (
    value.v === exportFormat &&
    (value.deployment === null || isDeployment(value.deployment)) &&
    isCount(value.exportedAt, 0) &&
    isCount(value.commits, 0) &&
    isCount(value.streams, 0) &&
    Array.isArray(value.heads) &&
    value.heads.every(isHead) &&
    isKeys(value.keys) &&
    Array.isArray(value.anchors) &&
    value.anchors.every(isAnchor) &&
    isText(value.headerHash, hashForm)
  );
}

function isDeployment(value: unknown): value is Deployment {
  if (!hasExactly(value, ['chainId', 'fromBlock', ...contractNames])) return false;
  return (
    isCount(value.chainId, 1) &&
    isCount(value.fromBlock, 0) &&
    contractNames.every((name) => isText(value[name], addressForm))
  );
}

function isHead(value: unknown): value is AnchoredHead {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [stream, version, hash] = value as readonly unknown[];
  return typeof stream === 'string' && isCount(version, 1) && isText(hash, hashForm);
}

function isKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value as Readonly<Record<string, unknown>>).every(
    ([address, entry]) =>
      addressForm.test(address) &&
      hasExactly(entry, ['roles', 'key']) &&
      areRoles(entry.roles) &&
      isText(entry.key, bytes32Form),
  );
}

function areRoles(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((role) => (roles as readonly unknown[]).includes(role))
  );
}

const anchorMembers = ['epoch', 'by', 'block', 'txHash', 'root', 'manifestDigest', 'commits', 'manifest'] as const;

function isAnchor(value: unknown): value is ChainAnchor {
  if (!hasExactly(value, anchorMembers)) return false;
  return (
    isCount(value.epoch, 1) &&
    isText(value.by, addressForm) &&
    isCount(value.block, 0) &&
    isText(value.txHash, bytes32Form) &&
    isText(value.root, bytes32Form) &&
    isText(value.manifestDigest, bytes32Form) &&
    isCount(value.commits, 0) &&
    (value.manifest === null || parseAnchorManifest(value.manifest as Json) !== undefined)
  );
}
