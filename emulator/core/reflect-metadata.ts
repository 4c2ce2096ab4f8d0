/**
 * The three functions of the Metadata Reflection API that `@peculiar/x509` (through tsyringe) wants to find on Reflect
 * when it is loaded. An own polyfill is left as it is where the program has loaded one.
 */
export function providePolyfill(): void {
  const reflect = Reflect as Partial<Record<string, unknown>>;
  if (reflect.getOwnMetadata) return;
  const metadata = new WeakMap<object, Map<unknown, unknown>>();
  const get = (key: unknown, target: object) => metadata.get(target)?.get(key);
  reflect.getMetadata = get;
  reflect.getOwnMetadata = get;
  reflect.defineMetadata = (key: unknown, value: unknown, target: object) => {
    const entries = metadata.get(target) ?? new Map<unknown, unknown>();
    metadata.set(target, entries.set(key, value));
  };
}
