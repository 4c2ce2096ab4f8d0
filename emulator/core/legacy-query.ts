import { AwsError } from "./errors";
import type { Wire } from "./protocols/wire";
import type { Running } from "./services";

/**
 * The wire for form-encoded requests to a service whose model has moved to JSON (SQS): older SDKs and tools still send
 * them. Undefined where a service offers none.
 */
export function readLegacyQuery({ service, model }: Running): Wire | undefined {
  const legacy = service.legacyQuery;
  if (!legacy) return undefined;
  return {
    read(request) {
      const form = request.method === "GET" ? request.query : request.body.toString("utf8");
      const { operation: name, input } = legacy.fromQuery(new URLSearchParams(form), request.path);
      const operation = model.operations.get(name);
      if (!operation) throw new AwsError("InvalidAction", `The action ${name} is not valid for this endpoint.`);
      return { operation, input: input as Record<string, unknown> };
    },
    write: (operation, output, requestId) => ({
      status: 200,
      headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
      body: legacy.toXml(operation.name, output, requestId),
    }),
    writeError: (error, requestId) => ({
      status: error.status,
      headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
      body: legacy.errorToXml(error, requestId),
    }),
  };
}
