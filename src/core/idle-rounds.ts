/** Whether a node takes part in idle rounds. Off is the default: a round costs gas, also where nobody wants $COR. */
export const idleRoundsChoices = ['off', 'on'] as const;
export type IdleRoundsChoice = (typeof idleRoundsChoices)[number];
