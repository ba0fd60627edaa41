/**
 * How the tasks of a session are settled: each by transactions of its own (`perTask`), or many together in a batch that one
 * router posts and anyone may challenge (`batched`).
 */
export const settlements = ['perTask', 'batched'] as const;
/** One of {@link settlements}. */
export type Settlement = (typeof settlements)[number];
