import type { RejectedRecord } from "@aws-sdk/client-timestream-write";
import { AwsError } from "../../core/errors";

export const constraintCode = "ValidationException";

export const validation = (message: string) => new AwsError("ValidationException", message);

export const accessDenied = (message: string) => new AwsError("AccessDeniedException", message);

export const databaseNotFound = (name: string) =>
  new AwsError("ResourceNotFoundException", `The database ${name} does not exist.`, 404);

export const tableNotFound = (name: string) =>
  new AwsError("ResourceNotFoundException", `The table ${name} does not exist.`, 404);

export const resourceNotFound = (arn: string) =>
  new AwsError("ResourceNotFoundException", `The resource ${arn} does not exist.`, 404);

export const databaseExists = (name: string) =>
  new AwsError("ConflictException", `The database ${name} already exists.`, 409);

export const tableExists = (name: string) =>
  new AwsError("ConflictException", `The table ${name} already exists.`, 409);

export const databaseNotEmpty = (name: string) =>
  validation(`The database ${name} has tables: delete all tables in the database before it.`);

export const tooMany = (message: string) => new AwsError("ServiceQuotaExceededException", message, 402);

/** Of a call, some of whose records were not written; all others were. */
export const recordsRejected = (rejected: readonly RejectedRecord[]) =>
  new AwsError(
    "RejectedRecordsException",
    "One or more records have been rejected. See RejectedRecords for details.",
    419,
    { fields: { RejectedRecords: rejected } },
  );
