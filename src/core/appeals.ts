/** Which outcomes a miner appeals by itself: those that call it an outlier and that it finds wrong, or none. */
export const appealChoices = ['own', 'none'] as const;
/** One of {@link appealChoices}. */
export type Appeals = (typeof appealChoices)[number];
