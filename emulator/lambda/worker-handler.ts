import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isError, runtimeError } from "./worker-errors";

export type Handler = (event: unknown, context: unknown, callback?: unknown) => unknown;

/** The compiler turns `import()` into `require()` in CommonJS; modules that use top-level await need the real one. */
const importModule = new Function("specifier", "return import(specifier)") as (
  specifier: string,
) => Promise<Record<string, unknown>>;

/**
 * Finds the function that `index.handler` or `src/app.routes.main` names.
 *
 * @throws an error named `Runtime.MalformedHandlerName`, `Runtime.ImportModuleError`, `Runtime.UserCodeSyntaxError`,
 *   `Runtime.HandlerNotFound` or `Runtime.CallbackHandlerDeprecated`, or whatever the function's own code threw
 *   (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html).
 */
export async function loadHandler(taskRoot: string, handler: string, runtime: string): Promise<Handler> {
  if (handler.includes("..")) {
    throw runtimeError(
      "MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = basename(handler);
  const dot = base.indexOf(".");
  if (dot < 1 || dot === base.length - 1) throw runtimeError("MalformedHandlerName", "Bad handler");
  const moduleName = join(dirname(handler), base.slice(0, dot));
  const exported = base.slice(dot + 1);

  const found = resolveExport(await load(taskRoot, moduleName), exported.split("."));
  if (found === undefined) throw runtimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw runtimeError("HandlerNotFound", `${handler} is not a function`);
  if (found.length >= 3 && !supportsCallbacks(runtime)) {
    throw runtimeError(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
  return found as Handler;
}

/** Node.js 24 is the first runtime without `callback` and without `context.done` and its like. */
export const supportsCallbacks = (runtime: string): boolean => Number(/^nodejs(\d+)/.exec(runtime)?.[1]) < 24;

async function load(taskRoot: string, moduleName: string): Promise<Record<string, unknown>> {
  const require = createRequire(join(taskRoot, "noop.js"));
  const path = join(taskRoot, moduleName);
  try {
    const file = ["", ".js", ".mjs", ".cjs"].map((end) => path + end).find(isFile);
    if (file?.endsWith(".mjs")) return await importModule(pathToFileURL(file).href);
    try {
      return require(file ?? moduleName);
    } catch (error) {
      if (!file || (error as NodeJS.ErrnoException)?.code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
      return await importModule(pathToFileURL(file).href);
    }
  } catch (error) {
    if (!isError(error)) throw error;
    if (error.name === "SyntaxError") throw runtimeError("UserCodeSyntaxError", String(error), error.stack);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
      throw runtimeError("ImportModuleError", String(error));
    }
    throw error;
  }
}

const isFile = (path: string) => existsSync(path) && statSync(path).isFile();

/** Looks at the exports, then, for CommonJS seen through `import`, at the default export. */
function resolveExport(module: Record<string, unknown>, path: readonly string[]): unknown {
  const walk = (from: unknown) =>
    path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined | null)?.[key], from);
  return walk(module) ?? walk(module?.default);
}
