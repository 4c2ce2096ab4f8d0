import type { AwsError } from "../../core/errors";
import { escapeXml } from "../../core/protocols/xml";
import type { LegacyQuery } from "../../core/service";
import { invalidValue } from "./errors";

/**
 * SQS's query protocol, which SDKs spoke until 2023 and some tools still speak. Today's model has JSON traits only, so
 * the historic names (`Attribute.1.Name`, `SendMessageBatchRequestEntry.1.Id`, flattened XML lists) are written down here.
 */

/** Form fields as a tree: `A.1.Name=x` is `{ A: { 1: { Name: "x" } } }`. */
interface Tree {
  readonly [name: string]: string | Tree | undefined;
}

const namespace = "http://queue.amazonaws.com/doc/2012-11-05/";

function toTree(fields: URLSearchParams): Tree {
  const root: Record<string, unknown> = Object.create(null);
  for (const [key, value] of fields) {
    const path = key.split(".");
    const last = path.pop()!;
    let node = root;
    for (const step of path) {
      if (typeof node[step] !== "object") node[step] = Object.create(null);
      node = node[step] as Record<string, unknown>;
    }
    node[last] ??= value;
  }
  return root as Tree;
}

const text = (value: string | Tree | undefined) => (typeof value === "string" ? value : undefined);

/** The members of a list: `X.1`, `X.2`, in the order of their numbers; or `X` alone for a list of one. */
function list(value: string | Tree | undefined): (string | Tree)[] {
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  const numbers = Object.keys(value).filter((key) => /^\d+$/.test(key));
  if (!numbers.length) return [value];
  return numbers.sort((a, b) => Number(a) - Number(b)).map((key) => value[key]!);
}

const orNone = <T>(items: T[]): T[] | undefined => (items.length ? items : undefined);

const texts = (value: string | Tree | undefined) => orNone(list(value).filter((item) => typeof item === "string"));

/** A map whose entries are spelled out: `X.1.Name=a&X.1.Value=b`. */
function map<T>(value: string | Tree | undefined, key: string, read: (value: string | Tree | undefined) => T) {
  const entries = list(value).flatMap((entry): [string, T][] =>
    typeof entry === "string" ? [] : [[text(entry[key]) ?? "", read(entry.Value)]],
  );
  return entries.length ? Object.fromEntries(entries) : undefined;
}

function messageAttribute(value: string | Tree | undefined) {
  const { StringValue, BinaryValue, DataType } = typeof value === "object" ? value : {};
  const binary = text(BinaryValue);
  return {
    DataType: text(DataType),
    StringValue: text(StringValue),
    BinaryValue: binary === undefined ? undefined : Buffer.from(binary, "base64"),
  };
}

const numberNames = [
  "DelaySeconds",
  "MaxNumberOfMessages",
  "VisibilityTimeout",
  "WaitTimeSeconds",
  "MaxResults",
  "MaxNumberOfMessagesPerSecond",
];

/** Members that are lists or maps: the historic name, today's name, and how to read it. */
const lists: [wire: string, member: string, read: (value: string | Tree | undefined) => unknown][] = [
  ["Attribute", "Attributes", (value) => map(value, "Name", (v) => text(v) ?? "")],
  ["MessageAttribute", "MessageAttributes", (value) => map(value, "Name", messageAttribute)],
  ["MessageSystemAttribute", "MessageSystemAttributes", (value) => map(value, "Name", messageAttribute)],
  ["AttributeName", "AttributeNames", texts],
  ["MessageSystemAttributeName", "MessageSystemAttributeNames", texts],
  ["MessageAttributeName", "MessageAttributeNames", texts],
  ["AWSAccountId", "AWSAccountIds", texts],
  ["ActionName", "Actions", texts],
  ["TagKey", "TagKeys", texts],
];

function members(tree: Tree): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(tree)) if (typeof value === "string") input[name] = value;
  for (const name of numberNames) {
    if (input[name] === undefined) continue;
    if (!/^-?\d{1,9}$/.test(String(input[name]))) throw invalidValue(input[name], name, "Must be an integer.");
    input[name] = Number(input[name]);
  }
  for (const [wire, member, read] of lists) {
    delete input[wire];
    if (tree[wire] !== undefined) input[member] = read(tree[wire]);
  }
  return input;
}

