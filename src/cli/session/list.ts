import { openLedger, type SessionOnLedger } from '../../adapters/chain/ledger.ts';
import type { RouterGrant } from '../../core/allowance.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { allowedFor } from '../../core/session-terms.ts';
import { formatCor } from '../../core/wei.ts';
import { momentText } from '../../replay/timeline.ts';
import type { Reservation } from '../../ports/chain-reservations.ts';
import { print } from '../print.ts';
import { shortId, table } from '../table.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, report } from '../wallet/report.ts';
import { pooledSessions, poolUserOf } from './pool.ts';
import { requireSession } from './require-session.ts';

/** Which sessions `pouw session list` shows. */
export interface ListOptions extends PlaceOptions, AccountOptions {
  readonly client?: Address;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Lists sessions. */
export async function listSessions(options: ListOptions): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const client = options.all === true ? undefined : (options.client ?? accountOf(options, 'client').address);
  const ledger = await openLedger({ rpcUrl, ...record });
  const pooled = client === undefined ? [] : await pooledSessions(ledger, client);
  const sessions = [...(await ledger.sessions(client)), ...pooled];
  if (options.json === true) return report(true, { sessions }, '');
  if (sessions.length === 0) return print(`${client ?? 'Nobody'} has ${client === undefined ? 'a' : 'no'} session.\n`);
  const columns = ['session', 'client', 'model', 'state'].map((title) => ({ title }));
  const numbers = ['balance', 'escrowed'].map((title) => ({ title, right: true }));
  const rows = sessions.map(({ session, client: owner, terms, state, balanceWei, escrowedWei }) => {
    return [session, shortId(owner), terms.model, state, formatCor(balanceWei), formatCor(escrowedWei)];
  });
  await print(`${table([...columns, ...numbers], rows)}\n`);
}

/** Shows one session. */
export async function showSession(id: SessionId, options: PlaceOptions & { readonly json?: boolean }): Promise<void> {
  const { rpcUrl, record } = await findPlace(options);
  const ledger = await openLedger({ rpcUrl, ...record });
  const session = await requireSession(ledger, id, undefined);
  // What an earlier owner has allowed is worth nothing.
  const allowances = (await ledger.grants(id)).filter(({ owner }) => owner === session.client);
  const user = await poolUserOf(ledger, session);
  const payer = user === undefined ? {} : { 'paid by': `the pool, for ${user}` };
  const [reserved, asked, { at }] = await Promise.all([
    ledger.reservations(id),
    ledger.invitations(id),
    ledger.block(),
  ]);
  // What was offered under other terms cannot be taken any more.
  const invited = asked.flatMap(({ miner, version }) => (version === session.version ? [miner] : []));
  const value = { ...session, offeredTo: session.offeredTo ?? null, user: user ?? null, allowances, reserved, invited };
  await report(options.json, value, `The session is ${session.state}.`, {
    ...sessionFacts(session),
    ...payer,
    ...Object.fromEntries(reserved.map((one) => reservationFact(one, at))),
    invited: invited.length === 0 ? undefined : invited.join(' '),
    ...Object.fromEntries(allowances.map(allowanceFact)),
  });
}

function reservationFact({ miner, feeWei, reservedUntil }: Reservation, at: number): [string, string] {
  const until = `${at < reservedUntil ? 'until' : 'over, to be ended, since'} ${momentText(reservedUntil)} UTC`;
  return [`reserves ${shortId(miner)}`, `for ${cor(feeWei)}, ${until}`];
}

function allowanceFact({ router, leftWei, goodUntil, chainAt }: RouterGrant & { router: Address }): [string, string] {
  const until = `${chainAt > goodUntil ? 'expired' : 'until'} ${momentText(goodUntil)} UTC`;
  return [`allows ${shortId(router)}`, `${cor(leftWei)} more, ${until}`];
}

function sessionFacts(session: SessionOnLedger): Record<string, string | undefined> {
  const { terms } = session;
  return {
    session: session.session,
    client: session.client,
    'offered to': session.offeredTo,
    opened: `block ${session.openedBlock}`,
    balance: cor(session.balanceWei),
    escrowed: cor(session.escrowedWei),
    model: terms.model,
    terms: session.version === 1 ? undefined : `version ${session.version}`,
    miners: `${terms.redundancy} a task, ${allowedFor(terms.mode === 'dedicated', terms).join(' ') || 'any'}`,
    validators: `${terms.validators} a task, level ${terms.level}, similarity ${terms.similarityBps / 10_000}`,
    appeals: terms.appealWindowS === 0 ? 'none' : `for ${terms.appealWindowS} s`,
    'prompt token': cor(terms.promptTokenWei),
    'output token': cor(terms.outputTokenWei),
    'a task': `at most ${cor(terms.maxTaskPriceWei)}`,
    reservations:
      terms.reservePeriodS === 0 ? undefined : `for ${terms.reservePeriodS} s, ${cor(terms.reserveFeeWei)} each`,
    routers: terms.routers.join(' '),
    submit: terms.routerMaySubmit ? 'its owner and its routers' : 'its owner, and routers within an allowance',
  };
}
