import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidExpression, validation } from "../errors";
import { addNumbers } from "../number";
import { binaryText, elements, type Item, member, setMember, typeOf } from "../values";
import { type Path, pathConflict, valueAt } from "./paths";
import type { Placeholders } from "./resolve";
import type { OperandSyntax, SetValueSyntax, UpdateSyntax } from "./syntax";

export type UpdateOperand =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | { readonly kind: "if_not_exists"; readonly path: Path; readonly fallback: UpdateOperand }
  | { readonly kind: "list_append" | "+" | "-"; readonly left: UpdateOperand; readonly right: UpdateOperand };

/** One change that an update makes. */
export type UpdateAction =
  | { readonly kind: "SET"; readonly path: Path; readonly value: UpdateOperand }
  | { readonly kind: "REMOVE"; readonly path: Path }
  | { readonly kind: "ADD" | "DELETE"; readonly path: Path; readonly value: AttributeValue };

const parameter = "UpdateExpression";
const mistake = (message: string) => invalidExpression(parameter, message);

const longNames: Partial<Record<string, string>> = {
  S: "STRING",
  N: "NUMBER",
  B: "BINARY",
  NULL: "NULL",
  BOOL: "BOOLEAN",
  L: "LIST",
  M: "MAP",
};

/** Looks up the placeholders of an update and refuses paths and operands that can never work together. */
export function resolveUpdate(syntax: readonly UpdateSyntax[], placeholders: Placeholders): UpdateAction[] {
  const actions = syntax.map((action): UpdateAction => {
    const path = placeholders.path(action.path, parameter);
    switch (action.kind) {
      case "SET":
        return { kind: "SET", path, value: resolveSetValue(action.value, placeholders) };
      case "REMOVE":
        return { kind: "REMOVE", path };
      default:
        return { kind: action.kind, path, value: placeholders.value(action.value, parameter) };
    }
  });
  for (const [index, { path }] of actions.entries()) {
    for (const earlier of actions.slice(0, index)) {
      const conflict = pathConflict(earlier.path, path);
      if (conflict) throw mistake(conflict);
    }
  }
  for (const action of actions) {
    if (action.kind !== "ADD" && action.kind !== "DELETE") continue;
    const type = typeOf(action.value);
    if (!longNames[type] || (action.kind === "ADD" && type === "N")) continue;
    throw mistake(
      `Incorrect operand type for operator or function; operator: ${action.kind}, operand type: ${longNames[type]}`,
    );
  }
  return actions;
}

function resolveSetValue(syntax: SetValueSyntax, placeholders: Placeholders): UpdateOperand {
  if (!("left" in syntax)) return resolveOperand(syntax, placeholders);
  const left = resolveOperand(syntax.left, placeholders);
  const right = resolveOperand(syntax.right, placeholders);
  requireType(syntax.kind, "N", left, right);
  return { kind: syntax.kind, left, right };
}

function resolveOperand(syntax: OperandSyntax, placeholders: Placeholders): UpdateOperand {
  switch (syntax.kind) {
    case "path":
      return { kind: "path", path: placeholders.path(syntax.steps, parameter) };
    case "value":
      return { kind: "value", value: placeholders.value(syntax.name, parameter) };
    case "call": {
      const args = syntax.args.map((arg) => resolveOperand(arg, placeholders));
      if (args.length !== 2) {
        throw mistake(
          "Incorrect number of operands for operator or function; " +
            `operator or function: ${syntax.name}, number of operands: ${args.length}`,
        );
      }
      const [left, right] = args as [UpdateOperand, UpdateOperand];
      if (syntax.name === "list_append") {
        requireType("list_append", "L", left, right);
        return { kind: "list_append", left, right };
      }
      if (left.kind !== "path") {
        throw mistake(`Operator or function requires a document path; operator or function: ${syntax.name}`);
      }
      return { kind: "if_not_exists", path: left.path, fallback: right };
    }
  }
}

function requireType(operator: string, type: "N" | "L", ...operands: UpdateOperand[]): void {
  for (const operand of operands) {
    if (operand.kind !== "value" || operand.value[type] !== undefined) continue;
    throw mistake(
      "Incorrect operand type for operator or function; " +
        `operator or function: ${operator}, operand type: ${typeOf(operand.value)}`,
    );
  }
}

const wrongType = () => validation("An operand in the update expression has an incorrect data type");
const invalidPath = () => validation("The document path provided in the update expression is invalid for update");

/**
 * What an item becomes. Every operand is read from the item as it was; nothing of it is changed: containers on the way
 * to a change are copied.
 */
export function applyUpdate(item: Item, actions: readonly UpdateAction[]): Item {
  const draft = new Draft(item);
  const values = actions.map((action) => (action.kind === "SET" ? operandValue(action.value, item) : undefined));
  for (const [index, action] of actions.entries()) {
    switch (action.kind) {
      case "SET":
        draft.set(action.path, values[index]!);
        break;
      case "REMOVE":
        draft.remove(action.path);
        break;
      case "ADD":
        draft.set(action.path, added(valueAt(item, action.path), action.value));
        break;
      case "DELETE": {
        const left = deleted(valueAt(item, action.path), action.value);
        if (left) draft.set(action.path, left);
        else draft.remove(action.path);
      }
    }
  }
  return draft.finish();
}