function fromQuery(fields: URLSearchParams, path: string): { operation: string; input: object } {
  const tree = toTree(fields);
  const operation = text(tree.Action) ?? "";
  const input = members(tree);
  input.QueueUrl ??= /^\/.+\/.+/.test(path) ? path : undefined;
  const tags = map(tree.Tag, "Key", (value) => text(value) ?? "");
  if (tags) input[operation === "TagQueue" ? "Tags" : "tags"] = tags;
  const entries = list(tree[`${operation}RequestEntry`]);
  if (entries.length) input.Entries = entries.map((entry) => (typeof entry === "string" ? {} : members(entry)));
  return { operation, input };
}

type Value = string | number | boolean | Uint8Array | undefined;

const element = (name: string, value: Value): string => {
  if (value === undefined) return "";
  const content = value instanceof Uint8Array ? Buffer.from(value).toString("base64") : escapeXml(String(value));
  return `<${name}>${content}</${name}>`;
};

const entriesOf = (tag: string, key: string, entries: Record<string, Value>) =>
  Object.entries(entries)
    .map(([name, value]) => `<${tag}>${element(key, name)}${element("Value", value)}</${tag}>`)
    .join("");

const messageAttributes = (attributes: Record<string, Record<string, Value>>) =>
  Object.entries(attributes)
    .map(
      ([name, value]) =>
        `<MessageAttribute>${element("Name", name)}<Value>${structure("", value)}</Value></MessageAttribute>`,
    )
    .join("");

/** The historic names of lists, which differ from operation to operation only for batches. */
const listTags: Record<string, string> = {
  QueueUrls: "QueueUrl",
  queueUrls: "QueueUrl",
  Messages: "Message",
  Results: "ListMessageMoveTasksResultEntry",
  Failed: "BatchResultErrorEntry",
};

function structure(operation: string, output: object): string {
  return Object.entries(output as Record<string, unknown>)
    .map(([name, value]) => {
      if (name === "Attributes") return entriesOf("Attribute", "Name", value as Record<string, Value>);
      if (name === "Tags") return entriesOf("Tag", "Key", value as Record<string, Value>);
      if (name === "MessageAttributes" && value)
        return messageAttributes(value as Record<string, Record<string, Value>>);
      if (!Array.isArray(value)) return element(name, value as Value);
      const tag = listTags[name] ?? `${operation}ResultEntry`;
      return value
        .map((item) =>
          typeof item === "string" ? element(tag, item) : `<${tag}>${structure(operation, item)}</${tag}>`,
        )
        .join("");
    })
    .join("");
}

/** Operations whose answer has no result element. */
const silent = new Set([
  "AddPermission",
  "ChangeMessageVisibility",
  "DeleteMessage",
  "DeleteQueue",
  "PurgeQueue",
  "RemovePermission",
  "SetQueueAttributes",
  "TagQueue",
  "UntagQueue",
]);

const declaration = '<?xml version="1.0"?>';

function toXml(operation: string, output: object, requestId: string): string {
  const result = silent.has(operation)
    ? ""
    : `<${operation}Result>${structure(operation, output)}</${operation}Result>`;
  const metadata = `<ResponseMetadata>${element("RequestId", requestId)}</ResponseMetadata>`;
  return `${declaration}<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
}

function errorToXml(error: AwsError, requestId: string): string {
  const type = element("Type", error.fault === "client" ? "Sender" : "Receiver");
  const code = element("Code", error.detail.queryCode ?? error.code);
  const detail = `<Error>${type}${code}${element("Message", error.message)}<Detail/></Error>`;
  return `${declaration}<ErrorResponse xmlns="${namespace}">${detail}${element("RequestId", requestId)}</ErrorResponse>`;
}

export const legacyQuery: LegacyQuery = { fromQuery, toXml, errorToXml };
