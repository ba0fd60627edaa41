/**
 * How a router finds miners for a task: it draws them (`preassigned`), or it offers the places in the queue of the
 * model and takes who comes first (`first-come`).
 */
export const schedulings = ['preassigned', 'first-come'] as const;
/** One of {@link schedulings}. */
export type Scheduling = (typeof schedulings)[number];
