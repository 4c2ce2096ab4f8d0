import { AwsError } from "../../core/errors";

export const invalidRequest = (message: string) => new AwsError("InvalidRequestException", message, 400);

export const notFound = (message: string) => new AwsError("ResourceNotFoundException", message, 404);
