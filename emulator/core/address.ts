import { bucketOfHost } from "./protocols/s3";

/** Where a request goes: to a data plane, to the emulator itself, or to the API of a service. */
export type Address =
  | { kind: "internal"; path: string }
  | { kind: "data"; service: string; id: string; path: string }
  | { kind: "api"; service: string; region: string; accessKeyId: string };

/** The addresses of deployed APIs, which REST and WebSocket APIs share; the server asks who has the id. */
export const executeApi = "execute-api";

type Headers = Readonly<Record<string, string | undefined>>;

/** What only Timestream Query does; it shares name and target with Timestream Write, and so the other operations. */
const timestreamQuery = /^Timestream_\d+\.(Query|CancelQuery|PrepareQuery|\w*ScheduledQuer(y|ies)|\w+AccountSettings)$/;

/** X-Amz-Target prefixes, for requests that carry no credential scope. */
const targets: readonly [RegExp, string][] = [
  [/^DynamoDB_/, "dynamodb"],
  [/^DynamoDBStreams_/, "dynamodbstreams"],
  [timestreamQuery, "timestreamquery"],
  [/^Timestream_/, "timestream"],
  [/^Kinesis_/, "kinesis"],
  [/^AmazonSQS/, "sqs"],
  [/^Logs_/, "logs"],
  [/^AWSCognitoIdentityProviderService/, "cognito-idp"],
];

/** `Version` of the query protocol's services, for the same case. */
const versions: Record<string, string> = {
  "2011-06-15": "sts",
  "2010-05-08": "iam",
  "2012-11-05": "sqs",
  "2010-03-31": "sns",
};

/** Paths of unsigned REST requests. */
const paths: readonly [RegExp, string][] = [
  [
    /^\/(2014-11-13|2015-03-31|2017-03-31|2017-10-31|2019-09-25|2019-09-30|2020-04-22|2020-06-30|2021-\d\d-\d\d|2024-\d\d-\d\d)\//,
    "lambda",
  ],
  [/^\/v2\/(apis|domainnames|tags|vpclinks)(\/|$)/, "apigatewayv2"],
  [/^\/(restapis|apikeys|usageplans|domainnames|account)(\/|$)/, "apigateway"],
];

/**
 * Finds out who a request is for: internal and data-plane addresses by path or host, AWS APIs by the SigV4 credential
 * scope, else by X-Amz-Target, query version or path; what is left is S3, as an unsigned GET of an object is.
 */
export function addressOf(path: string, query: string, headers: Headers, form: () => string): Address {
  if (path.startsWith("/_")) {
    const api = /^\/_aws\/execute-api\/([^/]+)(\/.*)?$/.exec(path);
    if (api) return { kind: "data", service: executeApi, id: api[1]!, path: api[2] ?? "/" };
    const domain = /^\/_aws\/cognito-idp\/([^/]+)(\/.*)$/.exec(path);
    if (domain) return { kind: "data", service: "cognito-idp", id: domain[1]!, path: domain[2]! };
    const lambda = /^\/_aws\/(lambda-code|lambda-url)\/(.+)$/.exec(path);
    if (lambda) return { kind: "data", service: "lambda", id: lambda[1]!, path: lambda[2]! };
    // The links in messages of SNS: its certificate, and what confirms or ends a subscription.
    const sns = /^\/_aws\/sns\/([^/]*)$/.exec(path);
    if (sns) return { kind: "data", service: "sns", id: sns[1]!, path };
    if (path.startsWith("/_aws/iot/"))
      return { kind: "data", service: "iot", id: "", path: path.slice("/_aws/iot".length) };
    if (/^\/_(emulator|localstack)\//.test(path)) return { kind: "internal", path };
  }
  const host = headers.host ?? "";
  if (host.includes(".execute-api.")) {
    return { kind: "data", service: executeApi, id: host.slice(0, host.indexOf(".")), path };
  }
  const login = /^([^.]+)\.auth\./.exec(host);
  if (login) return { kind: "data", service: "cognito-idp", id: login[1]!, path };
  const pool = /^\/([a-z]{2}(?:-[a-z]+)+-\d_[A-Za-z0-9]+)(\/.*)$/.exec(path);
  if (pool) return { kind: "data", service: "cognito-idp", id: pool[1]!, path: pool[2]! };

  // MQTT over WebSocket. A request that does not change its protocol is an object of the bucket "mqtt".
  if (path === "/mqtt" && headers.upgrade !== undefined) return { kind: "data", service: "iot", id: "", path };

  const scope =
    /Credential=([^/,\s]*)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "") ??
    /[?&]?X-Amz-Credential=([^&/%]+)(?:%2F|\/)\d{8}(?:%2F|\/)([^&/%]+)(?:%2F|\/)([^&/%]+)(?:%2F|\/)/i.exec(query);
  if (scope) {
    // A management client that knows only AWS_ENDPOINT_URL: connection ids are unique among all APIs.
    if (scope[3] === executeApi && path.startsWith("/@connections/"))
      return { kind: "data", service: "apigatewayv2", id: "", path };
    return { kind: "api", accessKeyId: scope[1]!, region: scope[2]!, service: alias(scope[3]!, path, headers) };
  }

  return { kind: "api", accessKeyId: "", region: "us-east-1", service: guess(path, headers, form) };
}

/** The APIs of a signing name that another one stands for, or that two services share. */
function alias(service: string, path: string, headers: Headers): string {
  if (service === "s3express" || service === "s3-object-lambda") return "s3";
  if (service === "dynamodb" && headers["x-amz-target"]?.startsWith("DynamoDBStreams_")) return "dynamodbstreams";
  if (service === "timestream" && timestreamQuery.test(headers["x-amz-target"] ?? "")) return "timestreamquery";
  return service === "apigateway" && path.startsWith("/v2/") ? "apigatewayv2" : service;
}

function guess(path: string, headers: Headers, form: () => string): string {
  const target = headers["x-amz-target"];
  if (target) return targets.find(([pattern]) => pattern.test(target))?.[1] ?? target.split(/[._]/)[0]!;
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
    const version = new URLSearchParams(form()).get("Version");
    if (version && versions[version]) return versions[version];
  }
  const host = headers.host ?? "";
  if (bucketOfHost(host)) return "s3";
  return paths.find(([pattern]) => pattern.test(path))?.[1] ?? "s3";
}
