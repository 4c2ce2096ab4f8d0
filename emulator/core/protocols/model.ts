import { NormalizedSchema } from "@smithy/core/schema";

/** How requests and answers of a service travel. */
export type Protocol = "json" | "rest-json" | "rest-xml" | "query";

/** The HTTP side of a REST operation, read from its `http` trait. */
export interface HttpBinding {
  readonly method: string;
  /** Path template parts: a literal, `{label}` or `{label+}`. */
  readonly segments: readonly Segment[];
  /** Query parameters that are part of the address: `?uploads`, `?list-type=2`. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly status: number;
}

export type Segment = { literal: string } | { label: string; greedy: boolean };

/** One operation as the SDK's schemas describe it. */
export interface OperationModel {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  readonly http?: HttpBinding;
}

/** What the wire needs to know of a service. */
export interface ServiceModel {
  readonly protocol: Protocol;
  /** `application/x-amz-json-1.0` and the like; what JSON answers are labelled with. */
  readonly contentType: string;
  /** Prefix of `X-Amz-Target`, for example `DynamoDB_20120810`. */
  readonly target: string;
  /** Shape namespace, for example `com.amazonaws.sqs`. */
  readonly namespace: string;
  readonly xmlNamespace: string;
  /** JSON service that also names its errors for query clients (SQS). */
  readonly queryCompatible: boolean;
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Error shapes by code. */
  readonly errors: ReadonlyMap<string, NormalizedSchema>;
}

/** Static schemas are tuples headed by a kind (https://www.npmjs.com/package/@smithy/core, submodule schema). */
const operationKind = 9;
const errorKind = -3;

type StaticOperation = [kind: 9, namespace: string, name: string, traits: Traits, input: unknown, output: unknown];
type Traits = { http?: [method: string, uri: string, status: number] } | number;

interface ClientProtocol {
  getShapeId(): string;
  readonly options?: ProtocolSettings;
}
interface ProtocolSettings {
  serviceTarget?: string;
  xmlNamespace?: string;
  defaultNamespace?: string;
}
type ClientClass = new (
  config: object,
) => {
  config: { protocol: ClientProtocol; protocolSettings?: ProtocolSettings };
  destroy(): void;
};

const protocols: Record<string, [Protocol, string]> = {
  "aws.protocols#awsJson1_0": ["json", "application/x-amz-json-1.0"],
  "aws.protocols#awsJson1_1": ["json", "application/x-amz-json-1.1"],
  "aws.protocols#restJson1": ["rest-json", "application/json"],
  "aws.protocols#restXml": ["rest-xml", "application/xml"],
  "aws.protocols#awsQuery": ["query", "text/xml"],
};

/**
 * Reads a service's model from its SDK client module. This is the only place that knows the layout of the static
 * schemas; everything else goes through NormalizedSchema.
 *
 * @throws Error when the client speaks a protocol that the emulator does not.
 */
export function readModel(sdk: Record<string, unknown>, clientName: string): ServiceModel {
  const Client = sdk[clientName] as ClientClass;
  const client = new Client({ region: "us-east-1", credentials: { accessKeyId: "-", secretAccessKey: "-" } });
  const { protocol } = client.config;
  const settings = { ...protocol.options, ...client.config.protocolSettings } as ProtocolSettings & {
    awsQueryCompatible?: boolean;
  };
  client.destroy();
  const known = protocols[protocol.getShapeId()];
  if (!known) throw new Error(`${clientName} speaks ${protocol.getShapeId()}, which the emulator does not`);

  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, NormalizedSchema>();
  let namespace = settings.defaultNamespace ?? "";
  for (const [name, schema] of Object.entries(sdk)) {
    if (!name.endsWith("$") || !Array.isArray(schema)) continue;
    if (schema[0] === operationKind) {
      const operation = readOperation(schema as StaticOperation);
      operations.set(operation.name, operation);
      namespace ||= schema[1];
    } else if (schema[0] === errorKind) {
      const error = NormalizedSchema.of(schema as never);
      errors.set(schema[2] as string, error);
    }
  }
  return {
    protocol: known[0],
    contentType: known[1],
    target: settings.serviceTarget ?? "",
    namespace,
    xmlNamespace: settings.xmlNamespace ?? "",
    queryCompatible: settings.awsQueryCompatible === true && known[0] === "json",
    operations,
    errors,
  };
}

function readOperation([, , name, traits, input, output]: StaticOperation): OperationModel {
  const http = typeof traits === "object" ? traits.http : undefined;
  return {
    name,
    input: NormalizedSchema.of(input as never),
    output: NormalizedSchema.of(output as never),
    ...(http && { http: readHttp(http) }),
  };
}

function readHttp([method, uri, status]: [string, string, number]): HttpBinding {
  const [path = "", query = ""] = uri.split("?");
  return {
    method,
    status,
    segments: path
      .split("/")
      .slice(1)
      .filter((part, index, all) => part !== "" || index < all.length - 1)
      .map((part) => {
        const label = /^\{([^}+]+)(\+?)\}$/.exec(part);
        return label ? { label: label[1]!, greedy: label[2] === "+" } : { literal: part };
      }),
    query: query
      .split("&")
      .filter((part) => part !== "" && !part.startsWith("x-id="))
      .map((part) => {
        const [name = "", value = ""] = part.split("=");
        return [name, value] as const;
      }),
  };
}
