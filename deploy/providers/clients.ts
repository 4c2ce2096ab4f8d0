import type { APIGateway } from "@aws-sdk/client-api-gateway";
import type { ApiGatewayV2 } from "@aws-sdk/client-apigatewayv2";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import type { CognitoIdentityProvider } from "@aws-sdk/client-cognito-identity-provider";
import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import type { EventBridge } from "@aws-sdk/client-eventbridge";
import type { IAM } from "@aws-sdk/client-iam";
import type { IoT } from "@aws-sdk/client-iot";
import type { Kinesis } from "@aws-sdk/client-kinesis";
import type { Lambda } from "@aws-sdk/client-lambda";
import type { S3 } from "@aws-sdk/client-s3";
import type { SNS } from "@aws-sdk/client-sns";
import type { SQS } from "@aws-sdk/client-sqs";
import type { STS } from "@aws-sdk/client-sts";
import type { TimestreamWrite } from "@aws-sdk/client-timestream-write";
import type { Credentials } from "../types";

/** What all clients share. */
export interface ClientSettings {
  endpoint: string;
  region: string;
  credentials: Credentials;
}

/** The SDK clients of one region. A client library is loaded when its service is first needed, once. */
export class Clients {
  private readonly made = new Map<string, { destroy(): void }>();

  constructor(private readonly settings: ClientSettings) {}

  get apiGateway(): APIGateway {
    return this.client("apigateway", () => require("@aws-sdk/client-api-gateway").APIGateway);
  }
  get apiGatewayV2(): ApiGatewayV2 {
    return this.client("apigatewayv2", () => require("@aws-sdk/client-apigatewayv2").ApiGatewayV2);
  }
  get cognito(): CognitoIdentityProvider {
    return this.client("cognito", () => require("@aws-sdk/client-cognito-identity-provider").CognitoIdentityProvider);
  }
  get dynamodb(): DynamoDB {
    return this.client("dynamodb", () => require("@aws-sdk/client-dynamodb").DynamoDB);
  }
  get events(): EventBridge {
    return this.client("events", () => require("@aws-sdk/client-eventbridge").EventBridge);
  }
  get iam(): IAM {
    return this.client("iam", () => require("@aws-sdk/client-iam").IAM);
  }
  get kinesis(): Kinesis {
    // Its own handler speaks HTTP/2 alone, which not every endpoint on a developer's machine does; AWS takes both.
    const { requestHandler } = this.sts.config;
    return this.client("kinesis", () => require("@aws-sdk/client-kinesis").Kinesis, { requestHandler });
  }
  get iot(): IoT {
    return this.client("iot", () => require("@aws-sdk/client-iot").IoT);
  }
  get lambda(): Lambda {
    return this.client("lambda", () => require("@aws-sdk/client-lambda").Lambda);
  }
  get logs(): CloudWatchLogs {
    return this.client("logs", () => require("@aws-sdk/client-cloudwatch-logs").CloudWatchLogs);
  }
  get s3(): S3 {
    return this.client("s3", () => require("@aws-sdk/client-s3").S3);
  }
  get sns(): SNS {
    return this.client("sns", () => require("@aws-sdk/client-sns").SNS);
  }
  get sqs(): SQS {
    return this.client("sqs", () => require("@aws-sdk/client-sqs").SQS);
  }
  get sts(): STS {
    return this.client("sts", () => require("@aws-sdk/client-sts").STS);
  }
  get timestream(): TimestreamWrite {
    return this.client("timestream", () => require("@aws-sdk/client-timestream-write").TimestreamWrite);
  }

  close(): void {
    for (const client of this.made.values()) client.destroy();
    this.made.clear();
  }

  private client<T extends { destroy(): void }>(
    name: string,
    load: () => new (settings: object) => T,
    more: object = {},
  ): T {
    const existing = this.made.get(name);
    if (existing) return existing as T;
    // forcePathStyle is S3's: a bucket's name in front of a local host would need DNS.
    // useQueueUrlAsEndpoint is SQS's: a queue URL may name a host that only the emulator's own network knows.
    const client = new (load())({
      ...this.settings,
      maxAttempts: 3,
      forcePathStyle: true,
      useQueueUrlAsEndpoint: false,
      ...more,
    });
    this.made.set(name, client);
    return client;
  }
}
