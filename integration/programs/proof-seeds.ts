import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { InlineFunction } from "../../components/inline-function";
import { consuming, triggerByQueue } from "../../components/queue-trigger";

/**
 * What the components came from: the ingest handler of Thingsee's guide and the broadcast loop of the articles on
 * WebSockets, with their mistakes. The proof has to see what they lose.
 */

const table = new aws.dynamodb.Table("readings", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "tuid",
  rangeKey: "timestamp",
  attributes: [
    { name: "tuid", type: "S" },
    { name: "timestamp", type: "N" },
  ],
});
const connections = new aws.dynamodb.Table("connections", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "lookupKey",
  rangeKey: "sortKey",
  attributes: [
    { name: "lookupKey", type: "S" },
    { name: "sortKey", type: "S" },
  ],
});
const letters = new aws.sqs.Queue("letters", {});
const queue = new aws.sqs.Queue("live", { visibilityTimeoutSeconds: 180 });

const ingest = new InlineFunction("ingest", {
  title: "the guide's handler",
  tracing: false,
  factory: () => {
    const dynamodb = new DynamoDBClient({});
    const sqs = new SQSClient({});
    return async (event: { body: string }) => {
      try {
        const messages = JSON.parse(event.body) as Record<string, unknown>[];
        for (const message of messages) {
          // One second, one item: a device's other messages of that second are written over.
          const Item = {
            tuid: { S: message.tsmTuid as string },
            timestamp: { N: String(message.tsmTs) },
            data: { S: JSON.stringify(message) },
          };
          await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE, Item }));
          const MessageBody = JSON.stringify(message);
          await sqs.send(new SendMessageCommand({ QueueUrl: process.env.LIVE_QUEUE, MessageBody }));
        }
        return { statusCode: 200, body: JSON.stringify({ status: "ok" }) };
      } catch (error) {
        await sqs.send(new SendMessageCommand({ QueueUrl: process.env.LETTERS, MessageBody: event.body }));
        throw error;
      }
    };
  },
  environment: { TABLE: table.name, LETTERS: letters.url, LIVE_QUEUE: queue.url },
  statements: [
    { actions: ["dynamodb:PutItem"], resources: [table.arn] },
    { actions: ["sqs:SendMessage"], resources: [letters.arn, queue.arn] },
  ],
});

const rest = new aws.apigateway.RestApi("thingsee", {});
const resource = new aws.apigateway.Resource("thingsee", {
  restApi: rest.id,
  parentId: rest.rootResourceId,
  pathPart: "thingsee",
});
const method = new aws.apigateway.Method("post", {
  restApi: rest.id,
  resourceId: resource.id,
  httpMethod: "POST",
  authorization: "NONE",
});
const integration = new aws.apigateway.Integration("post", {
  restApi: rest.id,
  resourceId: resource.id,
  httpMethod: method.httpMethod,
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  uri: ingest.function.invokeArn,
});
new aws.lambda.Permission("post", {
  action: "lambda:InvokeFunction",
  function: ingest.function.name,
  principal: "apigateway.amazonaws.com",
  sourceArn: pulumi.interpolate`${rest.executionArn}/*/*`,
});
const deployment = new aws.apigateway.Deployment("rest", { restApi: rest.id }, { dependsOn: [integration] });
const stage = new aws.apigateway.Stage("prod", { restApi: rest.id, deployment: deployment.id, stageName: "prod" });

const api = new aws.apigatewayv2.Api("live", {
  protocolType: "WEBSOCKET",
  routeSelectionExpression: "$request.body.action",
});
const liveStage = new aws.apigatewayv2.Stage("live", { apiId: api.id, name: "live", autoDeploy: true });

const connecting = new InlineFunction("connect", {
  title: "the article's connect",
  tracing: false,
  factory: () => {
    const dynamodb = new DynamoDBClient({});
    return async (event: {
      headers?: Record<string, string>;
      requestContext: { connectionId: string; eventType: string };
    }) => {
      const { connectionId, eventType } = event.requestContext;
      const Key = { lookupKey: { S: "CONNECTION" }, sortKey: { S: connectionId } };
      const TableName = process.env.TABLE;
      if (eventType === "DISCONNECT") {
        await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
        return { statusCode: 200 };
      }
      await dynamodb.send(new PutItemCommand({ TableName, Item: Key }));
      // The article gives back the token itself, which only works where nothing else is offered.
      const [offered = ""] = (event.headers?.["Sec-WebSocket-Protocol"] ?? "").split(",");
      return { statusCode: 200, headers: { "Sec-WebSocket-Protocol": offered } };
    };
  },
  environment: { TABLE: connections.name },
  statements: [{ actions: ["dynamodb:PutItem", "dynamodb:DeleteItem"], resources: [connections.arn] }],
});

const broadcasting = new InlineFunction("broadcast", {
  title: "the article's broadcast",
  tracing: false,
  timeout: 30,
  factory: () => {
    const dynamodb = new DynamoDBClient({});
    const management = new ApiGatewayManagementApiClient({ endpoint: process.env.MANAGEMENT });
    return async (event: { Records: { body: string }[] }) => {
      const { Items = [] } = await dynamodb.send(
        new QueryCommand({
          TableName: process.env.TABLE,
          KeyConditionExpression: "lookupKey = :key",
          ExpressionAttributeValues: { ":key": { S: "CONNECTION" } },
        }),
      );
      for (const { sortKey } of Items) {
        try {
          for (const { body } of event.Records) {
            JSON.parse(body);
            await management.send(new PostToConnectionCommand({ ConnectionId: sortKey?.S, Data: body }));
          }
        } catch (error) {
          // One record that is no JSON, one post that fails: the rest of the batch is forgotten.
          console.error("Failed broadcast", (error as Error).name);
        }
      }
      return { statusCode: 200 };
    };
  },
  environment: {
    TABLE: connections.name,
    MANAGEMENT: liveStage.invokeUrl.apply((address) => address.replace(/^ws/, "http")),
  },
  statements: [
    { actions: ["dynamodb:Query"], resources: [connections.arn] },
    { actions: ["execute-api:ManageConnections"], resources: [pulumi.interpolate`${api.executionArn}/live/POST/*`] },
    consuming(queue),
  ],
});
triggerByQueue("broadcast", queue, broadcasting, { functionResponseTypes: [] }, {});

for (const routeKey of ["$connect", "$disconnect"]) {
  const name = routeKey.slice(1);
  const target = new aws.apigatewayv2.Integration(name, {
    apiId: api.id,
    integrationType: "AWS_PROXY",
    integrationUri: connecting.function.invokeArn,
  });
  new aws.apigatewayv2.Route(name, { apiId: api.id, routeKey, target: pulumi.interpolate`integrations/${target.id}` });
  new aws.lambda.Permission(name, {
    action: "lambda:InvokeFunction",
    function: connecting.function.name,
    principal: "apigateway.amazonaws.com",
    sourceArn: pulumi.interpolate`${api.executionArn}/*/${routeKey}`,
  });
}

export const url = pulumi.interpolate`${stage.invokeUrl}/thingsee`;
export const apiKey = "";
export const tableName = table.name;
export const liveUrl = liveStage.invokeUrl;
export const liveQueueUrl = queue.url;
export const deadLetterQueueUrls = [letters.url];
export const functionNames = { receive: ingest.function.name, broadcast: broadcasting.function.name };
