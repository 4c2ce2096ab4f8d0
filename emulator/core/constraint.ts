import { AwsError } from "./errors";

/** What an AWS model says of one input member. */
export interface Constraint {
  readonly required?: boolean;
  /** Shortest and longest text, or fewest and most list members. */
  readonly length?: readonly [min: number, max: number];
  /** Smallest and largest number. */
  readonly range?: readonly [min: number, max: number];
  readonly pattern?: RegExp;
  /** The only values there are. */
  readonly oneOf?: readonly string[];
}

function problem(name: string, value: unknown, rule: Constraint): string | undefined {
  const fails = (constraint: string) =>
    `Value ${Array.isArray(value) ? JSON.stringify(value) : `'${value}'`} at '${name}' failed to satisfy constraint: ${constraint}`;
  if (value === undefined || value === null) {
    return rule.required ? `Value null at '${name}' failed to satisfy constraint: Member must not be null` : undefined;
  }
  if (rule.length && (typeof value === "string" || Array.isArray(value))) {
    const [min, max] = rule.length;
    if (value.length < min) return fails(`Member must have length greater than or equal to ${min}`);
    if (value.length > max) return fails(`Member must have length less than or equal to ${max}`);
  }
  if (rule.range && typeof value === "number") {
    const [min, max] = rule.range;
    if (value < min) return fails(`Member must have value greater than or equal to ${min}`);
    if (value > max) return fails(`Member must have value less than or equal to ${max}`);
  }
  if (rule.oneOf && !rule.oneOf.includes(String(value))) {
    return fails(`Member must satisfy enum value set: [${rule.oneOf.join(", ")}]`);
  }
  if (rule.pattern && !rule.pattern.test(String(value))) {
    return fails(`Member must satisfy regular expression pattern: ${rule.pattern.source.replace(/^\^|\$$/g, "")}`);
  }
  return undefined;
}

/**
 * Checks input members against the AWS model and refuses the request in the words of AWS's front end, all problems at
 * once: `2 validation errors detected: Value '' at 'roleName' failed to satisfy constraint: ...`.
 *
 * @param code the error that the service answers with: ValidationError, ValidationException, InvalidParameterException.
 * @param rules by the member's name as messages show it (first letter small), with the value.
 */
export function checkConstraints(
  code: string,
  rules: Record<string, readonly [value: unknown, rule: Constraint]>,
): void {
  const problems = Object.entries(rules).flatMap(([name, [value, rule]]) => problem(name, value, rule) ?? []);
  if (!problems.length) return;
  const count = problems.length === 1 ? "1 validation error" : `${problems.length} validation errors`;
  throw new AwsError(code, `${count} detected: ${problems.join("; ")}`, 400);
}
