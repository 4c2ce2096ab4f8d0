import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { expect, it, onTestFinished, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { Grants, type Way } from "./harness/grants";
import { openSocket } from "./harness/sockets";

interface Outputs {
  liveUrl: string;
}

// The emulator reports what a rule may not do as what is lost.
vi.setConfig({ testTimeout: 60_000 });
const deployed = useDeployed<Outputs>("permissions", undefined, { onFault: () => {} });
const grantsOf = () => new Grants(deployed.current, "5 seconds");

let count = 0;
const publish = async (payload: string, topic = "devices/sensor/telemetry") => {
  const data = new IoTDataPlaneClient(settings(deployed.current.emulator));
  await data.send(new PublishCommand({ topic, payload: Buffer.from(payload), qos: 1 }));
};
const publishOne = () => publish(`{"n":${++count}}`);

const table = ["fleet-table", "table:Table"] as const;
const theirs = ["theirs", "table:Table"] as const;
const archive = ["fleet-archive-bucket", "bucket:Bucket"] as const;
const letters = ["fleet-dead-letters", "queue:Queue"] as const;
const failures = ["fleet-failures", "queue:Queue"] as const;

/** A browser sees the message of a device. */
const shown = (send: (device: string) => Promise<unknown>): Way => ({
  send: async () => {
    const browser = await openSocket(deployed.current.outputs.liveUrl, ["sensorcast.v1", "a-token"]);
    onTestFinished(() => browser.close());
    await browser.ask({ action: "subscribe", devices: ["*"] });
    const device = `shown-${++count}`;
    await send(device);
    return () => browser.records.some((record) => record.device === device);
  },
});
const telemetry = (device: string) => publish("{}", `devices/${device}/telemetry`);

it("the role of the topic rule needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("fleet-rule", {
    "kinesis:PutRecord": grants.filling(publishOne, ...table),
    "sqs:SendMessage …:fleet-dead-letters": grants.filling(() => unstreamed(grants, publishOne), ...letters),
  });
});

it("the role of a topic rule without a stream needs each of its statements", async () => {
  const grants = grantsOf();
  const measure = () => publish("{}", "meters/one/data");
  const refused = async () => {
    const resource = grants.output("meters-table", "table:Table");
    const call = { service: "dynamodb", operation: "PutItem", resource, code: "ResourceNotFoundException" };
    const fault = deployed.current.emulator.faults.inject({ fault: "error", ...call });
    await measure();
    await grants.settle();
    fault.remove();
  };
  await grants.expectRole("meters-rule", {
    "dynamodb:PutItem": grants.filling(measure, "meters-table", "table:Table"),
    "sqs:SendMessage …:meters-dead-letters": grants.filling(refused, "meters-dead-letters", "queue:Queue"),
  });
});

it("the function that empties the stream needs each of its statements", async () => {
  const grants = grantsOf();
  const filled = (...where: Parameters<Grants["count"]>) => grants.filling(publishOne, ...where);
  await grants.expectRole("fleet-consume", {
    ...grants.ofFunction("fleet-consume"),
    "kinesis:DescribeStream": { ...filled(...table), comesAgain: true },
    "sqs:SendMessage …:fleet-dead-letters-…,…:fleet-failures-": {
      ...grants.filling(() => publish("no JSON"), ...letters),
      comesAgain: true,
    },
    "dynamodb:Query …:table/fleet-progress-": { ...filled(...table), comesAgain: true },
    "dynamodb:BatchWriteItem …:table/fleet-table-": filled(...table),
    "dynamodb:BatchWriteItem …:table/theirs-": filled(...theirs),
    "s3:PutObject": filled(...archive),
    "sqs:SendMessage …:live-queue": shown(telemetry),
  });
});

it("the function that replays needs each of its statements", async () => {
  const grants = grantsOf();
  const replay = (from: "deadLetters" | "failures") => {
    // As many as there are: after them, it would wait for more.
    const max = from === "failures" ? grants.count(...failures) : grants.count(...letters);
    return grants.invoke("fleet-replay", { from, max }).catch(() => undefined);
  };
  const replayed = async (send: () => Promise<unknown>) => {
    await unstreamed(grants, send);
    await replay("deadLetters");
  };
  const revived = async (payload: string) => {
    await lost(grants, () => publish(payload));
    await replay("failures");
  };
  const stored = grants.filling(() => replayed(publishOne), ...table);
  await grants.expectRole("fleet-replay", {
    ...grants.ofFunction("fleet-replay"),
    "kinesis:GetRecords": grants.filling(() => revived("{}"), ...table),
    "sqs:ReceiveMessage …:fleet-dead-letters-…,…:fleet-failures-": stored,
    "sqs:SendMessage …:fleet-dead-letters": grants.filling(() => revived("no JSON"), ...letters),
    "dynamodb:BatchWriteItem …:table/fleet-table-": stored,
    "dynamodb:BatchWriteItem …:table/theirs-": grants.filling(() => replayed(publishOne), ...theirs),
    "s3:PutObject": grants.filling(() => replayed(publishOne), ...archive),
    "sqs:SendMessage …:live-queue": shown((device) => replayed(() => telemetry(device))),
  });
});

it("no other role has statements", () => {
  expect(grantsOf().roles("fleet")).toEqual(["fleet-consume", "fleet-replay", "fleet-rule"]);
  expect(grantsOf().roles("meters")).toEqual(["meters-rule"]);
});

/** Sends something that the stream does not take. */
async function unstreamed(grants: Grants, send: () => Promise<unknown>): Promise<void> {
  const resource = grants.output("fleet-stream", "stream:Stream");
  const call = { service: "kinesis", operation: "PutRecord", resource, code: "ResourceNotFoundException" };
  const fault = deployed.current.emulator.faults.inject({ fault: "error", ...call });
  await send();
  await grants.settle();
  expect(fault.hits).toBeGreaterThan(0);
  fault.remove();
}

/** Sends something on which the function dies until it is given up. */
async function lost(grants: Grants, send: () => Promise<unknown>): Promise<void> {
  const resource = grants.functionName("fleet-consume");
  const fault = deployed.current.emulator.faults.inject({ fault: "crash", service: "lambda", resource });
  const before = grants.count(...failures);
  await send();
  await deployed.current.emulator.clock.idle();
  await deployed.current.emulator.clock.advance("1 minute");
  fault.remove();
  expect(grants.count(...failures)).toBeGreaterThan(before);
}
