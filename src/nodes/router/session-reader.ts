import type { SessionContext } from '../../../actors/session/context.ts';
import { sessionActor } from '../../../actors/session/definition.ts';
import { requireNext } from '../../core/commit.ts';
import type { Folded } from '../../core/fold.ts';
import { foldCommit } from '../../core/fold-commit.ts';
import { type SessionId, streamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import { type ActorSources, loadActor } from '../../runtime/load-actor.ts';

/** A session as the log has it. */
export interface ReadSession {
  readonly state: Folded<SessionContext>;
  readonly version: number;
  readonly hash: string;
}

/**
 * Sessions that another router owns, read from the log. Their newest states are kept, so that reading one again costs no
 * more than the commits since; who asks while a read is about to begin shares it.
 */
export class SessionReader {
  readonly #sources: ActorSources;
  readonly #known = new Recent<SessionId, ReadSession>(limits.readSessionsKept);
  /** The read under way of each session, and the one that begins when it has ended. */
  readonly #running = new Map<SessionId, Promise<unknown>>();
  readonly #next = new Map<SessionId, Promise<ReadSession>>();

  constructor(sources: ActorSources) {
    this.#sources = sources;
  }

  /** A session up to the log's newest commit. @throws PouwError what `loadActor` throws. */
  read(session: SessionId): Promise<ReadSession> {
    const next = this.#next.get(session);
    if (next !== undefined) return next;
    const before = this.#running.get(session) ?? Promise.resolve();
    const reading = before
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(session);
        this.#running.set(session, reading);
        return this.#catchUp(session);
      })
      .finally(() => {
        if (this.#running.get(session) === reading) this.#running.delete(session);
      });
    this.#next.set(session, reading);
    return reading;
  }

  async #catchUp(session: SessionId): Promise<ReadSession> {
    const stream = streamId('session', session);
    const known = this.#known.get(session);
    let now: ReadSession = known ?? (await loadActor(this.#sources, sessionActor, stream));
    if (known !== undefined) {
      for await (const { commit } of this.#sources.store.read(stream, { fromVersion: known.version + 1 })) {
        requireNext(now, commit);
        const { state } = foldCommit(sessionActor.fold, now.state, commit);
        now = { state, version: commit.version, hash: commit.hash };
      }
    }
    const { state, version, hash } = now;
    if (version > 0) this.#known.set(session, { state, version, hash });
    return { state, version, hash };
  }
}
