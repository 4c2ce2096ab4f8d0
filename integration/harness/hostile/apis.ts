import fc from "fast-check";
import { type OperationModel, readModel, type ServiceModel } from "../../../emulator/core/protocols/model";
import { bind } from "../../../emulator/core/protocols/rest-bindings";
import { registry } from "../../../emulator/registry";
import type { Attempt } from "./attempt";
import { hostileAccount } from "./belongings";
import { Inputs } from "./inputs";
import { bodies } from "./values";
import { exchange, request, statusesIn } from "./wire";

/** A call as it is sent. */
interface Call {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

type Input = Record<string, unknown>;

const scalar = (value: unknown): string =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).toWellFormed();

/** Form fields as the query protocol has them. */
function fieldsOf(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((one, i) => fieldsOf(`${name}.member.${i + 1}`, one));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, one]) => fieldsOf(name ? `${name}.${key}` : key, one));
  return [[name, scalar(value)]];
}

const escapes: Record<string, string> = { "<": "&lt;", "&": "&amp;" };

function xml(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => xml(name, one)).join("");
  const isStruct = typeof value === "object" && value !== null;
  const members = isStruct ? Object.entries(value).map(([key, one]) => xml(key, one)) : [];
  const inner = isStruct ? members.join("") : scalar(value).replace(/[<&]/g, (character) => escapes[character]!);
  return `<${name}>${inner}</${name}>`;
}

/** What a header line can carry. */
const headerText = (value: unknown) =>
  Buffer.from(scalar(value))
    .toString("latin1")
    .replace(/[\r\n\0]/g, " ");

function toRest({ http, name, input: schema }: OperationModel, input: Input, model: ServiceModel): Call {
  const label = (member: string, isGreedy: boolean) => {
    const encoded = encodeURIComponent(scalar(input[member]));
    return isGreedy ? encoded.replaceAll("%2F", "/") : encoded;
  };
  const isS3 = model.target === "AmazonS3";
  const path = (isS3 ? [{ label: "Bucket", greedy: false }, ...http!.segments] : http!.segments).map((part) =>
    "literal" in part ? part.literal : label(part.label, part.greedy),
  );
  const query = new URLSearchParams([...http!.query].map(([key, value]): [string, string] => [key, value]));
  const headers = [`Content-Type: ${model.contentType}`];
  const rest: Input = {};
  let payload: unknown = rest;
  for (const { name: member, place } of bind(schema)) {
    const value = input[member];
    if (value === undefined) continue;
    if (place.kind === "query") for (const one of [value].flat()) query.append(place.name, scalar(one));
    else if (place.kind === "header") headers.push(`${place.name}: ${headerText(value)}`);
    else if (place.kind === "payload") payload = value;
    else if (place.kind === "body") rest[member] = value;
  }
  const isXml = model.protocol === "rest-xml";
  const body = typeof payload === "string" ? payload : isXml ? xml(name, payload) : JSON.stringify(payload);
  const target = `/${path.join("/")}${query.size > 0 ? `?${query}` : ""}`;
  return { method: http!.method, target, headers, body: Buffer.from(body) };
}

function toCall(model: ServiceModel, operation: OperationModel, input: Input): Call {
  if (operation.http) return toRest(operation, input, model);
  if (model.protocol === "query") {
    const fields = new URLSearchParams([["Action", operation.name]]);
    for (const [name, value] of fieldsOf("", input)) fields.append(name, value);
    const headers = ["Content-Type: application/x-www-form-urlencoded"];
    return { method: "POST", target: "/", headers, body: Buffer.from(String(fields)) };
  }
  const headers = [`Content-Type: ${model.contentType}`, `X-Amz-Target: ${model.target}.${operation.name}`];
  return { method: "POST", target: "/", headers, body: Buffer.from(JSON.stringify(input)) };
}

/** Who says that it calls: an account of its own, so that nothing of the stack is taken away. */
const signature = (service: string) =>
  `Authorization: AWS4-HMAC-SHA256 Credential=${hostileAccount}/20261121/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

interface Operation {
  readonly service: string;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
}

const toAttempt = (port: number, { service, operation }: Operation, call: Call): Attempt => ({
  name: `${service}:${operation.name}`,
  shown: `${call.method} ${call.target} ${call.body.toString("latin1")}`,
  requests: 1,
  async run() {
    const headers = ["Host: localhost", signature(service), "Connection: close", ...call.headers];
    const parts = [request(call.method, call.target, headers, call.body)];
    return { statuses: statusesIn(await exchange({ port, parts, ending: "wait" })) };
  },
});

/** Every operation of AWS in the services that the emulator has. */
const allOperations = (services: readonly string[]): Operation[] =>
  services.flatMap((service) => {
    const { sdk, client } = registry[service]!.load();
    const model = readModel(sdk() as Record<string, unknown>, client);
    return [...model.operations.values()].map((operation) => ({ service, model, operation }));
  });

/** A call of each operation without any input. `found` is filled with those that the emulator has. */
export function emptyCalls(port: number, services = Object.keys(registry)): { calls: Attempt[]; found: Operation[] } {
  const found: Operation[] = [];
  const calls = allOperations(services).map((one): Attempt => {
    const attempt = toAttempt(port, one, toCall(one.model, one.operation, {}));
    return {
      ...attempt,
      async run() {
        const outcome = await attempt.run();
        if (!outcome.statuses.includes(501)) found.push(one);
        return outcome;
      },
    };
  });
  return { calls, found };
}

/** Calls of operations with inputs that nobody meant, and with bodies that are none. */
export function apiCalls(
  port: number,
  operations: readonly Operation[],
  ids: readonly string[],
): fc.Arbitrary<Attempt> {
  const inputs = new Inputs(ids);
  const takesAway = ({ operation }: Operation) => /^(Delete|Remove|Purge)/.test(operation.name);
  // What is there gets a while to be asked for.
  const operation = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...operations.filter((one) => !takesAway(one))) },
    { weight: 1, arbitrary: fc.constantFrom(...operations.filter(takesAway)) },
  );
  return operation.chain((one) => {
    const right = inputs.of(one.operation.input).map((input) => toCall(one.model, one.operation, input));
    const broken = fc.tuple(right, bodies).map(([call, body]): Call => ({ ...call, body }));
    return fc
      .oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: broken })
      .map((call) => toAttempt(port, one, call));
  });
}
