import { authorFault, routersOf } from '../../../core/author-rules.ts';
import { type Commit, genesisHash } from '../../../core/commit.ts';
import { verifySignature } from '../../../core/ed25519.ts';
import type { StreamId } from '../../../core/ids.ts';
import { eventSubject } from '../../../messages/subjects.ts';
import type { JudgedHead } from './admission.ts';
import type { LogTrust } from './log-trust.ts';
import { logRestricted } from './nats-errors.ts';
import { readMessage, type StoredMessage } from './stored-commit.ts';
import type { StreamJudge } from './stream-judge.ts';
import type { LogMessages } from './stream-reader.ts';

/** What an {@link OwnJudge} is made of. */
export interface OwnJudgeOptions extends Pick<LogTrust, 'registry'> {
  readonly log: string;
  readonly root: string;
  readonly messages: Pick<LogMessages, 'page'>;
}

/**
 * The judge of a node that reads its own stream and no other. The servers let nobody else write there, so what has its
 * signature and follows what was before is its own; only where the newest message is not is the stream read through.
 */
export class OwnJudge implements StreamJudge {
  readonly mayStray = true;
  readonly #options: OwnJudgeOptions;

  constructor(options: OwnJudgeOptions) {
    this.#options = options;
  }

  async head(stream: StreamId, newest: StoredMessage): Promise<JudgedHead> {
    const commit = this.commitIn(newest);
    if (commit !== undefined) return headOf(commit, newest.position);
    const subject = eventSubject(stream, this.#options.root);
    let head: JudgedHead = { stream, version: 0, hash: genesisHash, position: 0 };
    for (let from = 1; from <= newest.position;) {
      const page = await this.#options.messages.page({ from, subject });
      // A replica that lags does not have the newest ones yet: the next append is told so.
      if (page.length === 0) break;
      for (const message of page) {
        from = message.position + 1;
        const next = this.commitIn(message);
        if (next?.version === head.version + 1 && next.prev === head.hash) head = headOf(next, message.position);
      }
    }
    return head;
  }

  commitIn(message: StoredMessage): Commit | undefined {
    const reading = readMessage(message, (stream) => eventSubject(stream, this.#options.root));
    if (!('commit' in reading)) return undefined;
    const { commit } = reading;
    const { registry } = this.#options;
    if (registry === undefined) return commit;
    const author = registry.get(commit.author);
    if (author === undefined || authorFault(commit, registry, routersOf(commit)) !== undefined) return undefined;
    return verifySignature(author.key, commit.hash, commit.sig) ? commit : undefined;
  }

  take(): never {
    throw logRestricted(this.#options.log);
  }

  heads(): never {
    throw logRestricted(this.#options.log);
  }

  stored(): void {
    // What it has written it checks by its own key like all else.
  }
}

function headOf({ stream, version, hash }: Commit, position: number): JudgedHead {
  return { stream, version, hash, position };
}
