import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { Deployment } from "../deploy";
import type { Figure } from "./report";
import type { Started } from "./servers";
import { connectAll, latency, until } from "./viewers";

const settings = { region: "eu-west-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

let counter = 0;
const messages = (count: number) =>
  JSON.stringify(
    Array.from({ length: count }, () => ({
      ...{ tsmId: 12100, tsmEv: 10, tsmTs: 1_600_000_000 + counter, tsmTuid: `T${counter++ % 40}`, temp: 21.3 },
    })),
  );

/** What a deployed stack is reached by. */
interface Stack {
  readonly post: (count: number) => Promise<void>;
  readonly liveUrl: string;
  readonly liveToken: string;
}

/** How the ingest and the broadcast of a deployed stack are reached. */
export function reach({ outputs }: Deployment): Stack {
  const text = (name: string) => String(outputs[name]?.value);
  const headers = { "content-type": "application/json", "x-api-key": text("apiKey") };
  return {
    liveUrl: text("liveUrl"),
    liveToken: text("liveToken"),
    post: async (count) => {
      const response = await fetch(text("url"), { method: "POST", headers, body: messages(count) });
      if (response.status !== 200) throw new Error(`POST: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    },
  };
}

async function postLatency(stack: Stack): Promise<Figure[]> {
  const [viewer] = await connectAll(1, stack.liveUrl, stack.liveToken);
  const figures = await latency("POST", viewer!, () => stack.post(1));
  viewer!.socket.close();
  return figures;
}

async function fanOut(stack: Stack, emulator: Started, viewerCount: number): Promise<Figure[]> {
  const records = 100;
  const viewers = await connectAll(viewerCount, stack.liveUrl, stack.liveToken);
  let seconds = 0;
  const calls = await emulator.count(async () => {
    const started = performance.now();
    await stack.post(records);
    await until(() => viewers.every(({ seen }) => seen.size >= records));
    seconds = (performance.now() - started) / 1000;
  });
  const repeated = viewers.filter(({ seen }) => [...seen.values()].some((times) => times > 1)).length;
  const posts = Object.entries(calls).filter(([name]) => name.includes("POST") && name.includes("/@connections/"));
  const postCount = posts.reduce((sum, [, count]) => sum + count, 0);
  for (const { socket } of viewers) socket.close();
  return [
    {
      name: `deliveries of ${records} records to ${viewerCount} clients`,
      value: (records * viewerCount) / seconds,
      unit: "/s",
    },
    { name: "posts for each client", value: postCount / viewerCount, unit: "", promise: { atMost: 1 } },
    { name: "clients that got a record twice", value: repeated, unit: "", promise: { atMost: 0 } },
  ];
}

/** An address that passes requests on to the emulator after a while, as a network would. */
async function slowed(target: string, milliseconds: number) {
  const server = createServer((incoming, outgoing) => {
    const forward = () => {
      const options = { method: incoming.method, headers: incoming.headers };
      const passed = request(new URL(incoming.url!, target), options, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on("error", () => outgoing.destroy());
      incoming.pipe(passed);
    };
    setTimeout(forward, milliseconds);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close().closeAllConnections() };
}

/**
 * The seeds' broadcast: for each connection, for each record, one post after the other. Written out here as what the
 * component is measured against.
 */
async function sequentialLoop(
  client: ApiGatewayManagementApiClient,
  connections: readonly string[],
  records: readonly string[],
) {
  for (const ConnectionId of connections) {
    for (const Data of records) await client.send(new PostToConnectionCommand({ ConnectionId, Data }));
  }
}

/** Lets the broadcast's functions post to another address. */
async function postTo(origin: string, emulator: Started, { resources }: Deployment): Promise<void> {
  const lambda = new LambdaClient({ ...settings, endpoint: emulator.url });
  for (const { type, id } of resources) {
    if (type !== "aws:lambda/function:Function") continue;
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: id }));
    const Variables = Environment?.Variables;
    if (!Variables?.WEBSOCKET_ENDPOINT) continue;
    Variables.WEBSOCKET_ENDPOINT = Variables.WEBSOCKET_ENDPOINT.replace(/^http:\/\/[^/]+/, origin);
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: id, Environment: { Variables } }));
  }
  lambda.destroy();
}

/** The same broadcast by the component and by the seeds' loop, with 10 ms on each post. */
async function besideTheLoop(stack: Stack, emulator: Started, deployment: Deployment): Promise<Figure[]> {
  const [clients, records] = [50, 10];
  const slow = await slowed(emulator.url, 10);
  await postTo(slow.url, emulator, deployment);
  const viewers = await connectAll(clients, stack.liveUrl, stack.liveToken);
  const everywhere = (count: number) => until(() => viewers.every(({ seen }) => seen.size >= count));
  // Once to start the function's new environment, once to measure.
  let component = 0;
  const calls = await emulator.count(async () => {
    for (const round of [1, 2]) {
      const started = performance.now();
      await Promise.all([stack.post(records), everywhere(round * records)]);
      component = performance.now() - started;
    }
  });
  const ids = Object.keys(calls)
    .flatMap((name) => /POST .*\/@connections\/(.+)$/.exec(name)?.[1] ?? [])
    .map(decodeURIComponent);
  const endpoint = `${stack.liveUrl.replace(/^ws:\/\/[^/]+/, slow.url)}`;
  const client = new ApiGatewayManagementApiClient({ ...settings, endpoint });
  const started = performance.now();
  await sequentialLoop(client, ids, Array(records).fill(JSON.stringify([{ id: "loop" }])));
  const loop = performance.now() - started;
  for (const { socket } of viewers) socket.terminate();
  client.destroy();
  await postTo(new URL(emulator.url).origin, emulator, deployment);
  slow.close();
  return [
    { name: `POST of ${records} to ${clients} clients, 10 ms a post`, value: component, unit: "ms" },
    { name: "the seeds' sequential loop / the component", value: loop / component, unit: "", promise: { atLeast: 30 } },
  ];
}

/** From POST to browser: latency, fan-out, and what is gained over the seeds' loop. */
export async function live(deployment: Deployment, emulator: Started): Promise<Figure[]> {
  const stack = reach(deployment);
  return [
    ...(await postLatency(stack)),
    ...(await besideTheLoop(stack, emulator, deployment)),
    // Last: a thousand clients that leave at once use up the account's concurrency for a while.
    ...(await fanOut(stack, emulator, 1000)),
  ];
}
