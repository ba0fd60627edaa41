import { readFileSync, writeFileSync } from 'node:fs';
import { allowanceDigest, allowanceWeiMax, type Allowance, type SignedAllowance } from '../../core/allowance.ts';
import { PouwError } from '../../core/errors.ts';
import { keccak256 } from '../../core/hash.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { signatureBytes } from '../../core/signature-bytes.ts';
import { lessWei, type Wei, wei } from '../../core/wei.ts';
import { allowanceBody, readAllowance } from '../../gateway/requests/allowance-request.ts';
import { checkAllowance, requireFor } from '../../nodes/allowances/check-allowance.ts';
import { momentText } from '../../replay/timeline.ts';
import { print, printJson } from '../print.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, type Facts, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { requestOf, withWallet } from '../wallet/wallet.ts';
import { notOwner, requireSession } from './require-session.ts';
import type { TimeChoice } from './time-option.ts';

/** What `pouw session allow` was asked for. */
export interface AllowOptions extends PlaceOptions, AccountOptions {
  readonly router?: Address;
  readonly limit?: Wei;
  readonly taskLimit?: Wei;
  readonly until?: TimeChoice;
  readonly out?: string;
  readonly use?: string;
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Signs an allowance, or brings one that was signed. */
export async function allowRouter(session: SessionId | undefined, options: AllowOptions): Promise<void> {
  return options.use === undefined ? signAllowance(session, options) : bringAllowance(session, options.use, options);
}

async function signAllowance(session: SessionId | undefined, options: AllowOptions): Promise<void> {
  const { router, limit: limitWei, until } = options;
  if (session === undefined || router === undefined || limitWei === undefined || until === undefined) {
    throw new PouwError('allowance_incomplete', 'To sign an allowance takes a session, a router, a limit and a time.', {
      class: 'invalid',
      hint: 'pouw session allow SESSION --router ADDRESS --limit COR --until TIME; or --use FILE to bring a signed one.',
    });
  }
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const { client } = await requireSession(wallet.ledger, session, 'open');
    if (client !== wallet.address) throw notOwner(wallet.address, session);
    const taskLimitWei = options.taskLimit ?? limitWei;
    const asked = requestOf(options.requestId, session, router, limitWei, taskLimitWei, until.text);
    const allowance: Allowance = {
      owner: wallet.address,
      session,
      router,
      limitWei: bounded(limitWei),
      taskLimitWei: bounded(taskLimitWei),
      goodUntil: Math.floor(until.at((await wallet.ledger.block()).at) / 1_000) * 1_000,
      // The same words are the same allowance: only one of two that they sign can be brought.
      nonce: BigInt(keccak256(wallet.effect('session.allow', asked))).toString(),
    };
    const digest = allowanceDigest(wallet.ledger.deployment, allowance);
    const signature = signatureBytes(await wallet.chain.signDigest(wallet.address, digest));
    const signed = { allowance, signature };
    await checkAllowance(wallet.ledger, { session, client }, signed);
    await tellSigned(signed, options);
  });
}

async function tellSigned(signed: SignedAllowance, { out, json }: AllowOptions): Promise<void> {
  const body = allowanceBody(signed);
  if (out === undefined) return json === true ? printJson(body) : print(`${JSON.stringify(body, null, 2)}\n`);
  try {
    writeFileSync(out, `${JSON.stringify(body, null, 2)}\n`);
  } catch (cause) {
    throw new PouwError('allowance_file_unwritable', `The allowance cannot be written to ${out}.`, {
      class: 'invalid',
      param: 'out',
      cause,
    });
  }
  const sentence = `The allowance is signed. It counts once it is on chain: give ${out} to the router.`;
  await report(json, body, sentence, factsOf(signed.allowance));
}

async function bringAllowance(named: SessionId | undefined, file: string, options: AllowOptions): Promise<void> {
  const signed = readFile(file);
  const { allowance } = signed;
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const { owner, nonce, router, session } = allowance;
    if (named !== undefined) requireFor(named, allowance);
    const effect = wallet.effect('session.use-allowance', `${owner}/${nonce}`);
    const { client } = await requireSession(wallet.ledger, session, undefined);
    const isDone = (await wallet.ledger.effect(wallet.address, effect)) !== undefined;
    if (!isDone) await checkAllowance(wallet.ledger, { session, client }, signed);
    wallet.step(0, 1, 'allowance');
    const sent = await wallet.send({ call: 'useAllowance', ...signed }, effect);
    const grant = await wallet.chain.grant(session, router);
    const leftWei = grant?.leftWei ?? wei(0);
    const value = { session, router, owner, leftWei, goodUntil: grant?.goodUntil ?? null, ...transactionJson(sent) };
    await report(options.json, value, sent.before ? 'It was brought already.' : 'The allowance is on chain.', {
      ...factsOf(allowance),
      left: cor(leftWei),
      ...transactionFacts(sent),
    });
  });
}

function readFile(file: string): SignedAllowance {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new PouwError('allowance_file_unreadable', `The file ${file} cannot be read as an allowance.`, {
      class: 'invalid',
      why: 'It is not there, or is no JSON.',
      param: 'use',
      cause,
    });
  }
  return readAllowance(read);
}

function factsOf({ session, router, limitWei, taskLimitWei, goodUntil }: Allowance): Facts {
  return {
    session,
    router,
    limit: cor(limitWei),
    'a task': `at most ${cor(taskLimitWei)}`,
    until: `${momentText(goodUntil)} UTC`,
  };
}

/** What the contract has 96 bits for. */
function bounded(amountWei: Wei): Wei {
  if (!lessWei(wei(allowanceWeiMax), amountWei)) return amountWei;
  throw new PouwError('allowance_too_large', `An allowance is of at most ${cor(wei(allowanceWeiMax))}.`, {
    class: 'invalid',
    param: 'limit',
  });
}
