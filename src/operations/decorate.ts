/**
 * An object that answers for another: the methods in `instead` are taken from there, everything else is the other's
 * own, also what its interface may grow later.
 */
export function decorate<T extends object>(inner: T, instead: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(instead, name)) return instead[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      // Methods of classes need their own `this`: private fields are not found through a proxy.
      let method = bound.get(name);
      if (method === undefined) bound.set(name, (method = (value as () => unknown).bind(target)));
      return method;
    },
  });
}
