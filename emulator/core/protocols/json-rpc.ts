import { AwsError } from "../errors";
import { encodeEvents, eventStreamMember, eventStreamType } from "./event-stream";
import { type Convert, JsonCodec, readJson } from "./json";
import type { OperationModel, ServiceModel } from "./model";
import type { Answer, Wire } from "./wire";

/** json 1.0 and 1.1 (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html): the operation is in X-Amz-Target. */
export function jsonRpc(model: ServiceModel): Wire {
  const codec = new JsonCodec(false);
  const compiled = new Map<string, { operation: OperationModel; decode: Convert; encode: Convert; events?: string }>();
  const find = (name: string) => {
    let entry = compiled.get(name);
    const operation = model.operations.get(name);
    if (!entry && operation) {
      entry = {
        operation,
        decode: codec.decoder(operation.input),
        encode: codec.encoder(operation.output),
        events: eventStreamMember(operation.output),
      };
      compiled.set(name, entry);
    }
    return entry;
  };
  const headers = (requestId: string) => ({ "content-type": model.contentType, "x-amzn-requestid": requestId });

  return {
    read(request) {
      const target = request.headers["x-amz-target"] ?? "";
      const name = target.slice(target.lastIndexOf(".") + 1);
      const entry = find(name);
      if (!entry)
        throw new AwsError(
          "UnknownOperationException",
          target ? `Unknown operation ${name}` : "Missing X-Amz-Target header",
        );
      return {
        operation: entry.operation,
        input: entry.operation.input.isUnitSchema() ? {} : readJson(request.body, entry.decode),
      };
    },
    write(operation, output, requestId) {
      const { encode, events } = find(operation.name)!;
      if (events && output[events]) {
        const stream = encodeEvents(operation.output, events, output, codec);
        return { status: 200, headers: { ...headers(requestId), "content-type": eventStreamType }, body: "", stream };
      }
      const body = operation.output.isUnitSchema() ? "" : JSON.stringify(encode(output));
      return { status: 200, headers: headers(requestId), body };
    },
    writeError(error, requestId): Answer {
      const query = model.queryCompatible && {
        "x-amzn-query-error": `${error.detail.queryCode ?? error.code};${error.fault === "client" ? "Sender" : "Receiver"}`,
      };
      const namespaced = model.contentType.endsWith("1.0") && model.errors.has(error.code);
      return {
        status: error.status,
        headers: { ...headers(requestId), ...query, ...error.detail.headers },
        body: JSON.stringify({
          __type: namespaced ? `${model.namespace}#${error.code}` : error.code,
          ...jsonErrorMembers(error, model, codec),
        }),
      };
    },
  };
}

/** The members of an error's shape; its message under the name that the shape gives it (`message` or `Message`). */
export function jsonErrorMembers(error: AwsError, model: ServiceModel, codec: JsonCodec): Record<string, unknown> {
  const shape = model.errors.get(error.code);
  if (!shape) return { message: error.message, ...error.detail.fields };
  const names = [...shape.structIterator()].map(([name]) => name);
  const messageName = names.find((name) => name.toLowerCase() === "message") ?? "message";
  return {
    [messageName]: error.message,
    ...(codec.encoder(shape)({ ...error.detail.fields }) as Record<string, unknown>),
  };
}