function operandValue(operand: UpdateOperand, item: Item): AttributeValue {
  switch (operand.kind) {
    case "value":
      return operand.value;
    case "path": {
      const value = valueAt(item, operand.path);
      if (!value) throw validation("The provided expression refers to an attribute that does not exist in the item");
      return value;
    }
    case "if_not_exists":
      return valueAt(item, operand.path) ?? operandValue(operand.fallback, item);
    case "list_append": {
      const left = operandValue(operand.left, item).L;
      const right = operandValue(operand.right, item).L;
      if (!left || !right) throw wrongType();
      return { L: [...left, ...right] };
    }
    default: {
      const left = operandValue(operand.left, item).N;
      const right = operandValue(operand.right, item).N;
      if (left === undefined || right === undefined) throw wrongType();
      return { N: addNumbers(left, right, operand.kind === "-") };
    }
  }
}

/** The union of two sets, or the sum of two numbers. Lists grow too: the old AttributeUpdates parameter can do that. */
function added(value: AttributeValue | undefined, more: AttributeValue): AttributeValue {
  if (!value) return more;
  if (typeOf(value) !== typeOf(more)) throw wrongType();
  if (value.N !== undefined) return { N: addNumbers(value.N, more.N!) };
  if (value.L) return { L: [...value.L, ...more.L!] };
  if (value.SS) return { SS: [...new Set([...value.SS, ...more.SS!])] };
  if (value.NS) return { NS: [...new Set([...value.NS, ...more.NS!])] };
  const known = new Set(elements(value));
  return { BS: [...value.BS!, ...more.BS!.filter((element) => !known.has(binaryText(element)))] };
}

/** What is left of a set without some elements; undefined when nothing is. */
function deleted(value: AttributeValue | undefined, less: AttributeValue): AttributeValue | undefined {
  if (!value) return undefined;
  if (typeOf(value) !== typeOf(less)) throw wrongType();
  const gone = new Set(elements(less));
  const keep = (element: string) => !gone.has(element);
  if (value.SS) return value.SS.some(keep) ? { SS: value.SS.filter(keep) } : undefined;
  if (value.NS) return value.NS.some(keep) ? { NS: value.NS.filter(keep) } : undefined;
  const BS = value.BS!.filter((element) => keep(binaryText(element)));
  return BS.length > 0 ? { BS } : undefined;
}

/** A copy of an item that grows only where it is changed. */
class Draft {
  private readonly item: Item;
  /** Containers that belong to the copy alone. */
  private readonly own = new Set<Item | AttributeValue[]>();
  /** Lists with holes: indexes keep meaning what they meant in the old item until the end. */
  private readonly lists = new Set<AttributeValue[]>();

  constructor(item: Item) {
    this.item = { ...item };
  }

  set(path: Path, value: AttributeValue): void {
    const parent = this.parent(path);
    if (!parent) throw invalidPath();
    const step = path[path.length - 1]!;
    if (Array.isArray(parent)) {
      // An index past the end appends; the hole before it closes in the end.
      if (Number(step) > parent.length) this.lists.add(parent);
      parent[step as number] = value;
    } else {
      setMember(parent, step as string, value);
    }
  }

  remove(path: Path): void {
    const parent = this.parent(path);
    if (!parent) throw invalidPath();
    const step = path[path.length - 1]!;
    if (Array.isArray(parent)) {
      if (Number(step) >= parent.length) return;
      delete parent[step as number];
      this.lists.add(parent);
    } else {
      delete parent[step as string];
    }
  }

  finish(): Item {
    for (const list of this.lists) {
      // Array methods skip holes.
      const kept = list.filter(() => true);
      list.length = 0;
      for (const element of kept) list.push(element);
    }
    return this.item;
  }

  /** The container of the last step, owned by the copy; undefined where the path leads nowhere. */
  private parent(path: Path): Item | AttributeValue[] | undefined {
    let container: Item | AttributeValue[] = this.item;
    for (const [index, step] of path.slice(0, -1).entries()) {
      const value: AttributeValue | undefined = Array.isArray(container)
        ? container[step as number]
        : member(container, step as string);
      const inner: Item | AttributeValue[] | undefined = typeof path[index + 1] === "number" ? value?.L : value?.M;
      if (!inner) return undefined;
      if (this.own.has(inner)) {
        container = inner;
        continue;
      }
      const copy: Item | AttributeValue[] = Array.isArray(inner) ? [...inner] : { ...inner };
      const wrapped = (Array.isArray(copy) ? { L: copy } : { M: copy }) as AttributeValue;
      this.own.add(copy);
      if (Array.isArray(container)) container[step as number] = wrapped;
      else setMember(container, step as string, wrapped);
      container = copy;
    }
    return container;
  }
}
