import * as pulumi from "@pulumi/pulumi";

/** The retention times that CloudWatch Logs knows (API reference: PutRetentionPolicy). */
export const RETENTION_DAYS = [
  14, 0, 1, 3, 5, 7, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** What a number must be. */
export interface NumberRule {
  min: number;
  max?: number;
  /** Decimals are allowed. */
  decimals?: boolean;
  /** Such as "seconds". */
  unit?: string;
  /** A value that works, for the message. */
  use: number;
}

/**
 * Collects the mistakes in a component's arguments, to be thrown together: who wrote three of them should not have to
 * deploy three times. Values that are known only during the deployment pass; AWS judges them.
 */
export class Checks {
  private readonly problems: string[] = [];

  constructor(
    private readonly component: string,
    private readonly name: string,
  ) {}

  /** A mistake: which option, what it must be, and a cure. */
  add(option: string, must: string, use: string): void {
    this.problems.push(`${option} must ${must}; use ${use}`);
  }

  /** A number, or nothing, for then the default counts. */
  number(option: string, value: unknown, { min, max, decimals = false, unit, use }: NumberRule): void {
    if (value === undefined || isLater(value)) return;
    const right = typeof value === "number" && (decimals ? Number.isFinite(value) : Number.isInteger(value));
    if (right && value >= min && (max === undefined || value <= max)) return;
    const kind = decimals ? "a number" : "a whole number";
    const range = max === undefined ? `of ${min} or more` : `from ${min} to ${max}`;
    this.add(option, `be ${kind} ${range}${unit ? ` (${unit})` : ""}, not ${show(value)}`, String(use));
  }

  /** A text of a form, or nothing. */
  text(option: string, value: unknown, pattern: RegExp, must: string, use: string): void {
    if (value === undefined || isLater(value)) return;
    if (typeof value !== "string" || !pattern.test(value)) this.add(option, `${must}, not ${show(value)}`, use);
  }

  /** One of some values, or nothing. */
  oneOf(option: string, value: unknown, values: readonly (string | number)[]): void {
    if (value === undefined || isLater(value) || values.includes(value as string)) return;
    this.add(option, `be one of ${values.join(", ")}, not ${show(value)}`, show(values[0]));
  }

  /** A callback, or nothing. */
  callback(option: string, value: unknown, use: string): void {
    if (value !== undefined && typeof value !== "function") this.add(option, `be a function, not ${show(value)}`, use);
  }

  /** Options by their names, so that a misspelt one is not passed over in silence. */
  names(option: string, value: object, known: readonly string[]): void {
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      this.add(option ? `${option}.${name}` : name, "not be given: there is no such option", known.join(", "));
    }
  }

  /** Throws when there are mistakes. */
  done(): void {
    if (this.problems.length === 0) return;
    // A RunError is shown by its message alone, without a stack of Pulumi's own frames.
    throw new pulumi.RunError(`${this.component} "${this.name}": ${this.problems.join(". Also: ")}`);
  }
}

/** True for values that only the deployment will know. */
export const isLater = (value: unknown) => pulumi.Output.isInstance(value) || value instanceof Promise;

const show = (value: unknown) => {
  if (typeof value === "function") return "a function";
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
};
