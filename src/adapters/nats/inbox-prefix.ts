const inboxStart = '_INBOX';

/** How the subjects of the servers' answers to a peer begin, by its address: what `connectNats` takes as `inboxPrefix`. */
export function inboxPrefixOf(peer: string): string {
  return `${inboxStart}_${peer}`;
}

/** How the subjects of all answers of peers begin. */
export const answersStart = '_ANSWER.';

/**
 * How the subjects of other peers' answers to a peer begin. They lie apart from the servers' own, which nobody else may
 * send to.
 */
export function answersTo(peer: string): string {
  return `${answersStart}${peer}`;
}

/** {@link answersTo} the peer of an inbox prefix; of one without a name, to anybody. */
export function answersBeside(inboxPrefix: string): string {
  return answersTo(inboxPrefix.slice(inboxStart.length + 1) || 'anybody');
}
