import { AwsError } from "../../core/errors";

/** No such API in the caller's account; AWS shows the account and the id. */
export const noSuchApi = (account: string, id: string) =>
  new AwsError("NotFoundException", `Invalid API identifier specified ${account}:${id}`, 404);

/** No such thing of a kind, in AWS's words: "Invalid Resource identifier specified". */
export const notFound = (kind: string) =>
  new AwsError("NotFoundException", `Invalid ${kind} identifier specified`, 404);

export const notFoundMessage = (message: string) => new AwsError("NotFoundException", message, 404);

export const badRequest = (message: string) => new AwsError("BadRequestException", message, 400);

export const conflict = (message: string) => new AwsError("ConflictException", message, 409);

export const limitExceeded = (message: string) => new AwsError("LimitExceededException", message, 429);

/** A value outside the model's constraints, found before the service's own rules are looked at. */
export const validationErrors = (problems: readonly string[]) =>
  new AwsError(
    "ValidationException",
    `${problems.length} validation error${problems.length > 1 ? "s" : ""} detected: ${problems.join("; ")}`,
    400,
  );

/** How a member outside its enum reads in {@link validationErrors}. */
export const outsideEnum = (value: unknown, member: string, allowed: readonly string[]) =>
  `Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`;

/** Throws AWS's ValidationException when a given value is not one of the enum's. */
export function checkEnum(value: string | undefined, member: string, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) throw validationErrors([outsideEnum(value, member, allowed)]);
}
