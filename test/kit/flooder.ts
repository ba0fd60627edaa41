import { connectNats } from '../../src/adapters/nats/connect.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import { readNkeyFile } from '../../src/adapters/nats/nkey-file.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import {
  blockOfferSubject,
  blockRangeSubject,
  blockWantSubject,
  commandSubject,
  heartbeatSubject,
  tokenSubject,
} from '../../src/messages/subjects.ts';

/** What a flooder is told, as JSON in its only argument. */
export interface FloodOrder {
  readonly nats: string;
  /** The file of a miner's nkey. */
  readonly nkeyFile: string;
  readonly miner: Address;
  readonly routers: readonly Address[];
  readonly session: SessionId;
}

/** Messages of one round; the server has taken them when the next one begins. */
const roundMessages = 3_500;
/** How long a round takes at least: what is sent comes to 70,000 messages a second. */
const roundMs = 50;

/** A program with a miner's permissions that sends all it may, 70,000 messages a second, until it is killed. */
async function flood({ nats, nkeyFile, miner, routers, session }: FloodOrder): Promise<never> {
  const { seed } = readNkeyFile(nkeyFile);
  const link = await connectNats({ servers: nats, name: 'flood', nkeySeed: seed, inboxPrefix: inboxPrefixOf(miner) });
  const { connection } = link;
  const junk = new TextEncoder().encode(JSON.stringify({ v: 1, id: 'x', from: miner, body: {}, sig: '0'.repeat(128) }));
  const victim = routers[0] ?? miner;
  let sent = 0;
  for (;;) {
    for (let index = 0; index < roundMessages; index += 1) {
      const id = (sent++).toString(16).padStart(8, '0');
      const router = routers[index % routers.length] ?? victim;
      const cid = `bagu${id}` as Cid;
      switch (index % 6) {
        case 0:
          connection.publish(heartbeatSubject('miner', miner), junk);
          break;
        case 1:
          connection.publish(tokenSubject(session, `0x${id.repeat(8)}` as TaskId, miner), junk);
          break;
        case 2:
          // The answers are to go to others, and to subjects on which routers may not publish.
          connection.publish(commandSubject('router', router, 'claim', miner), junk, {
            reply: index % 4 === 0 ? `${inboxPrefixOf(victim)}.${id}` : `pouw.v1.hb.miner.${id}`,
          });
          break;
        case 3:
          connection.publish(blockWantSubject(cid, miner));
          break;
        case 4:
          connection.publish(blockRangeSubject(router, miner), JSON.stringify({ cid, offset: 0, length: 1 }), {
            reply: `${inboxPrefixOf(victim)}.${id}`,
          });
          break;
        default:
          connection.publish(blockOfferSubject(router, miner), JSON.stringify({ cid, size: 64 }));
      }
    }
    await Promise.all([connection.flush(), new Promise((resolve) => setTimeout(resolve, roundMs))]);
    process.stdout.write(`${sent}\n`);
  }
}

await flood(JSON.parse(process.argv[2] ?? '{}') as FloodOrder);
