import { expect, it, onTestFinished, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { Grants, type Way } from "./harness/grants";
import { openSocket } from "./harness/sockets";

interface Outputs {
  url: string;
  liveUrl: string;
}

vi.setConfig({ testTimeout: 60_000 });
const deployed = useDeployed<Outputs>("permissions");
const grantsOf = () => new Grants(deployed.current, "5 seconds");

let count = 0;
const message = (fields: object = {}) => ({
  ...{ tsmId: 12100, tsmEv: 10, tsmTs: 1_767_225_600 + ++count, tsmTuid: `device-${count}`, temp: 21 },
  ...fields,
});
const LARGE = 1_100_000;

async function post(body: string): Promise<number> {
  const { url } = deployed.current.outputs;
  const answer = await fetch(url, { method: "POST", body, headers: { authorization: "a-token" } });
  await answer.arrayBuffer();
  return answer.status;
}
const postOne = (fields?: object) => post(JSON.stringify(message(fields)));

/** A way on which a browser gets what is sent. */
const shown = (send: (tsmTuid: string) => Promise<unknown>): Way => ({
  send: async () => {
    const browser = await openSocket(deployed.current.outputs.liveUrl, ["sensorcast.v1", "a-token"]);
    onTestFinished(() => browser.close());
    await browser.ask({ action: "subscribe", devices: ["*"] });
    const device = `shown-${++count}`;
    await send(device);
    return () => browser.records.some((record) => record.device === device);
  },
});

it("the function behind POST needs each of its statements", async () => {
  const grants = grantsOf();
  const letters = ["ingest-dead-letters", "queue:Queue"] as const;
  const keptLetters = ["ingest-dead-letters-bucket", "bucket:Bucket"] as const;
  await grants.expectRole("ingest-receive", {
    ...grants.ofFunction("ingest-receive"),
    "dynamodb:BatchWriteItem …:table/ingest-": grants.filling(() => postOne(), "ingest-table", "table:Table"),
    "sqs:SendMessage …:live-": shown((tsmTuid) => postOne({ tsmTuid })),
    "s3:PutObject …:ingest-archive-": grants.filling(() => postOne(), "ingest-archive-bucket", "bucket:Bucket"),
    "sqs:SendMessage …:ingest-dead-letters": grants.filling(() => postOne({ tsmTs: "yesterday" }), ...letters),
    "s3:PutObject …:ingest-dead-letters-": grants.filling(() => post("x".repeat(LARGE)), ...keptLetters),
  });
});

it("the function that replays dead letters needs each of its statements", async () => {
  const grants = grantsOf();
  const { faults } = deployed.current.emulator;
  /** Replays a letter of what a call has refused, which it does not refuse a second time. */
  const replayed = async (
    refusing: { service: string; operation: string; resource: string; code: string },
    body: string,
  ) => {
    const fault = faults.inject({ fault: "error", count: 1, ...refusing });
    expect(await post(body)).toBe(200);
    expect(fault.hits).toBe(1);
    // As many as there are: after them, it would wait for more.
    const max = grants.count("ingest-dead-letters", "queue:Queue");
    await grants.invoke("ingest-replay", { max }).catch(() => undefined);
  };
  const noTable = {
    ...{ service: "dynamodb", operation: "BatchWriteItem", code: "ResourceNotFoundException" },
    resource: grants.output("ingest-table", "table:Table"),
  };
  const noQueue = {
    ...{ service: "sqs", operation: "SendMessage", code: "InvalidMessageContents" },
    resource: grants.output("live-queue", "queue:Queue"),
  };
  const noArchive = {
    ...{ service: "s3", operation: "PutObject", code: "InvalidRequest" },
    resource: `${grants.output("ingest-archive-bucket", "bucket:Bucket")}/*`,
  };
  const one = () => JSON.stringify(message());
  const stored = grants.filling(() => replayed(noTable, one()), "ingest-table", "table:Table");
  /** A letter so large that most of it is in the bucket. */
  const opened: Way = {
    send: async () => {
      const before = grants.count("ingest-dead-letters-bucket", "bucket:Bucket");
      await replayed(noArchive, one() + " ".repeat(LARGE));
      return () => grants.count("ingest-dead-letters-bucket", "bucket:Bucket") <= before;
    },
  };
  await grants.expectRole("ingest-replay", {
    ...grants.ofFunction("ingest-replay"),
    "dynamodb:BatchWriteItem …:table/ingest-": stored,
    "sqs:SendMessage …:live-": shown((tsmTuid) => replayed(noQueue, JSON.stringify(message({ tsmTuid })))),
    "s3:PutObject …:ingest-archive-": grants.filling(
      () => replayed(noArchive, one()),
      ...(["ingest-archive-bucket", "bucket:Bucket"] as const),
    ),
    "sqs:ReceiveMessage …:ingest-dead-letters": stored,
    "s3:GetObject …:ingest-dead-letters-": opened,
  });
});

it("the authorizer needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("ingest-authorizer", grants.ofFunction("ingest-authorizer"));
});

it("API Gateway needs its permission to invoke each function", async () => {
  const grants = grantsOf();
  const stored = grants.filling(() => postOne(), "ingest-table", "table:Table");
  await grants.expectPermissions("ingest-receive", stored);
  await grants.expectPermissions("ingest-authorizer", stored);
});

it("no other role has statements", () => {
  expect(grantsOf().roles("ingest")).toEqual(["ingest-authorizer", "ingest-receive", "ingest-replay"]);
});
