import { parseArn } from "../arn";
import { AwsError, type AwsErrorDetail } from "../errors";
import type { FaultError } from "./options";
import type { Place } from "./place";

/** Code, status and words of an error. */
type Row = readonly [code: string, status: number, message: string, detail?: AwsErrorDetail];
type Rows = Row | ((place: Place) => Row);

interface ServiceErrors {
  /** Too many calls. */
  readonly throttle: Rows;
  /** The service itself failed. */
  readonly failure: Rows;
}

/** Of https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html, which all services share. */
const internalFailure: Row = [
  "InternalFailure",
  500,
  "The request processing has failed because of an unknown error, exception or failure.",
];

/** The same under the name that the service has for it. */
const internal = (code: string, detail?: AwsErrorDetail): Row => [code, 500, internalFailure[2], detail];

const queryCode = (queryCode: string): AwsErrorDetail => ({ queryCode });

/** Streams name the stream and its account; which shard it is nobody has looked up yet. */
function streamOf({ resources: [arn = ""] }: Place): string {
  const { resource = "stream/*", account = "" } = parseArn(arn) ?? {};
  return `stream ${resource.split("/")[1]} under account ${account}`;
}

const kinesisData = /^(PutRecords?|GetRecords|GetShardIterator|SubscribeToShard)$/;
const dynamoData = /(Item|Items|Query|Scan|Statement|Transaction)$/;
const management = /^(Post|Get|Delete)(To)?Connection$/;

/**
 * What each service answers to too many calls, and when it fails itself; codes and statuses are those of the errors in
 * its API reference and model, messages those that AWS is known to send.
 */
const table: Record<string, ServiceErrors> = {
  sts: { throttle: ["Throttling", 400, "Rate exceeded"], failure: internalFailure },
  iam: {
    throttle: ["Throttling", 400, "Rate exceeded"],
    failure: internal("ServiceFailureException", queryCode("ServiceFailure")),
  },
  logs: {
    throttle: ["ThrottlingException", 400, "Rate exceeded"],
    // 500, not 503, by the API reference.
    failure: ["ServiceUnavailableException", 500, "The service cannot complete the request."],
  },
  dynamodb: {
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    throttle: ({ operation }) =>
      dynamoData.test(operation)
        ? [
            "ProvisionedThroughputExceededException",
            400,
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
          ]
        : ["ThrottlingException", 400, "Rate of requests exceeds the allowed throughput."],
    failure: ["InternalServerError", 500, "Internal server error"],
  },
  dynamodbstreams: {
    throttle: ["ThrottlingException", 400, "Rate exceeded for shard."],
    failure: ["InternalServerError", 500, "Internal server error"],
  },
  sqs: {
    throttle: ["RequestThrottled", 403, "Request is throttled.", queryCode("RequestThrottled")],
    failure: internalFailure,
  },
  sns: {
    throttle: ["ThrottledException", 429, "Rate exceeded", queryCode("Throttled")],
    failure: internal("InternalErrorException", queryCode("InternalError")),
  },
  events: { throttle: ["ThrottlingException", 400, "Rate exceeded"], failure: internal("InternalException") },
  kinesis: {
    throttle: (place) =>
      kinesisData.test(place.operation)
        ? ["ProvisionedThroughputExceededException", 400, `Rate exceeded for shard in ${streamOf(place)}.`]
        : ["LimitExceededException", 400, `Rate exceeded for ${streamOf(place)}.`],
    failure: internalFailure,
  },
  timestream: {
    throttle: ["ThrottlingException", 429, "Rate exceeded"],
    failure: internal("InternalServerException"),
  },
  timestreamquery: {
    throttle: ["ThrottlingException", 429, "Rate exceeded"],
    failure: internal("InternalServerException"),
  },
  s3: {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    throttle: ["SlowDown", 503, "Please reduce your request rate."],
    failure: ["InternalError", 500, "We encountered an internal error. Please try again."],
  },
  lambda: {
    throttle: [
      "TooManyRequestsException",
      429,
      "Rate exceeded",
      { fields: { Type: "User", Reason: "CallerRateLimitExceeded" } },
    ],
    failure: [
      "ServiceException",
      500,
      "An error occurred and the request cannot be processed.",
      { fields: { Type: "Service" } },
    ],
  },
  apigateway: {
    throttle: ["TooManyRequestsException", 429, "Too Many Requests"],
    failure: ["ServiceUnavailableException", 503, "Service Unavailable"],
  },
  apigatewayv2: { throttle: ["TooManyRequestsException", 429, "Too Many Requests"], failure: internalFailure },
  "execute-api": {
    throttle: ({ operation }) =>
      management.test(operation)
        ? ["LimitExceededException", 429, "Limit Exceeded"]
        : ["TooManyRequestsException", 429, "Too Many Requests"],
    failure: ["InternalServerErrorException", 500, "Internal server error"],
  },
  iot: {
    throttle: ["ThrottlingException", 400, "Rate exceeded"],
    failure: internal("InternalFailureException"),
  },
  iotdata: {
    throttle: ["ThrottlingException", 429, "Rate exceeded"],
    failure: internal("InternalFailureException"),
  },
  "cognito-idp": {
    throttle: ["TooManyRequestsException", 429, "Rate exceeded"],
    failure: internal("InternalErrorException"),
  },
};

/** What a service answers by itself to a call at this place. */
export function usualError(kind: keyof ServiceErrors, place: Place): AwsError {
  const rows = table[place.service]?.[kind] ?? internalFailure;
  const [code, status, message, detail] = typeof rows === "function" ? rows(place) : rows;
  return new AwsError(code, message, status, detail);
}

/**
 * The usual error, or what a fault has been told to answer instead of it.
 *
 * @param statusOf the status that the service's model has for a code.
 */
export function asWanted(
  usual: AwsError,
  { code = usual.code, message, status, fields }: FaultError & { fields?: Record<string, unknown> },
  statusOf: (code: string) => number | undefined = () => usual.status,
): AwsError {
  if (code !== usual.code) {
    const told = message ?? `A fault was injected: ${code}`;
    return new AwsError(code, told, status ?? statusOf(code) ?? 500, { fields });
  }
  const detail = { ...usual.detail, fields: { ...usual.detail.fields, ...fields } };
  return new AwsError(code, message ?? usual.message, status ?? usual.status, detail);
}

/** What API Gateway answers by itself, and its management API: no model of an SDK has all of them. */
const ofGateway: Record<string, readonly [status: number, message: string]> = {
  AccessDeniedException: [403, "Access Denied"],
  BadRequestException: [400, "Bad Request"],
  ForbiddenException: [403, "Forbidden"],
  // AWS sends no message with it.
  GoneException: [410, ""],
  InternalServerErrorException: [500, "Internal server error"],
  LimitExceededException: [429, "Limit Exceeded"],
  PayloadTooLargeException: [413, "Payload too large"],
  ServiceUnavailableException: [503, "Service Unavailable"],
  TooManyRequestsException: [429, "Too Many Requests"],
  UnauthorizedException: [401, "Unauthorized"],
};

/** {@link asWanted} for deployed APIs. */
export function gatewayError(usual: AwsError, wanted: FaultError): AwsError {
  const [status, message] = (wanted.code !== undefined && ofGateway[wanted.code]) || [];
  return asWanted(usual, { ...wanted, status: wanted.status ?? status, message: wanted.message ?? message });
}
