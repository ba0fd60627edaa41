import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import { member, type Member } from '../../src/cli/compose/members.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { sealMessage } from '../../src/messages/envelope.ts';
import { heartbeatSubject } from '../../src/messages/subjects.ts';

/** Beats as a miner does, three times as often. */
const beatMs = 150;

/** A program that says it is a miner: NATS lets it in, whatever the registry thinks of it. */
export class Outsider {
  readonly member: Member;
  readonly #link: NatsLink;
  readonly #beats: ReturnType<typeof setInterval>;
  #sent = 0;

  private constructor(own: Member, link: NatsLink, model: string) {
    this.member = own;
    this.#link = link;
    this.#beats = setInterval(() => {
      const body = { role: 'miner', models: [model], load: 0, capacity: 64, draining: false, at: Date.now() };
      this.say(heartbeatSubject('miner', own.address), body);
    }, beatMs);
  }

  /** Connects with an nkey, and says from then on that it is there for a model. */
  static async join(servers: string, keys: KeyRing, nkeySeed: string, model: string): Promise<Outsider> {
    const own = member(keys, 'miner', 0);
    const inboxPrefix = inboxPrefixOf(own.address);
    const link = await connectNats({ servers, name: 'outsider', nkeySeed, inboxPrefix });
    return new Outsider(own, link, model);
  }

  /** Sends a message that is signed as it should be. */
  say(subject: string, body: JsonObject): void {
    const { address, signer } = this.member;
    this.#sent += 1;
    this.#link.connection.publish(subject, sealMessage(subject, `out:${this.#sent}`, address, body, signer));
  }

  async leave(): Promise<void> {
    clearInterval(this.#beats);
    await this.#link.close();
  }
}
