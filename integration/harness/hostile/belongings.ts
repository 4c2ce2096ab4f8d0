import {
  APIGatewayClient,
  CreateResourceCommand,
  CreateRestApiCommand,
  PutMethodCommand,
} from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateApiCommand } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutRuleCommand } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { CreateStreamCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, CreateMultipartUploadCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  CreateDatabaseCommand,
  CreateTableCommand as CreateTimestreamTableCommand,
  TimestreamWriteClient,
} from "@aws-sdk/client-timestream-write";
import { settings } from "../emulator";
import { answer, makeFunction } from "../functions";
import { trustOf } from "../policies";

/** The account that the hostile calls come from. */
export const hostileAccount = "111111111111";

/** The one name of all that it has. */
const name = "hostile";

/**
 * Gives the account one of everything, so that its calls get beyond "not found"; gives the ids that AWS makes.
 */
export async function makeBelongings(endpoint: string): Promise<string[]> {
  const own = settings({ endpoint }, { accessKeyId: hostileAccount });
  const clients: { destroy(): void }[] = [];
  const open = <Client extends { destroy(): void }>(client: Client) => {
    clients.push(client);
    return client;
  };
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  });
  await open(new IAMClient(own)).send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trustOf({ AWS: "*" }) }),
  );
  const sqs = open(new SQSClient(own));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hi" }));
  const s3 = open(new S3Client(own));
  await s3.send(
    new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }),
  );
  await s3.send(new PutObjectCommand({ Bucket: name, Key: name, Body: "hi" }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: name, Key: name }));
  const dynamodb = open(new DynamoDBClient(own));
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: name, AttributeType: "S" }],
      KeySchema: [{ AttributeName: name, KeyType: "HASH" }],
    }),
  );
  await dynamodb.send(new PutItemCommand({ TableName: name, Item: { [name]: { S: name } } }));
  await open(new KinesisClient(own)).send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
  const { TopicArn } = await open(new SNSClient(own)).send(new CreateTopicCommand({ Name: name }));
  const logs = open(new CloudWatchLogsClient(own));
  await logs.send(new CreateLogGroupCommand({ logGroupName: name }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: name, logStreamName: name }));
  await makeFunction(open(new LambdaClient(own)), name, answer({}), {
    Role: `arn:aws:iam::${hostileAccount}:role/${name}`,
  });
  const rest = open(new APIGatewayClient(own));
  const { id: restApiId, rootResourceId } = await rest.send(new CreateRestApiCommand({ name }));
  const { id: resourceId } = await rest.send(
    new CreateResourceCommand({ restApiId, parentId: rootResourceId, pathPart: name }),
  );
  await rest.send(new PutMethodCommand({ restApiId, resourceId, httpMethod: "GET", authorizationType: "NONE" }));
  const { ApiId } = await open(new ApiGatewayV2Client(own)).send(
    new CreateApiCommand({ Name: name, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action" }),
  );
  const iot = open(new IoTClient(own));
  await iot.send(new CreateThingCommand({ thingName: name }));
  await iot.send(new CreatePolicyCommand({ policyName: name, policyDocument: policy }));
  await iot.send(
    new CreateTopicRuleCommand({
      ruleName: name,
      topicRulePayload: {
        sql: "SELECT * FROM 'a'",
        actions: [{ republish: { roleArn: `arn:aws:iam::${hostileAccount}:role/${name}`, topic: "b" } }],
      },
    }),
  );
  const { certificateId, certificateArn } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const cognito = open(new CognitoIdentityProviderClient(own));
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: name }));
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({ UserPoolId: UserPool!.Id, ClientName: name }),
  );
  await open(new EventBridgeClient(own)).send(new PutRuleCommand({ Name: name, ScheduleExpression: "rate(1 day)" }));
  const timestream = open(new TimestreamWriteClient(own));
  await timestream.send(new CreateDatabaseCommand({ DatabaseName: name }));
  await timestream.send(new CreateTimestreamTableCommand({ DatabaseName: name, TableName: name }));
  for (const client of clients) client.destroy();
  const made = [
    QueueUrl,
    UploadId,
    TopicArn,
    restApiId,
    rootResourceId,
    resourceId,
    ApiId,
    certificateId,
    certificateArn,
    UserPool!.Id,
    UserPoolClient!.ClientId,
  ];
  return made.map((id) => id!);
}
