import { once } from "node:events";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect, it, onTestFinished, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { Grants, type Way } from "./harness/grants";
import { handshake, openSocket } from "./harness/sockets";

interface Outputs {
  liveUrl: string;
  liveQueueUrl: string;
}

vi.setConfig({ testTimeout: 60_000 });
const deployed = useDeployed<Outputs>("permissions");
/** A message that was not broadcast comes again after three minutes. */
const grantsOf = () => new Grants(deployed.current, "185 seconds");

const protocols = ["sensorcast.v1", "a-token"];
const connect = () => openSocket(deployed.current.outputs.liveUrl, protocols);
const connected: Way = {
  send: async () => {
    const status = await handshake(deployed.current.outputs.liveUrl, protocols);
    return () => status === 101;
  },
};

/** A client's question is answered with a frame of this type. */
const answered = (frame: object, type: string): Way => ({
  send: async () => {
    const client = await connect();
    const heard = once(client.socket, "message");
    client.socket.send(JSON.stringify(frame));
    const [reply] = (await heard) as [Buffer];
    await client.close();
    return () => (JSON.parse(String(reply)) as { type?: string }).type === type;
  },
});
const subscribed = answered({ action: "subscribe", devices: ["*"] }, "subscribed");

const send = (grants: Grants, MessageBody: string) =>
  grants.sqs.send(new SendMessageCommand({ QueueUrl: deployed.current.outputs.liveQueueUrl, MessageBody }));

let count = 0;
/** So many clients see a record of the queue. */
const shownTo = (grants: Grants, clients: number): Way => ({
  comesAgain: true,
  send: async () => {
    // Those of before are gone.
    await deployed.current.emulator.clock.idle();
    const browsers = await Promise.all(Array.from({ length: clients }, connect));
    for (const browser of browsers) {
      onTestFinished(() => browser.close());
      await browser.ask({ action: "subscribe", devices: ["*"] });
    }
    const device = `shown-${++count}`;
    await send(grants, JSON.stringify({ deviceId: device }));
    return async () => {
      const isShown = browsers.every(({ records }) => records.some((record) => record.device === device));
      if (isShown) await Promise.all(browsers.map((browser) => browser.close()));
      return isShown;
    };
  },
});

/** A client leaves no row behind. */
const forgotten = (grants: Grants): Way => ({
  send: async () => {
    const before = grants.count("live-connections", "table:Table");
    await (await connect()).close();
    return () => grants.count("live-connections", "table:Table") === before;
  },
});

it("the function behind $connect needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("live-connect", {
    ...grants.ofFunction("live-connect"),
    "dynamodb:BatchWriteItem …:table/live-": connected,
  });
});

it("the function behind $disconnect needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("live-disconnect", {
    ...grants.ofFunction("live-disconnect"),
    "dynamodb:Query …:table/live-": forgotten(grants),
  });
});

it("the function that answers clients needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("live-actions", {
    ...grants.ofFunction("live-actions"),
    "dynamodb:Query …:table/live-": subscribed,
    "sqs:SendMessage …:live-queue": answered({ action: "message", data: "hello" }, "sent"),
  });
});

it("the function that broadcasts needs each of its statements", async () => {
  const grants = grantsOf();
  const shown = shownTo(grants, 1);
  await grants.expectRole("live-broadcast", {
    ...grants.ofFunction("live-broadcast"),
    "dynamodb:Query …:table/live-": shown,
    "execute-api:ManageConnections": shown,
    "sqs:SendMessage …:live-dead-letters-…,…:live-fan-out-": {
      ...grants.filling(() => send(grants, "{"), "live-dead-letters", "queue:Queue"),
      comesAgain: true,
    },
    "sqs:ReceiveMessage …:live-queue": shown,
  });
});

it("the function that broadcasts to many needs each of its statements", async () => {
  const grants = grantsOf();
  const shown = shownTo(grants, 2);
  await grants.expectRole("live-fan-out", {
    ...grants.ofFunction("live-fan-out"),
    "dynamodb:Query …:table/live-": shown,
    "execute-api:ManageConnections": shown,
    "sqs:ReceiveMessage …:live-fan-out": shown,
  });
});

it("a broadcast to many may forget a client that went without a word", async () => {
  const grants = grantsOf();
  const { clock, faults } = deployed.current.emulator;
  await clock.idle();
  const rows = () => grants.count("live-connections", "table:Table");
  const before = rows();
  const clients = [await connect(), await connect(), await connect()];
  for (const client of clients) {
    onTestFinished(() => client.close());
    await client.ask({ action: "subscribe", devices: ["*"] });
  }
  const each = (rows() - before) / clients.length;
  const fault = faults.inject({ fault: "crash", resource: grants.functionName("live-disconnect"), count: 1 });
  await clients[0]!.close();
  await clock.idle();
  expect(fault.hits).toBe(1);
  expect(rows()).toBe(before + 3 * each);
  await send(grants, '{"deviceId":"any"}');
  await grants.settle();
  expect(rows()).toBe(before + 2 * each);
});

it("the authorizer and an action of one's own need each of their statements", async () => {
  const grants = grantsOf();
  for (const name of ["live-authorizer", "live-action-hello"]) await grants.expectRole(name, grants.ofFunction(name));
});

it("API Gateway needs its permission to invoke each function", async () => {
  const grants = grantsOf();
  await grants.expectPermissions("live-authorizer", connected);
  await grants.expectPermissions("live-connect", connected);
  await grants.expectPermissions("live-disconnect", forgotten(grants));
  await grants.expectPermissions("live-actions", subscribed);
  await grants.expectPermissions("live-action-hello", answered({ action: "hello" }, "welcome"));
});

it("no other role has statements", () => {
  expect(grantsOf().roles("live")).toEqual([
    "live-action-hello",
    "live-actions",
    "live-authorizer",
    "live-broadcast",
    "live-connect",
    "live-disconnect",
    "live-fan-out",
  ]);
});
