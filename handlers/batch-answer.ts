/** Which messages are to come again (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html). */
export interface BatchAnswer {
  readonly batchItemFailures: { itemIdentifier: string }[];
}
