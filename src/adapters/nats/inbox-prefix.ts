/** How the subjects of answers to a peer begin, by its address: what `connectNats` takes as `inboxPrefix`. */
export function inboxPrefixOf(peer: string): string {
  return `_INBOX_${peer}`;
}
