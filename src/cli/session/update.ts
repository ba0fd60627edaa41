import { PouwError } from '../../core/errors.ts';
import type { SessionRules, SessionTerms } from '../../core/chain-fact.ts';
import type { SessionId } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import { cor, type Facts } from '../wallet/report.ts';
import { type ChangeOptions, changeSession } from './change.ts';
import { requireLive, requireOwner } from './require-session.ts';
import { requireTerms } from './require-terms.ts';
import { termsIn, type TermsOptions } from './terms-options.ts';

/** What `pouw session update` was asked for. */
export interface UpdateOptions extends ChangeOptions, TermsOptions {
  readonly mode?: SessionTerms['mode'];
}

/** The terms that an update may change, as they are called where they are shown. */
const labels: Readonly<Record<Exclude<keyof SessionRules, 'model'>, string>> = {
  redundancy: 'miners a task',
  minMiners: 'fewest miners',
  maxMiners: 'most miners',
  validators: 'validators a task',
  similarityBps: 'similarity, in ten-thousandths',
  level: 'validation level',
  mode: 'miners',
  settlement: 'settlement',
  routerMaySubmit: 'routers may submit',
  maxTaskPriceWei: 'a task, at most',
  promptTokenWei: 'prompt token',
  outputTokenWei: 'output token',
  reserveFeeWei: 'reservation fee',
  taskLimit: 'tasks, at most',
  queueTimeoutS: 'wait for miners, in s',
  ackTimeoutS: 'acknowledgement, in s',
  executeTimeoutS: 'precommit, in s',
  revealTimeoutS: 'reveal, in s',
  validateTimeoutS: 'attestation, in s',
  appealWindowS: 'appeals, in s',
  reservePeriodS: 'reservation, in s',
};

const names = Object.keys(labels) as (keyof typeof labels)[];

/**
 * `pouw session update`: other terms for new tasks. What is not named stays as it is.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`,
 *   `nothing_to_update`, and what {@link requireTerms} throws.
 */
export async function updateSession(id: SessionId, options: UpdateOptions): Promise<void> {
  const wanted = { ...termsIn(options), ...(options.mode === undefined ? {} : { mode: options.mode }) };
  if (Object.keys(wanted).length === 0) throw nothingToUpdate();
  return changeSession(id, options, {
    what: 'update',
    role: 'client',
    plan: async (wallet, session) => {
      requireOwner(wallet, session);
      const { routers, dedicatedMiners, ...rules } = session.terms;
      const terms = { ...rules, ...wanted };
      const changed = names.filter((name) => terms[name] !== rules[name]);
      const { version } = session;
      if (changed.length === 0)
        return {
          already: {
            sentence: 'The session has these terms already.',
            value: { version, terms: rules },
            facts: { version: String(version) },
          },
        };
      requireLive(session);
      await requireTerms(wallet.ledger, { ...terms, routers, dedicatedMiners });
      return {
        call: { call: 'updateSession', session: id, terms },
        tell: ({ receipt }) => {
          const made = receipt.facts.find((fact) => fact.type === 'SessionUpdated');
          const now = made?.type === 'SessionUpdated' ? made.version : version + 1;
          const facts = changed.map((name) => [labels[name], `${shown(name, rules)}, now ${shown(name, terms)}`]);
          return {
            sentence: 'New tasks are under these terms; those under way keep theirs.',
            value: { version: now, changed, terms },
            facts: { version: String(now), ...(Object.fromEntries(facts) as Facts) },
          };
        },
      };
    },
  });
}

function shown(name: keyof typeof labels, rules: SessionRules): string {
  const value = rules[name];
  if (name === 'routerMaySubmit') return value === true ? 'yes' : 'within allowances';
  return name.endsWith('Wei') ? cor(wei(String(value))) : String(value);
}

function nothingToUpdate(): PouwError {
  return new PouwError('nothing_to_update', 'Which of the terms are to be others is not said.', {
    class: 'invalid',
    hint: '`pouw session update --help` lists them.',
  });
}
