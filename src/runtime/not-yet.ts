import { PouwError } from '../core/errors.ts';

/** What an effect's handler throws that has to wait for somebody: it is tried again like a failure, and is none. */
export class NotYet extends PouwError {}
