import { z } from 'zod';
import { PouwError } from '../../core/errors.ts';

/** Where a running network is asked, and with which key. */
export interface DoorOptions {
  readonly url: string;
  readonly key?: string;
}

/** The front door of a running network. */
export interface Door {
  /** @throws PouwError with the code that the network answers, `network_unreachable`. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

const errorAnswer = z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) });

/** Opens the door of a network. @throws PouwError `api_key_missing`. */
export function openDoor({ url, key = process.env['POUW_KEY'] }: DoorOptions): Door {
  if (key === undefined || key === '') {
    throw new PouwError('api_key_missing', 'There is no API key.', {
      class: 'invalid',
      hint: 'Give --key, or set POUW_KEY; pouw start prints the key of its session.',
      param: 'key',
    });
  }
  return doorAt(url, { authorization: `Bearer ${key}` });
}

/** Opens the door of a network for what takes no key. */
export function openKeylessDoor({ url }: Pick<DoorOptions, 'url'>): Door {
  return doorAt(url, {});
}

function doorAt(url: string, who: Readonly<Record<string, string>>): Door {
  const root = url.replace(/\/+$/, '');
  return {
    ask: async (method, path, body) => {
      const headers = { ...who, 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      let response: Response;
      try {
        response = await fetch(`${root}${path}`, { method, headers, ...sent });
      } catch (cause) {
        throw new PouwError('network_unreachable', `Nobody answers at ${root}.`, {
          class: 'unavailable',
          hint: 'Start a network with pouw start, or name its endpoint with --url.',
          param: 'url',
          cause,
        });
      }
      const answer: unknown = await response.json().catch(() => undefined);
      if (response.ok) return answer;
      const failed = errorAnswer.safeParse(answer);
      throw new PouwError(
        failed.success ? failed.data.error.code : 'network_unreachable',
        failed.success ? failed.data.error.message : `${root} answered ${response.status}.`,
        { class: response.status >= 500 ? 'unavailable' : 'invalid' },
      );
    },
  };
}
