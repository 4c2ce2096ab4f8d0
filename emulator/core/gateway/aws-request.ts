import type { SessionCredentials } from "../bus";
import type { Journal } from "../journal/journal";
import type { OutgoingRequest } from "./http-exchange";
import { fillPath } from "./path-value";
import { sign } from "./sigv4";

/** Prefixes of X-Amz-Target for services that take actions as JSON, and their protocol versions. */
const jsonServices: Record<string, readonly [target: string, version: "1.0" | "1.1"]> = {
  dynamodb: ["DynamoDB_20120810", "1.0"],
  kinesis: ["Kinesis_20131202", "1.1"],
  firehose: ["Firehose_20150804", "1.1"],
  logs: ["Logs_20140328", "1.1"],
  states: ["AWSStepFunctions", "1.0"],
  events: ["AWSEvents", "1.1"],
  ssm: ["AmazonSSM", "1.1"],
  "cognito-idp": ["AWSCognitoIdentityProviderService", "1.1"],
};

/** A call of an AWS service that an integration makes. */
export interface ServiceCall {
  readonly method: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly query: Readonly<Record<string, string | string[]>>;
  /** Values for `{name}` in the URI's path. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Surroundings {
  readonly endpoint: string;
  readonly credentials: SessionCredentials;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly journal: Journal;
}

/** The parts of `arn:aws:apigateway:region:service:path|action/...`; undefined for anything else. */
export function serviceOf(uri: string) {
  const match = /^arn:[\w-]+:apigateway:([\w-]+):([\w.-]+):(path|action)\/(.*)$/s.exec(uri);
  if (!match) return undefined;
  const [, region = "", target = "", kind, rest = ""] = match;
  return { region, name: target.split(".").at(-1)!, kind, rest };
}

/**
 * The request to the emulator's own endpoint, signed with the credentials of the integration's role; undefined when
 * values cannot stand in its path.
 */
export function awsRequest(
  { region, name, kind, rest }: NonNullable<ReturnType<typeof serviceOf>>,
  call: ServiceCall,
  { endpoint, credentials, now, journal }: Surroundings,
): OutgoingRequest | undefined {
  const filled = fillPath(rest, call.path);
  if (filled === undefined) return undefined;
  const url = new URL(kind === "path" ? `${endpoint}/${filled.replace(/^\//, "")}` : endpoint);
  const headers: Record<string, string> = { Accept: "application/json" };
  const setHeader = (header: string, value: string | string[]) => {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === header.toLowerCase()) delete headers[known];
    headers[header] = Array.isArray(value) ? value.join(",") : value;
  };
  setHeader("Content-Type", call.contentType);
  const json = kind === "action" ? jsonServices[name] : undefined;
  if (json) {
    setHeader("X-Amz-Target", `${json[0]}.${filled}`);
    setHeader("Content-Type", `application/x-amz-json-${json[1]}`);
  } else if (kind === "action") {
    url.searchParams.set("Action", filled);
  }
  for (const [header, value] of Object.entries(call.headers)) setHeader(header, value);
  for (const [parameter, value] of Object.entries(call.query))
    for (const one of [value].flat()) url.searchParams.append(parameter, one);
  const { method, body } = call;
  const signature = sign({ method, url, headers, body }, credentials, { region, service: name, now });
  Object.assign(headers, signature, journal.headers());
  return { method, url, headers, body };
}
