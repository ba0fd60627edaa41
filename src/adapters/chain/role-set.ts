import { type Role, roles } from '../../core/ids.ts';

/** A set of roles as the contracts keep it: one bit each, in their order. */
export function roleSet(some: readonly Role[]): number {
  return some.reduce((set, role) => set | (1 << roles.indexOf(role)), 0);
}

/** The roles in a set, in their order. */
export function rolesIn(set: number): Role[] {
  return roles.filter((_, index) => (set & (1 << index)) !== 0);
}
