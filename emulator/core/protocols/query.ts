import type { NormalizedSchema } from "@smithy/core/schema";
import { AwsError } from "../errors";
import type { OperationModel, ServiceModel } from "./model";
import { fromText } from "./rest-bindings";
import type { Wire } from "./wire";
import { element, XmlCodec, xmlDeclaration } from "./xml";

/** A tree of form fields: `Tags.member.1.Key=a` is `{ Tags: { member: { 1: { Key: "a" } } } }`. */
type Field = Map<string, Field> | string;

/** The query protocol (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html): form fields in, XML out. */
export function query(model: ServiceModel): Wire {
  const codec = new XmlCodec(model);
  return {
    read(request) {
      const fields = new URLSearchParams(request.method === "GET" ? request.query : request.body.toString("utf8"));
      const action = fields.get("Action") ?? "";
      const operation = model.operations.get(action);
      if (!operation) {
        throw action
          ? new AwsError("InvalidAction", `The action ${action} is not valid for this web service.`)
          : new AwsError("MissingAction", "The request must contain the parameter Action.");
      }
      return { operation, input: readStruct(operation.input, toTree(fields)) };
    },
    write(operation, output, requestId) {
      const result = `${operation.name}Result`;
      const inner = operation.output.isStructSchema() ? resultXml(codec, operation, output, result) : "";
      return {
        status: 200,
        headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
        body: `<${operation.name}Response xmlns="${model.xmlNamespace}">${inner}${element("ResponseMetadata", { RequestId: requestId })}</${operation.name}Response>`,
      };
    },
    writeError(error, requestId) {
      const code = queryErrorCode(error, model);
      const body = element("Error", {
        Type: error.fault === "client" ? "Sender" : "Receiver",
        Code: code,
        Message: error.message,
        ...error.detail.fields,
      });
      return {
        status: error.status,
        headers: { "content-type": "text/xml", "x-amzn-requestid": requestId, ...error.detail.headers },
        body: `${xmlDeclaration}<ErrorResponse xmlns="${model.xmlNamespace}">${body}${element("RequestId", requestId)}</ErrorResponse>`,
      };
    },
  };
}

/** Some shapes show another code on the wire: IAM's NoSuchEntityException is `NoSuchEntity`. */
function queryErrorCode(error: AwsError, model: ServiceModel): string {
  if (error.detail.queryCode) return error.detail.queryCode;
  const trait = model.errors.get(error.code)?.getMergedTraits().awsQueryError as unknown;
  return Array.isArray(trait) ? String(trait[0]) : error.code;
}

/** The serializer names the root after the shape; the query protocol names it after the operation. */
function resultXml(codec: XmlCodec, operation: OperationModel, output: Record<string, unknown>, result: string) {
  const xml = codec.write(operation.output, output);
  const open = xml.indexOf(">");
  if (xml.endsWith("/>") && xml.indexOf("<", 1) < 0) return `<${result}/>`;
  return `<${result}>${xml.slice(open + 1, xml.lastIndexOf("</"))}</${result}>`;
}

function toTree(fields: URLSearchParams): Map<string, Field> {
  const root = new Map<string, Field>();
  for (const [path, value] of fields) {
    const parts = path.split(".");
    const last = parts.pop()!;
    let node = root;
    for (const part of parts) {
      let next = node.get(part);
      if (!(next instanceof Map)) {
        next = new Map();
        node.set(part, next);
      }
      node = next;
    }
    if (!(node.get(last) instanceof Map)) node.set(last, value);
  }
  return root;
}

function readStruct(schema: NormalizedSchema, tree: Map<string, Field>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (!schema.isStructSchema()) return out;
  for (const [name, member] of schema.structIterator()) {
    const traits = member.getMergedTraits();
    const field = tree.get(traits.xmlName ?? name);
    if (field !== undefined) out[name] = readField(member, field);
  }
  return out;
}

function readField(schema: NormalizedSchema, field: Field): unknown {
  if (schema.isStructSchema()) return readStruct(schema, asTree(field));
  const flat = Boolean(schema.getMergedTraits().xmlFlattened);
  if (schema.isListSchema()) {
    const value = schema.getValueSchema();
    const tree = asTree(field);
    const items = flat ? tree : asTree(tree.get(value.getMergedTraits().xmlName ?? "member") ?? "");
    return inOrder(items).map((item) => readField(value, item));
  }
  if (schema.isMapSchema()) {
    const [keyName, valueName] = [schema.getKeySchema(), schema.getValueSchema()].map(
      (s) => s.getMergedTraits().xmlName,
    );
    const entries = flat ? asTree(field) : asTree(asTree(field).get("entry") ?? "");
    return Object.fromEntries(
      inOrder(entries).map((entry) => {
        const tree = asTree(entry);
        const value = tree.get(valueName ?? "value") ?? "";
        return [String(tree.get(keyName ?? "key") ?? ""), readField(schema.getValueSchema(), value)];
      }),
    );
  }
  return fromText(schema, field instanceof Map ? "" : field);
}

const asTree = (field: Field): Map<string, Field> => (field instanceof Map ? field : new Map());

const inOrder = (tree: Map<string, Field>): Field[] =>
  [...tree].sort(([a], [b]) => Number(a) - Number(b)).map(([, field]) => field);
