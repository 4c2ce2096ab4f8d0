import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { compareValues, elements, equalValues, type Item, identity, typeOf } from "../values";
import type { Condition, FunctionName, Operand } from "./condition";
import { valueAt } from "./paths";
import type { Comparator } from "./syntax";

/** Whether an item (an empty one where there is none) meets a condition. */
export function meets(item: Item, condition: Condition): boolean {
  switch (condition.kind) {
    case "and":
      return meets(item, condition.left) && meets(item, condition.right);
    case "or":
      return meets(item, condition.left) || meets(item, condition.right);
    case "not":
      return !meets(item, condition.operand);
    case "compare":
      return compare(condition.operator, operandValue(condition.left, item), operandValue(condition.right, item));
    case "between": {
      const value = operandValue(condition.operand, item);
      return (
        compare("<=", operandValue(condition.low, item), value) &&
        compare("<=", value, operandValue(condition.high, item))
      );
    }
    case "in": {
      const value = operandValue(condition.operand, item);
      return condition.options.some((option) => compare("=", value, operandValue(option, item)));
    }
    case "function": {
      const [first, second] = condition.args;
      return call(condition.name, operandValue(first!, item), second && operandValue(second, item));
    }
  }
}

function operandValue(operand: Operand, item: Item): AttributeValue | undefined {
  switch (operand.kind) {
    case "path":
      return valueAt(item, operand.path);
    case "value":
      return operand.value;
    case "size": {
      const value = operandValue(operand.operand, item);
      const size = value && sizeOf(value);
      return size === undefined ? undefined : { N: String(size) };
    }
  }
}

function compare(operator: Comparator, a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  // A missing attribute is unequal to everything, and neither less nor greater.
  if (operator === "<>") return !a || !b || !equalValues(a, b);
  if (!a || !b) return false;
  if (operator === "=") return equalValues(a, b);
  const order = compareValues(a, b);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function call(name: FunctionName, value: AttributeValue | undefined, other: AttributeValue | undefined): boolean {
  if (name === "attribute_exists") return value !== undefined;
  if (name === "attribute_not_exists") return value === undefined;
  if (!value || !other) return false;
  switch (name) {
    case "attribute_type":
      return typeOf(value) === other.S;
    case "begins_with":
      return beginsWith(value, other);
    case "contains":
      return contains(value, other);
  }
}

const bytes = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

function beginsWith(value: AttributeValue, prefix: AttributeValue): boolean {
  if (value.S !== undefined && prefix.S !== undefined) return value.S.startsWith(prefix.S);
  if (!value.B || !prefix.B || prefix.B.byteLength > value.B.byteLength) return false;
  return bytes(value.B).subarray(0, prefix.B.byteLength).equals(prefix.B);
}

function contains(value: AttributeValue, sought: AttributeValue): boolean {
  if (value.L) return value.L.some((element) => equalValues(element, sought));
  if (sought.S !== undefined) return (value.S?.includes(sought.S) ?? value.SS?.includes(sought.S)) === true;
  if (sought.N !== undefined) return value.NS?.includes(sought.N) === true;
  if (!sought.B) return false;
  if (value.B) return bytes(value.B).includes(bytes(sought.B));
  return value.BS !== undefined && elements(value).includes(identity(sought));
}

/** What `size` gives: characters, bytes, or elements; undefined for types that have none. */
function sizeOf(value: AttributeValue): number | undefined {
  const counted = value.S ?? value.SS ?? value.NS ?? value.BS ?? value.L;
  if (counted !== undefined) return counted.length;
  if (value.B) return value.B.byteLength;
  return value.M && Object.keys(value.M).length;
}
