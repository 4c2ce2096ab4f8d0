import type { Expression, Query, Select, Statement } from "./ast";
import { sqlEvaluationFailed } from "./errors";
import { findFunction, takes } from "./functions";
import { castTo } from "./functions/cast";
import { arithmetic, calculate, compare, equal } from "./operators";
import { execute, type Scope, type SqlContext } from "./scope";
import { isArray, isObject, member, setMember, toBoolean, toNumeric, toSmallInt, type Value } from "./values";

/** An expression made ready: called once per message. */
export type Compiled = (scope: Scope) => Value;

/** A JSON value (numbers with more digits than a JavaScript number holds serialize exactly), or raw bytes. */
export type SqlResult = Exclude<Value, undefined> | Buffer;

const compiled = new WeakMap<Expression, Compiled>();

/** Makes an expression ready, once. */
export function compile(expression: Expression): Compiled {
  const known = compiled.get(expression);
  if (known) return known;
  const made = build(expression);
  compiled.set(expression, made);
  return made;
}

function build(expression: Expression): Compiled {
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      return () => value;
    }
    case "star":
      return (scope) => scope.root;
    case "variable":
      return variable(expression.name);
    case "path":
      return path(expression.base, expression.segments);
    case "array": {
      const items = expression.items.map(compile);
      return (scope) => items.map((item) => item(scope));
    }
    case "object": {
      const entries = expression.entries.map(([key, value]) => [key, compile(value)] as const);
      return (scope) => {
        const object: Record<string, Value> = {};
        for (const [key, value] of entries) setMember(object, key, value(scope));
        return object;
      };
    }
    case "call":
      return call(expression);
    case "cast": {
      const value = compile(expression.value);
      const { type } = expression;
      return (scope) => castTo(type, value(scope), scope.run.version);
    }
    case "negate": {
      const value = compile(expression.value);
      return (scope) => {
        const number = toNumeric(value(scope), scope.run.version);
        return number === undefined ? undefined : calculate("-", 0, number, scope.run.version);
      };
    }
    case "compare": {
      const left = compile(expression.left);
      const right = compile(expression.right);
      const { operator } = expression;
      return (scope) => compare(operator, left(scope), right(scope), scope.run.version);
    }
    case "arithmetic": {
      const first = compile(expression.first);
      const rest = expression.rest.map(([operator, operand]) => [operator, compile(operand)] as const);
      return (scope) => {
        let value = first(scope);
        for (const [operator, operand] of rest) value = arithmetic(operator, value, operand(scope), scope.run.version);
        return value;
      };
    }
    case "query":
      return nestedQuery(expression.query);
    default:
      return buildCondition(expression);
  }
}

function buildCondition(
  expression: Extract<Expression, { kind: "not" | "and" | "or" | "in" | "exists" | "case" }>,
): Compiled {
  switch (expression.kind) {
    case "not": {
      const value = compile(expression.value);
      return (scope) => {
        const answer = toBoolean(value(scope));
        return answer === undefined ? undefined : !answer;
      };
    }
    case "and":
    case "or": {
      const terms = expression.terms.map(compile);
      const decisive = expression.kind === "or";
      // "Other value: Undefined" (operator tables): one operand that is no boolean spoils the whole.
      return (scope) => {
        let result = !decisive;
        for (const term of terms) {
          const answer = toBoolean(term(scope));
          if (answer === undefined) return undefined;
          if (answer === decisive) result = decisive;
        }
        return result;
      };
    }
    case "in": {
      const value = compile(expression.value);
      const among = compile(expression.among);
      const { negated } = expression;
      return (scope) => {
        const wanted = value(scope);
        const candidates = among(scope);
        if (wanted === undefined || !isArray(candidates)) return undefined;
        return candidates.some((candidate) => equal(wanted, candidate)) !== negated;
      };
    }
    case "exists": {
      const query = nestedQuery(expression.query);
      return (scope) => {
        const found = query(scope);
        return isArray(found) ? found.length > 0 : found !== undefined;
      };
    }
    case "case":
      return caseOf(expression);
  }
}

function caseOf({ subject, branches, otherwise }: Extract<Expression, { kind: "case" }>): Compiled {
  const tested = subject && compile(subject);
  const ready = branches.map(([when, then]) => [compile(when), compile(then)] as const);
  const fallback = otherwise && compile(otherwise);
  return (scope) => {
    const value = tested?.(scope);
    if (tested && value === undefined) return undefined;
    for (const [when, then] of ready) {
      const candidate = when(scope);
      if (tested ? candidate !== undefined && equal(value, candidate) : toBoolean(candidate)) return then(scope);
    }
    return fallback?.(scope);
  };
}

function variable(name: string): Compiled {
  return (scope) => {
    const { run } = scope;
    const expression = run.variables.get(name);
    if (!expression) return undefined;
    if (!run.values.has(expression)) {
      run.values.set(expression, compile(expression)({ run, root: run.document, nested: false }));
    }
    return run.values.get(expression);
  };
}

