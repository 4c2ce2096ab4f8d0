import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteSubscriptionFilterCommand,
  DescribeSubscriptionFiltersCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { letInvoke } from "./harness/permissions";

const emulator = useEmulator();
let logs: CloudWatchLogsClient;
const logGroupName = "app";
const write = (...messages: string[]) =>
  logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName: "s",
      logEvents: messages.map((message) => ({ message, timestamp: emulator.current.clock.now() })),
    }),
  );

beforeAll(async () => {
  logs = new CloudWatchLogsClient(settings(emulator.current));
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
});

/** A function that prints what a subscription brings it. */
async function makeSink(): Promise<string> {
  const lambda = new LambdaClient(settings(emulator.current));
  const code = `exports.handler = async ({ awslogs }) => {
    console.log("SINK " + require("node:zlib").gunzipSync(Buffer.from(awslogs.data, "base64")).toString());
  };`;
  const functionArn = await makeFunction(lambda, "sink", code);
  await letInvoke(lambda, functionArn, "logs");
  return functionArn;
}

describe("a subscription filter", () => {
  it("brings matching events to its function, gzipped as on AWS, until it is deleted", async () => {
    const destinationArn = await makeSink();
    const filter = { logGroupName, filterName: "errors", filterPattern: "ERROR" };
    await logs.send(new PutSubscriptionFilterCommand({ ...filter, destinationArn }));
    const { subscriptionFilters } = await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName }));
    expect(subscriptionFilters).toEqual([
      {
        ...filter,
        destinationArn,
        distribution: "ByLogStream",
        applyOnTransformedLogs: false,
        creationTime: expect.any(Number),
      },
    ]);
    await write("ERROR one", "fine");

    const brought = async () => {
      const { events = [] } = await logs
        .send(new FilterLogEventsCommand({ logGroupName: "/aws/lambda/sink", filterPattern: "SINK" }))
        .catch(() => ({ events: [] }));
      return events.map(({ message = "" }) => JSON.parse(message.slice(message.indexOf("{"))));
    };
    await expect.poll(brought, { timeout: 10_000 }).toHaveLength(1);
    expect((await brought())[0]).toMatchObject({
      messageType: "DATA_MESSAGE",
      owner: "000000000000",
      logGroup: logGroupName,
      logStream: "s",
      subscriptionFilters: ["errors"],
      logEvents: [{ message: "ERROR one", id: expect.stringMatching(/^\d{56}$/), timestamp: expect.any(Number) }],
    });

    await logs.send(new DeleteSubscriptionFilterCommand({ logGroupName, filterName: "errors" }));
    await expect(
      logs.send(new DeleteSubscriptionFilterCommand({ logGroupName, filterName: "errors" })),
    ).rejects.toThrow("The specified subscription filter does not exist.");
    await write("ERROR two");
    await logs.send(new PutSubscriptionFilterCommand({ ...filter, filterName: "again", destinationArn }));
    await write("ERROR three");
    await expect.poll(brought, { timeout: 10_000 }).toHaveLength(2);
    expect((await brought())[1]).toMatchObject({ logEvents: [{ message: "ERROR three" }] });
  });
});
