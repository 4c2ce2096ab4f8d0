import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidExpression } from "../errors";
import { type AttributeType, compareValues, typeOf } from "../values";
import { type Path, showPath } from "./paths";
import type { Placeholders } from "./resolve";
import type { Comparator, ConditionSyntax, OperandSyntax } from "./syntax";

export type Operand =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | { readonly kind: "size"; readonly operand: Operand };

export type FunctionName = "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains";

/** A condition that can be tried on items. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly operand: Condition }
  | { readonly kind: "compare"; readonly operator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: "between"; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "in"; readonly operand: Operand; readonly options: readonly Operand[] }
  | { readonly kind: "function"; readonly name: FunctionName; readonly args: readonly Operand[] };

const operandCounts: Record<string, number> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};

const types = ["S", "N", "B", "NULL", "SS", "BOOL", "L", "BS", "NS", "M"];
const comparable: ReadonlySet<AttributeType> = new Set(["S", "N", "B"]);

/** The type that an operand has whatever the item; undefined for a path. */
const fixedType = (operand: Operand): AttributeType | undefined =>
  operand.kind === "value" ? typeOf(operand.value) : operand.kind === "size" ? "N" : undefined;

/** Looks up the placeholders of a condition and refuses operands that can never work. */
export class ConditionResolver {
  /** Every path that the condition reads. */
  readonly paths: Path[] = [];

  constructor(
    private readonly placeholders: Placeholders,
    private readonly parameter: string,
  ) {}

  condition(syntax: ConditionSyntax): Condition {
    switch (syntax.kind) {
      case "and":
      case "or":
        return { kind: syntax.kind, left: this.condition(syntax.left), right: this.condition(syntax.right) };
      case "not":
        return { kind: "not", operand: this.condition(syntax.operand) };
      case "compare": {
        const { kind, operator } = syntax;
        const left = this.operand(syntax.left);
        const right = this.operand(syntax.right);
        this.distinct(operator, left, right);
        if (operator !== "=" && operator !== "<>") this.ofType(operator, comparable, left, right);
        return { kind, operator, left, right };
      }
      case "between": {
        const operand = this.operand(syntax.operand);
        const low = this.operand(syntax.low);
        const high = this.operand(syntax.high);
        this.ofType("BETWEEN", comparable, operand, low, high);
        this.bounds(low, high);
        return { kind: "between", operand, low, high };
      }
      case "in":
        return {
          kind: "in",
          operand: this.operand(syntax.operand),
          options: syntax.options.map((option) => this.operand(option)),
        };
      case "call":
        return { kind: "function", name: syntax.name as FunctionName, args: this.arguments(syntax.name, syntax.args) };
    }
  }

  private operand(syntax: OperandSyntax): Operand {
    switch (syntax.kind) {
      case "path": {
        const path = this.placeholders.path(syntax.steps, this.parameter);
        this.paths.push(path);
        return { kind: "path", path };
      }
      case "value":
        return { kind: "value", value: this.placeholders.value(syntax.name, this.parameter) };
      case "call":
        return { kind: "size", operand: this.arguments(syntax.name, syntax.args)[0]! };
    }
  }

  private arguments(name: string, syntax: readonly OperandSyntax[]): Operand[] {
    const args = syntax.map((arg) => this.operand(arg));
    if (args.length !== operandCounts[name]) {
      throw this.mistake(
        "Incorrect number of operands for operator or function; " +
          `operator or function: ${name}, number of operands: ${args.length}`,
      );
    }
    const [first, second] = args as [Operand, Operand | undefined];
    if (second) this.distinct(name, first, second);
    switch (name) {
      case "attribute_exists":
      case "attribute_not_exists":
        if (first.kind !== "path") {
          throw this.mistake(`Operator or function requires a document path; operator or function: ${name}`);
        }
        break;
      case "begins_with":
        this.ofType(name, new Set<AttributeType>(["S", "B"]), first, second!);
        break;
      case "size":
        this.ofType(name, new Set<AttributeType>(["S", "B", "SS", "NS", "BS", "L", "M"]), first);
        break;
      case "attribute_type":
        this.typeName(second!);
        break;
    }
    return args;
  }

  private typeName(operand: Operand): void {
    const text = operand.kind === "value" ? operand.value.S : undefined;
    if (text === undefined) {
      throw this.operandType("attribute_type", fixedType(operand) ?? "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    }
    if (!types.includes(text)) {
      throw this.mistake(
        `Invalid attribute type name found; type: ${text}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
      );
    }
  }

  private ofType(operator: string, allowed: ReadonlySet<AttributeType>, ...operands: Operand[]): void {
    for (const operand of operands) {
      const type = fixedType(operand);
      if (type && !allowed.has(type)) throw this.operandType(operator, type);
    }
  }

  private distinct(operator: string, first: Operand, second: Operand): void {
    if (first.kind !== "path" || second.kind !== "path" || first.path.length !== second.path.length) return;
    if (first.path.some((step, index) => step !== second.path[index])) return;
    throw this.mistake(
      "The first operand must be distinct from the remaining operands for this operator or function; " +
        `operator: ${operator}, first operand: ${showPath(first.path)}`,
    );
  }

  private bounds(low: Operand, high: Operand): void {
    if (low.kind !== "value" || high.kind !== "value") return;
    const shown =
      `lower bound operand: AttributeValue: ${showValue(low.value)}, ` +
      `upper bound operand: AttributeValue: ${showValue(high.value)}`;
    const order = compareValues(low.value, high.value);
    if (Number.isNaN(order)) {
      throw this.mistake(`The BETWEEN operator requires same data type for lower and upper bounds; ${shown}`);
    }
    if (order > 0) {
      throw this.mistake(
        `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${shown}`,
      );
    }
  }

  private operandType(operator: string, type: string): Error {
    return this.mistake(
      `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
    );
  }

  private mistake(message: string): Error {
    return invalidExpression(this.parameter, message);
  }
}

const showValue = (value: AttributeValue): string =>
  `{${typeOf(value)}:${value.S ?? value.N ?? Buffer.from(value.B ?? []).toString("base64")}}`;
