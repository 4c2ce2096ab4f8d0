/**
 * Loaded into a program's process before Pulumi's SDK, and imported by nothing. The SDK takes a stack trace for each
 * promise that it makes and for each resource, translated to the sources' lines: a fifth of a deployment's time, for
 * debugging aids that this engine never shows (`PULUMI_DEBUG_PROMISE_LEAKS`, source positions). Those traces stay empty;
 * all others are as they would be.
 *
 * @see https://v8.dev/docs/stack-trace-api#customizing-stack-traces
 */
type Prepare = (error: Error, frames: NodeJS.CallSite[]) => unknown;

/** The SDK's functions whose traces nobody reads. */
const unread = new Set(["debuggablePromise", "callsites"]);

let prepare: Prepare | undefined;
const quiet: Prepare = (error, frames) => {
  if (prepare === undefined || unread.has(frames[0]?.getFunctionName() ?? "")) return String(error);
  return prepare(error, frames);
};

Object.defineProperty(Error, "prepareStackTrace", {
  configurable: true,
  // Without a preparer, V8 makes the trace by itself.
  get: () => prepare && quiet,
  set: (wanted: Prepare | undefined) => {
    prepare = wanted === quiet ? prepare : wanted;
  },
});
