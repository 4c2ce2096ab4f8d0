/** What a limit counts in; "" for things. */
export type Unit = "" | "bytes" | "characters" | "ms" | "s" | "hours" | "a second" | "MB" | "KB" | "levels" | "digits";

/** A quota of AWS that the emulator enforces. */
export interface Limit {
  /** The most that there may be. */
  readonly value: number;
  /** The least, of a range. */
  readonly least?: number;
  readonly unit: Unit;
  /** What it bounds. */
  readonly what: string;
  /** What a program gets that goes over it: the error's code, or what happens instead. */
  readonly over: string;
  /** The page of AWS that names the number. */
  readonly source: string;
  /** The option of `startEmulator` that sets another value, where there is one. */
  readonly option?: string;
}

/** The limits of one service. */
export interface ServiceLimits {
  /** The service's name for people. */
  readonly service: string;
  readonly limits: Readonly<Record<string, Limit>>;
}

export const limit = (value: number, unit: Unit, what: string, over: string, source: string): Limit => ({
  value,
  unit,
  what,
  over,
  source,
});

/** A limit with a lower end. */
export const range = (
  least: number,
  value: number,
  unit: Unit,
  what: string,
  over: string,
  source: string,
): Limit & { readonly least: number } => ({ ...limit(value, unit, what, over, source), least });

/** The ends of a range, for `check({ name: [value, { range: endsOf(...) }] })`. */
export const endsOf = ({ least, value }: Limit & { readonly least: number }): readonly [number, number] => [
  least,
  value,
];
