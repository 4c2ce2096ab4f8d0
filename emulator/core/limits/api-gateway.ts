import { limit, range } from "./limit";

const guide = "https://docs.aws.amazon.com/apigateway/latest/developerguide";
const account = `${guide}/limits.html`;
const rest = `${guide}/api-gateway-execution-service-limits-table.html`;
const sockets = `${guide}/apigateway-execution-service-websocket-limits-table.html`;
const tags = `${guide}/apigateway-tagging-supported-resources.html`;
const stageVariables = `${guide}/aws-api-gateway-stage-variables-reference.html`;

/** Limits of REST and WebSocket APIs alike. */
export const apiGateway = {
  requestsPerSecond: {
    ...limit(
      10_000,
      "a second",
      "requests, messages and `@connections` calls of an account in a region",
      "429 `TooManyRequestsException`; a WebSocket closes with 1008; `@connections` answer `LimitExceededException`",
      account,
    ),
    option: "quotas.requestsPerSecond",
  },
  requestBurst: {
    ...limit(5_000, "", "those of them that may come at once", "the same", account),
    option: "quotas.requestBurst",
  },
  integrationTimeout: range(
    50,
    29_000,
    "ms",
    "time that an integration may take",
    "`BadRequestException` for the setting; 504 for the request, an error message on a WebSocket",
    rest,
  ),
  httpIntegrationTimeout: range(
    50,
    30_000,
    "ms",
    "the same, of HTTP APIs",
    "`BadRequestException` for the setting",
    `${guide}/http-api-quotas.html`,
  ),
  authorizerTimeout: limit(29_000, "ms", "time that an authorizer's function may take", "500", rest),
  authorizerResult: limit(8 * 1024, "bytes", "answer of an authorizer's function", "500", rest),
  stageVariableName: limit(64, "characters", "name of a stage variable", "`BadRequestException`", stageVariables),
  stageVariableValue: limit(512, "characters", "value of a stage variable", "`BadRequestException`", stageVariables),
  tags: limit(50, "", "tags of a resource", "`BadRequestException`", tags),
} as const;

/** Limits of REST APIs alone. */
export const restApi = {
  payload: limit(10 * 1024 * 1024, "bytes", "body of a request", "413 `RequestTooLargeException`", rest),
  authorizerTtl: range(
    0,
    3_600,
    "s",
    "time that an authorizer's answer is kept; 300 unless set",
    "`BadRequestException`",
    rest,
  ),
  apiKey: range(20, 128, "characters", "value of an API key", "`BadRequestException`", rest),
  minimumCompressionSize: range(
    0,
    10_485_760,
    "bytes",
    "`minimumCompressionSize` of an API",
    "`BadRequestException`",
    `${guide}/api-gateway-enable-compression.html`,
  ),
} as const;

/** Limits of WebSocket APIs alone. */
export const webSocket = {
  connectionsPerSecond: {
    ...limit(500, "a second", "new connections of an account in a region", "429 for the handshake", sockets),
    option: "quotas.connectionsPerSecond",
  },
  message: limit(
    128 * 1024,
    "bytes",
    "a message, in both directions",
    "close 1009; 413 `PayloadTooLargeException` from `@connections`",
    sockets,
  ),
  frame: limit(32 * 1024, "bytes", "a frame of a client", "close 1009", sockets),
  idle: limit(600_000, "ms", "time without anything on a connection", "close 1001", sockets),
  connection: limit(7_200_000, "ms", "life of a connection", "close 1001", sockets),
  apiName: limit(
    128,
    "characters",
    "name of an API",
    "`BadRequestException`",
    "https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html",
  ),
} as const;
