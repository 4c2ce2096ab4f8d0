/**
 * Values by names that a client or a backend chose: without a prototype, so that `constructor` and `__proto__` are names
 * like all others.
 */
export const namedValues = <Value>(): Record<string, Value> => Object.create(null) as Record<string, Value>;

/** A value of a record by a name that somebody chose; undefined for names that only its prototype knows. */
export const ownValue = <Value>(
  record: Readonly<Record<string, Value>> | undefined,
  name: string,
): Value | undefined => (record && Object.hasOwn(record, name) ? record[name] : undefined);
