import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../core/errors";
import { invalidExpression, validation } from "../errors";
import { checkValue, entriesOf } from "../validation";
import { type Item, member } from "../values";
import type { Path } from "./paths";
import type { PathStep } from "./syntax";

const validName = /^#[a-zA-Z0-9_]+$/;
const validValue = /^:[a-zA-Z0-9_]+$/;

const isEmpty = (map: object): boolean => {
  for (const _ in map) return false;
  return true;
};

/**
 * The placeholders of one request. Looks them up while its expressions are resolved, and knows in the end
 * which of them nobody used.
 */
export class Placeholders {
  private readonly usedNames = new Set<string>();
  private readonly usedValues = new Set<string>();

  constructor(
    private readonly names: Record<string, string> | undefined,
    private readonly values: Item | undefined,
  ) {
    if (names) this.checkNames(names);
    if (values) this.checkValues(values);
  }

  /** A path with its placeholders replaced. */
  path(steps: readonly PathStep[], parameter: string): Path {
    let resolved: (string | number)[] | undefined;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (typeof step !== "string" || step[0] !== "#") continue;
      resolved ??= [...steps];
      resolved[i] = this.name(step, parameter);
    }
    return resolved ?? steps;
  }

  value(name: string, parameter: string): AttributeValue {
    const value = this.values && member(this.values, name);
    if (!value) {
      throw invalidExpression(
        parameter,
        `An expression attribute value used in expression is not defined; attribute value: ${name}`,
      );
    }
    this.usedValues.add(name);
    return value;
  }

  /** Refuses a request with placeholders that none of its expressions used. */
  finish(): void {
    const unusedNames = Object.keys(this.names ?? {}).filter((name) => !this.usedNames.has(name));
    if (unusedNames.length > 0) throw unused("ExpressionAttributeNames", unusedNames);
    const unusedValues = Object.keys(this.values ?? {}).filter((name) => !this.usedValues.has(name));
    if (unusedValues.length > 0) throw unused("ExpressionAttributeValues", unusedValues);
  }

  private name(placeholder: string, parameter: string): string {
    const name = this.names && Object.hasOwn(this.names, placeholder) ? this.names[placeholder] : undefined;
    if (name === undefined) {
      throw invalidExpression(
        parameter,
        `An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
      );
    }
    this.usedNames.add(placeholder);
    return name;
  }

  private checkNames(names: Record<string, string>): void {
    if (isEmpty(names)) throw validation("ExpressionAttributeNames must not be empty");
    for (const [key, name] of entriesOf("expressionAttributeNames", names)) {
      if (!validName.test(key)) {
        throw validation(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${key}"`);
      }
      if (name === "") {
        throw validation(
          `ExpressionAttributeNames contains invalid value: Attribute name must not be empty for key ${key}`,
        );
      }
    }
  }

  private checkValues(values: Item): void {
    if (isEmpty(values)) throw validation("ExpressionAttributeValues must not be empty");
    for (const key of Object.keys(values)) {
      if (!validValue.test(key)) {
        throw validation(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${key}"`);
      }
      try {
        checkValue(values[key]!);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        throw validation(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
      }
    }
  }
}

const unused = (parameter: string, keys: readonly string[]) =>
  validation(`Value provided in ${parameter} unused in expressions: keys: {${keys.join(", ")}}`);
