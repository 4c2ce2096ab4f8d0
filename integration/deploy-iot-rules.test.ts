import * as Iot from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { useKinesis } from "./harness/kinesis";
import { template } from "./harness/rules";
import { takeUntil } from "./harness/topics";

interface Outputs {
  ruleName: string;
  ruleArn: string;
  streamName: string;
  failedUrl: string;
}

const rules = { partitionKey: template("topic(2)") };
const deployed = useDeployed<Outputs>("topic-rules", () => ({ rules }));
const kinesis = useKinesis({
  get current() {
    return deployed.current.emulator;
  },
});

const clients = () => {
  const { emulator, outputs } = deployed.current;
  const options = settings(emulator);
  const data = new IoTDataPlaneClient(options);
  return {
    iot: new Iot.IoTClient(options),
    sqs: new SQSClient(options),
    publish: (topic: string, payload: object) =>
      data.send(new PublishCommand({ topic, payload: Buffer.from(JSON.stringify(payload)) })),
    ...outputs,
  };
};

/** What is in both shards. */
const records = async (streamName: string) => {
  const shards = await kinesis.shards(streamName);
  return (await Promise.all(shards.map(({ ShardId }) => kinesis.read(streamName, { ShardId })))).flat();
};

it("deploys a rule that puts messages into a stream", async () => {
  const { iot, publish, ruleName, ruleArn, streamName } = clients();
  expect(ruleName).toMatch(/^to_kinesis_[0-9a-f]{7}$/);
  await publish("devices/a/up", { n: 1 });
  await expect.poll(() => records(streamName), { interval: 250 }).toEqual(['{"n":1,"device":"a"}']);
  const { tags } = await iot.send(new Iot.ListTagsForResourceCommand({ resourceArn: ruleArn }));
  expect(tags).toEqual(
    expect.arrayContaining([
      { Key: "purpose", Value: "a test of rules" },
      { Key: "enabled", Value: "true" },
    ]),
  );
});

it("changes the rule in place, switches it, and takes it away", async () => {
  const { iot, sqs, publish, ruleName, ruleArn, failedUrl } = clients();
  const rule = async () => (await iot.send(new Iot.GetTopicRuleCommand({ ruleName }))).rule;
  const { stack } = deployed.current;
  const sql = "SELECT * FROM 'others/+'";
  const changed = await stack.update({ config: { rules: { ...rules, sql, stream: "missing" } } });
  expect(changed.outputs.ruleArn?.value).toBe(ruleArn);
  await publish("others/b", { n: 2 });
  const report = JSON.parse((await takeUntil(sqs, failedUrl, 1))[0]!.Body!);
  expect(report).toMatchObject({ ruleName, topic: "others/b", failures: [{ failedAction: "KinesisAction" }] });

  const level = async () => (await iot.send(new Iot.GetV2LoggingOptionsCommand({}))).defaultLogLevel;
  expect(await level()).toBe("ERROR");
  const off = await changed.update({ config: { rules: { ...rules, sql, enabled: false } } });
  expect(await rule()).toMatchObject({ sql, ruleDisabled: true });
  expect(await level()).toBe("INFO");
  await off.destroy();
  await expect(rule()).rejects.toThrow("denied");
});
