import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTopicRuleCommand, IoTClient } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { CreateEventSourceMappingCommand, LambdaClient, RemovePermissionCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { proxyTo, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator({ enforceIam: false });

it("without enforcement everything works with roles that were never made, and functions whose policy lets nobody in", async () => {
  const options = settings(emulator.current);
  const lambda = new LambdaClient(options);
  const sqs = new SQSClient(options);
  const logs = new CloudWatchLogs(options);
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "jobs" }));
  const Role = "arn:aws:iam::000000000000:role/nobody-made-this";
  const code = `exports.handler = async (event) => {
    console.log("LINE", event.httpMethod ?? event.Records[0].body);
    return { statusCode: 204 };
  }`;
  const fn = await makeFunction(lambda, "open", code, {
    Role,
    TracingConfig: { Mode: "Active" },
    DeadLetterConfig: { TargetArn: "arn:aws:sqs:eu-west-1:000000000000:lost" },
  });
  const api = await RestApiBuilder.create(new APIGatewayClient(options), emulator.current);
  await api.add("GET /", { integration: proxyTo(fn) });
  await lambda.send(new RemovePermissionCommand({ FunctionName: "open", StatementId: "apigateway" }));
  expect((await fetch(await api.deploy())).status).toBe(204);

  const EventSourceArn = "arn:aws:sqs:eu-west-1:000000000000:jobs";
  await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "open", EventSourceArn }));
  const action = { sqs: { roleArn: Role, queueUrl } };
  const topicRulePayload = { sql: "SELECT VALUE n FROM 'numbers'", awsIotSqlVersion: "2016-03-23", actions: [action] };
  await new IoTClient(options).send(new CreateTopicRuleCommand({ ruleName: "numbers", topicRulePayload }));
  const payload = Buffer.from('{"n":7}');
  await new IoTDataPlaneClient(options).send(new PublishCommand({ topic: "numbers", payload }));

  const lines = async () => {
    const { events = [] } = await logs.filterLogEvents({ logGroupName: "/aws/lambda/open", filterPattern: "LINE" });
    return events.map(({ message = "" }) => message.trim().split(/\s+/).at(-1)).sort();
  };
  await expect.poll(lines).toEqual(["7", "GET"]);
  expect(emulator.current.denials).toEqual([]);
});
