import { AwsError } from "../../../core/errors";

/** Where a token begins in a statement; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * The answer to a statement that is no AWS IoT SQL.
 * https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html
 */
export const sqlParseException = (problem: string, { line, column }: Position) =>
  new AwsError("SqlParseException", `${problem} (line ${line}:${column})`, 400);

/** A rule that cannot be evaluated for this message; its error action runs, none of its actions does. */
export const sqlEvaluationFailed = (problem: string) => new AwsError("SqlEvaluationException", problem, 400);
