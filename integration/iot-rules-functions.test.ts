import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { AddThingToThingGroupCommand, CreateThingCommand, CreateThingGroupCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, UpdateThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test, vi } from "vitest";
import { keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { useRemoteFunctions } from "./harness/remote-function";
import { template, useRules } from "./harness/rules";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (_error, where) => faults.push(where) });
const kinesis = useKinesis(emulator);
const rules = useRules(emulator);
const remote = useRemoteFunctions();
const { roleArn } = rules;

const allow = (lambda: LambdaClient, FunctionName: string, SourceArn: string) =>
  lambda.send(
    new AddPermissionCommand({
      ...{ FunctionName, SourceArn, StatementId: "rule", Action: "lambda:InvokeFunction" },
      Principal: "iot.amazonaws.com",
    }),
  );

test("lets a statement ask a function, and lets no later message of the topic pass the one that waits", async () => {
  const lambda = new LambdaClient(settings(emulator.current));
  const [queue, fn] = [await rules.queue(), await makeFunction(lambda, "ask", remote.code("ask"))];
  const { arn } = await rules.create([queue.action], {
    sql: `SELECT CASE n WHEN 1 THEN aws_lambda('${fn}', n) ELSE n END AS answer FROM 'asking/+'`,
  });
  await allow(lambda, "ask", arn);
  await rules.publish("asking/a", { n: 1 });
  const run = await remote.next("ask");
  await rules.publish("asking/a", { n: 2 });
  await rules.publish("asking/b", { n: 3 });
  expect(await queue.take(1)).toEqual(['{"answer":3}']);
  expect(run.event).toBe(1);
  run.succeed({ one: 1 });
  expect(await queue.take(2)).toEqual(['{"answer":{"one":1}}', '{"answer":2}']);
});

test("loses no message silently whose statement asks a function that is closed to the rule", async () => {
  const lambda = new LambdaClient(settings(emulator.current));
  const [queue, fn] = [await rules.queue(), await makeFunction(lambda, "closed", remote.code("closed"))];
  await rules.create([queue.action], { sql: `SELECT aws_lambda('${fn}', n) AS answer FROM 'closed'` });
  faults.length = 0;
  await rules.publish("closed", { n: 1 });
  await vi.waitFor(() => expect(faults).toEqual([expect.stringMatching("the statement of rule")]));
  expect(remote.waiting("closed")).toBe(0);
});

test("lets statements and templates ask the shadow of a thing and a table", async () => {
  const options = settings(emulator.current);
  const data = new IoTDataPlaneClient(options);
  const dynamodb = new DynamoDBClient(options);
  const payload = JSON.stringify({ state: { desired: { color: "red" } } });
  await data.send(new UpdateThingShadowCommand({ thingName: "lamp", payload: Buffer.from(payload) }));
  await dynamodb.send(new CreateTableCommand({ TableName: "places", ...keyed("N") }));
  const item = { pk: { S: "lamp" }, sk: { N: "3" }, room: { M: { name: { S: "hall" }, size: { N: "12.5" } } } };
  await dynamodb.send(new PutItemCommand({ TableName: "places", Item: item }));
  const streamName = await kinesis.stream();
  const place = `get_dynamodb('places', 'pk', topic(2), 'sk', n, '${roleArn}')`;
  const shadow = `get_thing_shadow(topic(2), '${roleArn}')`;
  await rules.create([{ kinesis: { roleArn, streamName, partitionKey: template(`${place}.room.name`) } }], {
    sql: `SELECT ${shadow}.state.desired.color AS color, ${place}.room.size AS size FROM 'placed/+'`,
  });
  await rules.publish("placed/lamp", { n: 3 });
  await expect.poll(() => kinesis.read(streamName), { interval: 250 }).toEqual(['{"color":"red","size":12.5}']);
  const { Records } = await kinesis.get(await kinesis.iterator(streamName));
  expect(Records![0]!.PartitionKey).toBe("hall");
});

test("lets statements ask the registry for a thing and its groups", async () => {
  const queue = await rules.queue();
  for (const thingName of ["lamp", "fan"]) {
    const attributePayload = { attributes: { room: `of-${thingName}` } };
    await rules.iot.send(new CreateThingCommand({ thingName, attributePayload }));
  }
  await rules.iot.send(new CreateThingGroupCommand({ thingGroupName: "lights" }));
  await rules.iot.send(new AddThingToThingGroupCommand({ thingGroupName: "lights", thingName: "lamp" }));
  const registry = (api: string) => `get_registry_data('${api}', topic(2), '${roleArn}')`;
  await rules.create([queue.action], {
    sql: `SELECT ${registry("DescribeThing")}.attributes.room AS room,
      (SELECT VALUE groupName FROM ${registry("ListThingGroupsForThing")}.thingGroups) AS groups FROM 'registered/+'`,
  });
  await rules.publish("registered/lamp", {});
  expect(await queue.take(1)).toEqual(['{"room":"of-lamp","groups":["lights"]}']);
  await rules.publish("registered/fan", {});
  expect(await queue.take(1)).toEqual(['{"room":"of-fan","groups":[]}']);
});
