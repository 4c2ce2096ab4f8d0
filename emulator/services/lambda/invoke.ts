import type { InvokeCommandOutput } from "@aws-sdk/client-lambda";
import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import { invalidParameter, payloadNotJson } from "./errors";
import { checkPayloadSize } from "./invoker";
import { check, checkQualifier, findFunction } from "./names";
import type { LambdaOperations, Parts } from "./parts";

/** Bytes of log that LogType=Tail gives. */
const tailSize = 4096;

/** Invoke and the older InvokeAsync. */
export const invokeOperations = ({ states, invoker, queue }: Parts): LambdaOperations => ({
  async Invoke(input, context) {
    const type = input.InvocationType ?? "RequestResponse";
    check({
      invocationType: [type, { oneOf: ["RequestResponse", "Event", "DryRun"] }],
      logType: [input.LogType, { oneOf: ["None", "Tail"] }],
    });
    if (input.DurableExecutionName) throw notEmulated("lambda", "Invoke", "DurableExecutionName");
    if (input.TenantId) throw notEmulated("lambda", "Invoke", "TenantId");
    const { fn, qualifier } = findFunction(states.of(context), input.FunctionName, input.Qualifier);
    if (qualifier) checkQualifier(fn, qualifier);
    const bytes = bufferOf(input.Payload);
    checkPayloadSize(bytes.length, type === "Event" ? "Event" : "RequestResponse");
    const payload = bytes.toString("utf8");
    const clientContext = decodeClientContext(input.ClientContext);
    if (type !== "RequestResponse") checkJson(payload);
    if (type === "DryRun") return { StatusCode: 204 };

    const requestId = context.requestId;
    const traceId = context.http.headers["x-amzn-trace-id"];
    if (type === "Event") {
      queue.add({ fn, qualifier, payload, requestId, traceId, clientContext });
      return { StatusCode: 202 };
    }
    const onFault = (kind: string) => {
      context.reply.fault = kind;
    };
    const result = await invoker.invoke({ fn, qualifier, payload, requestId, traceId, clientContext, onFault });
    const output: Omit<InvokeCommandOutput, "$metadata"> = {
      StatusCode: 200,
      ExecutedVersion: result.executedVersion,
      FunctionError: result.errorType === undefined ? undefined : "Unhandled",
      Payload: Buffer.from(result.payload) as unknown as InvokeCommandOutput["Payload"],
      LogResult: input.LogType === "Tail" ? tail(result.lines) : undefined,
    };
    return output;
  },

  InvokeAsync(input, context) {
    const { fn, qualifier } = findFunction(states.of(context), input.FunctionName);
    const bytes = bufferOf(input.InvokeArgs);
    checkPayloadSize(bytes.length, "Event");
    const payload = bytes.toString("utf8");
    checkJson(payload);
    queue.add({ fn, qualifier, payload, requestId: context.requestId });
    return { Status: 202 };
  },
});

const bufferOf = (bytes: unknown): Buffer =>
  bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.alloc(0);

function checkJson(payload: string): void {
  if (payload === "") return;
  try {
    JSON.parse(payload);
  } catch (error) {
    throw payloadNotJson((error as Error).message);
  }
}

/** ClientContext travels as base64 of JSON, at most 3583 bytes of it. */
function decodeClientContext(encoded: string | undefined): string | undefined {
  if (!encoded) return undefined;
  const { value: most } = limits.lambda.clientContext;
  if (encoded.length > most) throw invalidParameter(`Client context must be no more than ${most} bytes`);
  const text = Buffer.from(encoded, "base64").toString("utf8");
  try {
    JSON.parse(text);
  } catch {
    throw invalidParameter("Client context must be a valid Base64-encoded JSON object.");
  }
  return text;
}

const tail = (lines: readonly string[]) => Buffer.from(lines.join("")).subarray(-tailSize).toString("base64");