function path(base: Expression | undefined, segments: readonly (string | Expression)[]): Compiled {
  const start = base && compile(base);
  const steps = segments.map((segment) => (typeof segment === "string" ? segment : compile(segment)));
  return (scope) => {
    let value = start ? start(scope) : scope.root;
    for (const step of steps) {
      if (value === undefined || value === null) return undefined;
      value = typeof step === "string" ? member(value, step) : at(value, step(scope), scope);
    }
    return value;
  };
}

function at(value: Value, index: Value, scope: Scope): Value {
  if (isObject(value)) return typeof index === "string" ? member(value, index) : undefined;
  const position = toSmallInt(index, scope.run.version);
  return isArray(value) && position !== undefined ? value[position] : undefined;
}

function call({ name, args }: Extract<Expression, { kind: "call" }>): Compiled {
  const definition = findFunction(name)!;
  // "Functions called with invalid arguments (for example, wrong types, wrong number of arguments, and so on) return
  // Undefined" (AWS IoT SQL data types): a wrong number is no mistake of syntax.
  if (!takes(definition, args)) return () => undefined;
  const ready = args.map(compile);
  return (scope) =>
    definition.call(
      ready.map((arg) => arg(scope)),
      scope,
      args,
    );
}

function compileSelect({ value, items }: Select): Compiled {
  const only = items[0]!;
  if (value || (items.length === 1 && only.expression.kind === "star" && !only.key)) return compile(only.expression);
  const ready = items.map(({ expression, key }) => ({ key, evaluate: compile(expression) }));
  return (scope) => {
    const out: Record<string, Value> = {};
    for (const { key, evaluate } of ready) {
      const found = evaluate(scope);
      if (found === undefined) continue;
      if (key) put(out, key, found);
      else if (isObject(found)) for (const name of Object.keys(found)) setMember(out, name, found[name]);
    }
    return out;
  };
}

/** `AS bar.baz` puts the value into the object `bar`. */
function put(out: Record<string, Value>, key: readonly string[], value: Value): void {
  let target = out;
  for (const name of key.slice(0, -1)) {
    const inner = member(target, name);
    const next: Record<string, Value> = isObject(inner) ? { ...inner } : {};
    setMember(target, name, next);
    target = next;
  }
  setMember(target, key.at(-1)!, value);
}

function nestedQuery({ select, from, where }: Query): Compiled {
  const source = compile(from);
  const condition = where && compile(where);
  const project = compileSelect(select);
  const one = ({ run }: Scope, root: Value): Value => {
    run.element();
    const inner = { run, root, nested: true };
    return condition && toBoolean(condition(inner)) !== true ? undefined : project(inner);
  };
  return (scope) => {
    const found = source(scope);
    if (isArray(found)) return found.map((element) => one(scope, element)).filter((result) => result !== undefined);
    return isObject(found) ? one(scope, found) : undefined;
  };
}

interface Program {
  readonly where: Compiled | undefined;
  readonly select: Compiled;
  /** Every item is `*`, or at least one is. */
  readonly stars: "only" | "some" | "none";
}

const programs = new WeakMap<Statement, Program>();

function programOf(statement: Statement): Program {
  let program = programs.get(statement);
  if (!program) {
    const { items } = statement.select;
    const stars = items.filter(({ expression }) => expression.kind === "star").length;
    program = {
      where: statement.where && compile(statement.where),
      select: compileSelect(statement.select),
      stars: stars === 0 ? "none" : items.length === 1 && !items[0]!.key ? "only" : "some",
    };
    programs.set(statement, program);
  }
  return program;
}

/**
 * Evaluates a statement for one message.
 *
 * @returns undefined when WHERE does not hold; otherwise a JSON value, or bytes: the payload for `SELECT *` of one that
 *   is not JSON, and none for `SELECT VALUE` of Undefined. A promise only when a function waits for another service.
 *   Values may be shared with later evaluations of the same context: do not change them.
 * @throws SqlEvaluationException when `*` is selected together with others from a payload that is not JSON
 *   (https://docs.aws.amazon.com/iot/latest/developerguide/binary-payloads.html); whatever a context's function throws.
 */
export function evaluate(
  statement: Statement,
  context: SqlContext,
): SqlResult | undefined | Promise<SqlResult | undefined> {
  const { where, select, stars } = programOf(statement);
  return execute(context, statement.version, statement.variables, (scope) => {
    if (where && toBoolean(where(scope)) !== true) return undefined;
    if (stars !== "none" && scope.root === undefined) {
      if (stars === "only") return context.payload;
      throw sqlEvaluationFailed("The payload is not JSON: SELECT * must stand alone. Use encode(*, 'base64') AS name.");
    }
    const result = select(scope);
    // "Undefined is converted to an empty string when serialized by itself" (AWS IoT SQL data types).
    return result === undefined ? Buffer.alloc(0) : result;
  });
}
