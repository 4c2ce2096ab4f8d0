/**
 * Loaded into a program's process before Pulumi's SDK, and imported by nothing. The SDK takes a stack trace for each
 * promise and each resource that it makes, and translates all of it to the sources' lines: a fifth of a deployment's
 * time. Here only frames of the program itself are translated, which are those that errors show, and the traces of
 * promises, which only `PULUMI_DEBUG_PROMISE_LEAKS` shows, stay empty.
 *
 * @see https://v8.dev/docs/stack-trace-api#customizing-stack-traces
 */
type Prepare = (error: Error, frames: NodeJS.CallSite[]) => unknown;

let prepare: Prepare | undefined;

const isForeign = (file: string | null | undefined) =>
  !file || file.startsWith("node:") || file.includes("node_modules");

const quiet: Prepare = (error, frames) => {
  if (prepare === undefined || frames[0]?.getFunctionName() === "debuggablePromise") return String(error);
  const title = String(prepare(error, []));
  const translated = (frame: NodeJS.CallSite) => String(prepare?.(error, [frame])).slice(title.length);
  return title + frames.map((at) => (isForeign(at.getFileName()) ? `\n    at ${at}` : translated(at))).join("");
};

Object.defineProperty(Error, "prepareStackTrace", {
  configurable: true,
  // Without a preparer, V8 makes the trace by itself.
  get: () => prepare && quiet,
  set: (wanted: Prepare | undefined) => {
    if (wanted !== quiet) prepare = wanted;
  },
});
