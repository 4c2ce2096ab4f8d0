import { AwsError } from "../errors";
import { JsonCodec, readJson, toBuffer } from "./json";
import { jsonErrorMembers } from "./json-rpc";
import type { OperationModel, ServiceModel } from "./model";
import { type BoundMember, bind, readBindings, writeBindings } from "./rest-bindings";
import { type Match, RestRouter } from "./rest-router";
import { chooseS3, s3Error } from "./s3";
import type { Answer, Wire, WireRequest } from "./wire";
import { element, XmlCodec, xmlDeclaration } from "./xml";

interface Compiled {
  readonly input: readonly BoundMember[];
  readonly output: readonly BoundMember[];
}

/** Bodies of one of the two REST protocols. */
interface Bodies {
  readonly contentType: string;
  readStruct(schema: BoundMember["schema"], body: Buffer): Record<string, unknown>;
  writeStruct(schema: BoundMember["schema"], value: Record<string, unknown>): string;
}

/** rest-json and rest-xml: method and path choose the operation; members travel in address, headers and body. */
export function rest(model: ServiceModel): Wire {
  const json = new JsonCodec(true);
  const bodies = model.protocol === "rest-json" ? jsonBodies(json) : xmlBodies(new XmlCodec(model));
  const router = new RestRouter(model.operations.values());
  const isS3 = model.target === "AmazonS3";
  const compiled = new Map<string, Compiled>();
  const bindings = (operation: OperationModel): Compiled => {
    let entry = compiled.get(operation.name);
    if (!entry) {
      entry = { input: bind(operation.input), output: bind(operation.output) };
      compiled.set(operation.name, entry);
    }
    return entry;
  };

  const route = (request: WireRequest, query: URLSearchParams): Match => {
    const matches = router.matches(request.method, request.path, query);
    const match = isS3 ? chooseS3(matches, request, query) : matches[Symbol.iterator]().next().value;
    if (match) return match;
    if (isS3) throw s3Error.methodNotAllowed();
    throw new AwsError("UnknownOperationException", `No operation answers ${request.method} ${request.path}`, 404);
  };

  return {
    read(request) {
      const query = new URLSearchParams(request.query);
      const { operation, labels } = route(request, query);
      if (request.bucket !== undefined) labels.Bucket = request.bucket;
      const { input: members } = bindings(operation);
      const input = isS3
        ? readS3Bindings(members, labels, query, request)
        : readBindings(members, labels, query, request);
      const payload = members.find(({ place }) => place.kind === "payload");
      if (payload) readPayload(payload, request, input, bodies);
      else if (request.body.length > 0 && members.some(({ place }) => place.kind === "body")) {
        // Bound members keep what address and headers said, whatever the body claims.
        Object.assign(input, { ...bodies.readStruct(operation.input, request.body), ...input });
      }
      return { operation, input };
    },

    write(operation, output, requestId): Answer {
      const { output: members } = bindings(operation);
      const { headers, status, payload, body } = writeBindings(members, output);
      headers[isS3 ? "x-amz-request-id" : "x-amzn-requestid"] = requestId;
      const answer = { status: status ?? operation.http?.status ?? 200, headers };
      if (payload) {
        const value = output[payload.name];
        if (value === undefined || value === null) return { ...answer, body: "" };
        if (payload.schema.isStructSchema()) {
          headers["content-type"] ??= bodies.contentType;
          return { ...answer, body: bodies.writeStruct(payload.schema, value as Record<string, unknown>) };
        }
        return { ...answer, body: toBuffer(value) };
      }
      if (!members.some(({ place }) => inBody(place.kind))) return { ...answer, body: "" };
      headers["content-type"] ??= bodies.contentType;
      return { ...answer, body: bodies.writeStruct(operation.output, body) };
    },

    writeError(error, requestId, request): Answer {
      if (model.protocol === "rest-xml") return xmlError(error, requestId, request, isS3);
      return {
        status: error.status,
        headers: {
          "content-type": "application/json",
          "x-amzn-requestid": requestId,
          "x-amzn-errortype": error.code,
          ...error.detail.headers,
        },
        body: JSON.stringify({
          Type: error.fault === "client" ? "User" : "Service",
          ...jsonErrorMembers(error, model, json),
        }),
      };
    },
  };
}

/** In an answer, what has its place in the address of a request is in the body. */
const inBody = (kind: BoundMember["place"]["kind"]) => !["header", "prefix", "status", "payload"].includes(kind);

/** S3 has words of its own for a parameter that is no number or date. */
function readS3Bindings(...given: Parameters<typeof readBindings>): Record<string, unknown> {
  try {
    return readBindings(...given);
  } catch (error) {
    throw error instanceof AwsError ? s3Error.invalidArgument(error.message) : error;
  }
}

function readPayload(member: BoundMember, request: WireRequest, input: Record<string, unknown>, bodies: Bodies) {
  if (member.schema.isStructSchema()) {
    if (request.body.length > 0) input[member.name] = bodies.readStruct(member.schema, request.body);
  } else if (member.schema.isBlobSchema()) input[member.name] = request.body;
  else input[member.name] = request.body.toString("utf8");
}

const jsonBodies = (codec: JsonCodec): Bodies => ({
  contentType: "application/json",
  readStruct: (schema, body) => readJson(body, codec.decoder(schema)),
  writeStruct: (schema, value) => JSON.stringify(codec.encoder(schema)(value)),
});

const xmlBodies = (codec: XmlCodec): Bodies => ({
  contentType: "application/xml",
  readStruct: (schema, body) => codec.read(schema, body),
  writeStruct: (schema, value) => xmlDeclaration + codec.write(schema, value),
});

function xmlError(error: AwsError, requestId: string, request: WireRequest, isS3: boolean): Answer {
  const headers: Record<string, string> = {
    [isS3 ? "x-amz-request-id" : "x-amzn-requestid"]: requestId,
    ...error.detail.headers,
  };
  if (request.method === "HEAD" || error.status === 304) return { status: error.status, headers, body: "" };
  const body = element("Error", {
    Code: error.code,
    Message: error.message,
    ...error.detail.fields,
    RequestId: requestId,
    HostId: requestId,
  });
  return {
    status: error.status,
    headers: { "content-type": "application/xml", ...headers },
    body: xmlDeclaration + body,
  };
}
