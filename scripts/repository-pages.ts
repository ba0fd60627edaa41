import type { ErrorClass } from '../src/core/errors.ts';
import { limits } from '../src/core/limits.ts';
import { errorStatus } from '../src/gateway/error-status.ts';
import { metricCatalogue } from '../src/ports/metric-catalogue.ts';
import { metricsPage } from './metrics-page.ts';
import { errorsPage, generated, limitsPage } from './reference-pages.ts';
import { trackedSources, trackedText } from './tracked-files.ts';

/** Where the bounds stand. */
const limitFiles = [
  'limits',
  'nats-limits',
  'chain-limits',
  'session-limits',
  'step-limits',
  'checkpoint-limits',
  'round-limits',
  'offer-limits',
  'carry-limits',
  'batch-limits',
  'sender-limits',
  'draw-limits',
].map((name) => `src/core/${name}.ts`);

/** The reference pages as they have to be for the code as it is: path to text. */
export function repositoryPages(): Readonly<Record<string, string>> {
  return {
    'docs/errors.md': errorsPage(trackedSources(), statusOf),
    'docs/limits.md': limitsPage(limits, limitFiles.map(trackedText).join('')),
    'docs/metrics.md': metricsPage(metricCatalogue, generated),
  };
}

function statusOf(code: string, name: string): number {
  return errorStatus({ code, class: name as ErrorClass });
}
