import { errorCode } from '../core/errors.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';

/** A content store that measures what it is asked. */
export function meterContent(content: ContentStore, metrics: Metrics): ContentStore {
  const measure = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    const seconds = metrics.timer();
    let code = 'ok';
    try {
      return await run();
    } catch (error) {
      code = errorCode(error);
      throw error;
    } finally {
      metrics.observe('pouw_content_duration_seconds', { operation, code }, seconds());
    }
  };
  return decorate(content, {
    put: (value) => measure('put', () => content.put(value)),
    get: (cid, options) => measure('get', () => content.get(cid, options)),
    flush: () => measure('flush', () => content.flush()),
  });
}
