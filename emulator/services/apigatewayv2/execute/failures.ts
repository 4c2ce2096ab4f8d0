/** A handshake, message or management call that ends at the gateway. */
export class GatewayFailure extends Error {
  /**
   * @param status of the handshake's or call's answer, and of the access log.
   * @param errorType value of `x-amzn-ErrorType`.
   * @param message what the client reads, in the answer or in an error frame.
   */
  constructor(
    readonly status: number,
    readonly errorType: string,
    message: string,
  ) {
    super(message);
  }
}

// One function per cause.

/** An unknown API or stage, a stage without deployment, or a message that no route takes. */
export const forbidden = () => new GatewayFailure(403, "ForbiddenException", "Forbidden");

/** No identity source, or an authorizer that said "Unauthorized". */
export const unauthorized = () => new GatewayFailure(401, "UnauthorizedException", "Unauthorized");

export const accessDenied = (message: string) => new GatewayFailure(403, "AccessDeniedException", message);

export const missingToken = () =>
  new GatewayFailure(403, "MissingAuthenticationTokenException", "Missing Authentication Token");

export const invalidSignature = (message: string) => new GatewayFailure(403, "InvalidSignatureException", message);

export const incompleteSignature = (message: string) =>
  new GatewayFailure(403, "IncompleteSignatureException", message);

export const unknownAccessKey = (message: string) => new GatewayFailure(403, "UnrecognizedClientException", message);

export const throttled = () => new GatewayFailure(429, "TooManyRequestsException", "Too Many Requests");

/** The request lines of a handshake are not those of one. */
export const notAHandshake = (message: string) => new GatewayFailure(400, "BadRequestException", message);

/** A plain request to an address that takes WebSocket handshakes only. */
export const upgradeRequired = () => new GatewayFailure(426, "UpgradeRequiredException", "Upgrade Required");

export const invalidBody = () => new GatewayFailure(400, "BadRequestException", "Invalid request body");

export const unsupportedMediaType = () =>
  new GatewayFailure(415, "UnsupportedMediaTypeException", "Unsupported Media Type");

const internal = (status: number) =>
  new GatewayFailure(status, "InternalServerErrorException", "Internal server error");

/** The function failed, or answered what is no proxy response. */
export const badGateway = () => internal(502);

/** The API is set up in a way that cannot work: no such function, a template that gives no status, a broken authorizer. */
export const misconfigured = () => internal(500);

/** The endpoint could not be reached, or took too long. */
export const timedOut = () => new GatewayFailure(504, "InternalServerErrorException", "Endpoint request timed out");

/** The emulator was reset while the handshake waited. */
export const wasReset = () => new GatewayFailure(503, "ServiceUnavailableException", "Service Unavailable");

/** A kind of API whose requests the emulator does not serve. */
export const notServed = () =>
  new GatewayFailure(501, "NotImplemented", "HTTP APIs are kept, but their requests are not emulated by Sensorcast");

// What the management API answers (API reference, API Gateway Management API).

/** The connection is closed, or not yet open. AWS sends no message with it. */
export const gone = () => new GatewayFailure(410, "GoneException", "");

export const badConnectionId = (id: string) =>
  new GatewayFailure(400, "BadRequestException", `Invalid connectionId: ${id}`);

export const payloadTooLarge = () => new GatewayFailure(413, "PayloadTooLargeException", "Payload too large");

/** Too many calls, or a client that does not read what it is sent. */
export const limitExceeded = () => new GatewayFailure(429, "LimitExceededException", "Limit Exceeded");
