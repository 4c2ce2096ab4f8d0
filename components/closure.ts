import * as pulumi from "@pulumi/pulumi";
import { bundle } from "./bundle";

/** The code of a function as it is uploaded: one CommonJS file that exports `handler`. */
export interface FunctionCode {
  readonly text: string;
  /** True when the callback captured a secret, which now stands in the code. */
  readonly containsSecrets: boolean;
}

/** What was made of factories so far: components of one kind share theirs. */
const made = new WeakMap<() => unknown, Promise<FunctionCode>>();

/**
 * Turns a factory, with all that it captures, into one file. The same source gives the same text, so that an unchanged
 * function is not deployed again. `what` names the function in errors.
 */
export function closureCode(factory: () => unknown, what: string): Promise<FunctionCode> {
  const code = made.get(factory) ?? makeCode(factory, what);
  made.set(factory, code);
  return code;
}

async function makeCode(factory: () => unknown, what: string): Promise<FunctionCode> {
  const { text, containsSecrets } = await serialize(factory, what);
  return { text: await bundle(callOnce(text), what), containsSecrets };
}

async function serialize(factory: () => unknown, what: string) {
  const refusal = (reason: string) =>
    new pulumi.RunError(
      `${what} cannot become a Lambda function, because of something that its code refers to. Make clients, classes, ` +
        `Map, Set, Date and Buffer inside the callback, not outside of it.\n${reason.trim()}`,
    );
  const code = await pulumi.runtime
    .serializeFunction(factory, { isFactoryFunction: true, allowSecrets: true })
    .catch((error: unknown) => {
      throw refusal(error instanceof Error ? error.message : String(error));
    });
  const lost = lostInText(code.text);
  if (lost) throw refusal(lost);
  return code;
}

/** The start of a line that makes an object out of a built-in's methods, but without its content. */
const emptied =
  /^(?:Object\.defineProperty\((\w+), .*value: |var (\w+) = Object\.create\()global\.(Map|Set|WeakMap|WeakSet|Date|Symbol|\w+Array)\.prototype/m;
/** A class whose constructor must call one of JavaScript's own, which is called like a plain function in the text. */
const extendsBuiltIn = /^Object\.setPrototypeOf\(\w+, global\.(\w+)\)/m;

/**
 * What Pulumi serializes without complaint, and what then breaks in Lambda: better told now than when the first request
 * comes.
 */
function lostInText(text: string): string | undefined {
  const [, one, other, kind] = emptied.exec(text) ?? [];
  if (kind) {
    const name = (one ?? other ?? "").replace(/^_+(?:\d+_)?/, "");
    return `It captured '${name}', a ${kind} whose content would not travel with the code.`;
  }
  const [, parent] = extendsBuiltIn.exec(text) ?? [];
  if (parent) return `It captured a class that extends ${parent}, which would lose what it inherits.`;
  if (text.includes("__pulumi_bound_this"))
    return "It captured a function made by bind(), which would lose what it is bound to.";
  return undefined;
}

/** One captured function as Pulumi prints it: made anew inside a `with` block at each call. */
const wrapped =
  /function (\w+)\(([^)]*)\) \{\n {2}return \(function\(\) \{\n {4}with\(\{ (.*) \}\) \{\n\nreturn ([\s\S]*?);\n\n {4}\}\n {2}\}\)\.apply\(undefined, undefined\)\.apply\(this, arguments\);\n\}/g;
/** A captured variable that is another function or object of the text, or a plain number or truth value. */
const plainCapture = /^([A-Za-z_$][\w$]*): (-?[\w$]+)$/;

/**
 * Rewrites captured functions so that each is made once, with what it captures as parameters. V8 looks names up slowly
 * inside `with`: a request of 1,000 messages takes twice as long there. A function of any other form stays as it is.
 */
function callOnce(text: string): string {
  return text.replace(wrapped, (whole, name: string, parameters: string, scope: string, body: string) => {
    const captures = scope.split(", ").map((capture) => plainCapture.exec(capture));
    const names: string[] = [];
    const values: string[] = [];
    for (const capture of captures) {
      if (!capture) return whole;
      const [, variable = "", value = ""] = capture;
      if (variable === "this" || variable === "arguments") {
        if (value !== "undefined") return whole;
        continue;
      }
      names.push(variable);
      values.push(value);
    }
    return [
      `let ${name}_made;`,
      `function ${name}(${parameters}) {`,
      `  ${name}_made ??= (function (${names.join(", ")}) { return ${body}; })(${values.join(", ")});`,
      `  return ${name}_made.apply(this, arguments);`,
      "}",
    ].join("\n");
  });
}
