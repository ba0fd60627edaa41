/** What a subject carries, as a label: few values, whatever the subject says. */
export interface SubjectKind {
  readonly kind: 'command' | 'tokens' | 'heartbeat' | 'content' | 'other';
  /** The role a command is for and what it asks; empty for other kinds. */
  readonly role: string;
  readonly verb: string;
}

const command = /^[\w-]+\.[\w-]+\.cmd\.([a-z]+)\.[^.]+\.([a-z-]+)\.[^.]+$/;
const kindOfToken: Readonly<Record<string, SubjectKind['kind']>> = { tok: 'tokens', hb: 'heartbeat', blk: 'content' };

/** The kind of a subject or pattern of `src/messages/subjects.ts`. */
export function subjectKind(subject: string): SubjectKind {
  const found = command.exec(subject);
  if (found !== null) return { kind: 'command', role: found[1] ?? '', verb: found[2] ?? '' };
  const third = subject.split('.', 3)[2] ?? '';
  return { kind: kindOfToken[third] ?? 'other', role: '', verb: '' };
}
