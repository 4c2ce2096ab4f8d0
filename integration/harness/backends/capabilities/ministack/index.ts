import type { Gap } from "../gap";
import { apiGatewayGaps } from "./api-gateway";
import { cognitoGaps } from "./cognito";
import { componentsGaps } from "./components";
import { dynamodbGaps } from "./dynamodb";
import { eventbridgeGaps } from "./eventbridge";
import { iamGaps } from "./iam";
import { iotGaps } from "./iot";
import { kinesisGaps } from "./kinesis";
import { lambdaGaps } from "./lambda";
import { logsGaps } from "./logs";
import { quotasGaps } from "./quotas";
import { s3Gaps } from "./s3";
import { snsSqsGaps } from "./sns-sqs";
import { websocketApisGaps } from "./websocket-apis";

/** The version that these tables are about, and that `scripts/ministack.js` installs. */
export const ministackVersion = "1.5.33";

export const ministackGaps: readonly Gap[] = [
  ...apiGatewayGaps,
  ...cognitoGaps,
  ...componentsGaps,
  ...dynamodbGaps,
  ...eventbridgeGaps,
  ...iamGaps,
  ...iotGaps,
  ...kinesisGaps,
  ...lambdaGaps,
  ...logsGaps,
  ...quotasGaps,
  ...s3Gaps,
  ...snsSqsGaps,
  ...websocketApisGaps,
];
