import type { GatewayResponse, GatewayResponseType } from "@aws-sdk/client-api-gateway";

/** Every kind of answer that the gateway gives by itself, with its status (developer guide, gateway response types). */
const statuses = {
  REQUEST_TOO_LARGE: 413,
  RESOURCE_NOT_FOUND: 404,
  AUTHORIZER_CONFIGURATION_ERROR: 500,
  MISSING_AUTHENTICATION_TOKEN: 403,
  BAD_REQUEST_BODY: 400,
  INVALID_SIGNATURE: 403,
  INVALID_API_KEY: 403,
  BAD_REQUEST_PARAMETERS: 400,
  AUTHORIZER_FAILURE: 500,
  UNAUTHORIZED: 401,
  INTEGRATION_TIMEOUT: 504,
  ACCESS_DENIED: 403,
  DEFAULT_4XX: undefined,
  DEFAULT_5XX: undefined,
  WAF_FILTERED: 403,
  QUOTA_EXCEEDED: 429,
  THROTTLED: 429,
  API_CONFIGURATION_ERROR: 500,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTEGRATION_FAILURE: 504,
  EXPIRED_TOKEN: 403,
} satisfies Record<GatewayResponseType, number | undefined>;

export const gatewayResponseTypes = Object.keys(statuses) as GatewayResponseType[];

/** The template that AWS uses where none is set. */
export const defaultTemplate = '{"message":$context.error.messageString}';

export const defaultGatewayResponse = (responseType: GatewayResponseType): GatewayResponse => ({
  responseType,
  statusCode: statuses[responseType]?.toString(),
  responseParameters: {},
  responseTemplates: { "application/json": defaultTemplate },
  defaultResponse: true,
});

/** A request that ends at the gateway: which gateway response it gives, and what the response says. */
export class GatewayFailure extends Error {
  /**
   * @param type the gateway response that an API may replace.
   * @param errorType value of `x-amzn-ErrorType`.
   * @param text what `$context.error.message` holds; null where AWS sends `{"message":null}`.
   * @param status unless the API sets another.
   * @param body AWS's bytes where they differ from the default template's, used while that template is in use.
   */
  constructor(
    readonly type: GatewayResponseType,
    readonly errorType: string,
    readonly text: string | null,
    readonly status: number = statuses[type] ?? 500,
    readonly body?: string,
    readonly detail: { readonly validation?: string } = {},
  ) {
    super(text ?? errorType);
  }
}

// One function per cause. Statuses and bodies: design facts "API Gateway REST" and the AWS knowledge centre.

export const missingToken = () =>
  new GatewayFailure(
    "MISSING_AUTHENTICATION_TOKEN",
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
  );

/** An unknown stage or API, or a switched-off default endpoint. */
export const forbidden = () => new GatewayFailure("DEFAULT_4XX", "ForbiddenException", "Forbidden", 403);

/** No API key, an unknown one, or one that no plan of the stage holds. */
export const invalidApiKey = () => new GatewayFailure("INVALID_API_KEY", "ForbiddenException", "Forbidden");

export const throttled = () => new GatewayFailure("THROTTLED", "TooManyRequestsException", "Too Many Requests");

export const quotaExceeded = () => new GatewayFailure("QUOTA_EXCEEDED", "LimitExceededException", "Limit Exceeded");

export const unauthorized = (text = "Unauthorized") =>
  new GatewayFailure("UNAUTHORIZED", "UnauthorizedException", text);

/** A policy that does not allow. AWS writes the body key with a capital here. */
export const accessDenied = (text: string) =>
  new GatewayFailure("ACCESS_DENIED", "AccessDeniedException", text, 403, JSON.stringify({ Message: text }));

/** Token scopes that do not match the method's. */
export const insufficientScope = () => new GatewayFailure("ACCESS_DENIED", "AccessDeniedException", "Access Denied");

export const authorizerFailed = () => new GatewayFailure("AUTHORIZER_FAILURE", "AuthorizerFailureException", null);

export const authorizerMisconfigured = () =>
  new GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", null);

export const tooLarge = () => new GatewayFailure("REQUEST_TOO_LARGE", "RequestTooLargeException", "Request Too Long");

export const badParameters = (missing: readonly string[]) => {
  const text = `Missing required request parameters: [${missing.join(", ")}]`;
  return new GatewayFailure("BAD_REQUEST_PARAMETERS", "BadRequestException", text, 400, undefined, {
    validation: text,
  });
};

export const badBody = (problems: readonly string[]) =>
  new GatewayFailure("BAD_REQUEST_BODY", "BadRequestException", "Invalid request body", 400, undefined, {
    validation: `[${problems.join(", ")}]`,
  });

export const unsupportedMediaType = () =>
  new GatewayFailure("UNSUPPORTED_MEDIA_TYPE", "BadRequestException", "Unsupported Media Type");

export const invalidSignature = (text: string) =>
  new GatewayFailure("INVALID_SIGNATURE", "InvalidSignatureException", text);

export const incompleteSignature = (text: string) =>
  new GatewayFailure("INVALID_SIGNATURE", "IncompleteSignatureException", text);

export const unknownAccessKey = () =>
  new GatewayFailure(
    "INVALID_SIGNATURE",
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
  );

// AWS writes these two with a space after the colon.

export const timedOut = () =>
  new GatewayFailure(
    "INTEGRATION_TIMEOUT",
    "InternalServerErrorException",
    "Endpoint request timed out",
    504,
    '{"message": "Endpoint request timed out"}',
  );

const internal = (type: GatewayResponseType, status: number) =>
  new GatewayFailure(
    type,
    "InternalServerErrorException",
    "Internal server error",
    status,
    '{"message": "Internal server error"}',
  );

/** The function failed, or answered what is no proxy response. */
export const badGateway = () => internal("DEFAULT_5XX", 502);

/** The API is set up in a way that cannot work: no permission, no such function, a template that gives no status. */
export const misconfigured = () => internal("API_CONFIGURATION_ERROR", 500);

/** The endpoint could not be reached. */
export const unreachable = () =>
  new GatewayFailure(
    "INTEGRATION_FAILURE",
    "InternalServerErrorException",
    "Network error communicating with endpoint",
    504,
    '{"message": "Network error communicating with endpoint"}',
  );

/** A mistake of the emulator itself. */
export const unexpected = () => internal("DEFAULT_5XX", 500);

/** A refusal that was asked for: an API may replace it like any other of its kind. */
export function injected(errorType: string, text: string, status: number): GatewayFailure {
  const usual = unexpected();
  if (errorType === usual.errorType && text === usual.text && status === usual.status) return usual;
  const type = status === 429 ? "THROTTLED" : status >= 500 ? "DEFAULT_5XX" : "DEFAULT_4XX";
  return new GatewayFailure(type, errorType, text, status);
}
