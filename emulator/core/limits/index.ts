import { apiGateway, restApi, webSocket } from "./api-gateway";
import { dynamodb } from "./dynamodb";
import { cognito, iam, sts } from "./identity";
import { iot } from "./iot";
import { lambda } from "./lambda";
import type { ServiceLimits } from "./limit";
import { logs } from "./logs";
import { events, sns, sqs } from "./messaging";
import { s3 } from "./s3";
import { kinesis, timestream } from "./streams";

export { endsOf } from "./limit";

/** Every quota of AWS that the emulator enforces. Services read their numbers here. */
export const limits = {
  apiGateway,
  restApi,
  webSocket,
  lambda,
  sqs,
  sns,
  events,
  dynamodb,
  kinesis,
  s3,
  iot,
  iam,
  sts,
  cognito,
  logs,
  timestream,
} as const;

/** The same with the services' names, in the order in which people read it (`docs/limits.md`). */
export const limitTable: readonly ServiceLimits[] = [
  { service: "API Gateway", limits: apiGateway },
  { service: "API Gateway, REST APIs", limits: restApi },
  { service: "API Gateway, WebSocket APIs", limits: webSocket },
  { service: "Lambda", limits: lambda },
  { service: "SQS", limits: sqs },
  { service: "SNS", limits: sns },
  { service: "EventBridge", limits: events },
  { service: "DynamoDB", limits: dynamodb },
  { service: "Kinesis Data Streams", limits: kinesis },
  { service: "S3", limits: s3 },
  { service: "IoT Core", limits: iot },
  { service: "IAM", limits: iam },
  { service: "STS", limits: sts },
  { service: "Cognito user pools", limits: cognito },
  { service: "CloudWatch Logs", limits: logs },
  { service: "Timestream for LiveAnalytics", limits: timestream },
];
