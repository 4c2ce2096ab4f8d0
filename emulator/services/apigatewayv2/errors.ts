import { AwsError } from "../../core/errors";

/** No such API in the caller's account; AWS shows the account and the id. */
export const noSuchApi = (account: string, id: string) =>
  new AwsError("NotFoundException", `Invalid API identifier specified ${account}:${id}`, 404);

/** No such thing of a kind, in AWS's words: "Invalid Route identifier specified". */
export const notFound = (kind: string) =>
  new AwsError("NotFoundException", `Invalid ${kind} identifier specified`, 404);

export const notFoundMessage = (message: string) => new AwsError("NotFoundException", message, 404);

export const badRequest = (message: string) => new AwsError("BadRequestException", message, 400);

export const conflict = (message: string) => new AwsError("ConflictException", message, 409);

/** A member that the model requires and the request has not. */
export const required = (member: string) => badRequest(`${member} must not be null`);

/** A value outside an enum, as API Gateway v2 words it: "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]". */
export function checkOneOf(what: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value))
    throw badRequest(`Invalid ${what} specified. Must be one of [${allowed.join(", ")}]`);
}

export function checkRange(member: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined && (value < min || value > max))
    throw badRequest(`${member} must be between ${min} and ${max}`);
}
