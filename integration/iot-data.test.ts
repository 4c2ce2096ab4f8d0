import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, get, request } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { json } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import {
  CreateKeysAndCertificateCommand,
  DescribeEndpointCommand,
  IoTClient,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import {
  GetRetainedMessageCommand,
  IoTDataPlaneClient,
  ListRetainedMessagesCommand,
  PublishCommand,
  type PublishCommandInput,
} from "@aws-sdk/client-iot-data-plane";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Devices, type Identity, inbox, iotArn } from "./harness/devices";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let devices: Devices;
let data: IoTDataPlaneClient;
let identity: Identity;
let client: MqttClient;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  data = new IoTDataPlaneClient(settings(emulator.current));
  identity = await devices.certificate();
  client = await devices.connect(identity, { clientId: "reader" });
  client.setMaxListeners(50);
});
afterAll(() => devices.close());

const publish = (topic: string, payload: string | Buffer = "", rest: Partial<PublishCommandInput> = {}) =>
  data.send(new PublishCommand({ topic, payload: Buffer.from(payload), ...rest }));

test("takes messages over HTTPS from devices that show a certificate, as its policy allows", async () => {
  const device = await devices.certificate([{ Action: "iot:Publish", Resource: iotArn("topic/https/own/*") }]);
  const { url, ca } = await devices.endpoint();
  const { hostname, port } = new URL(url);
  const post = async (path: string, body = "x", { cert, key }: Pick<Identity, "cert" | "key"> = device) => {
    const sent = request({ hostname, port, path, method: "POST", ca, cert, key, agent: false }).end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const { message } = (await json(response)) as { message: string };
    return `${response.statusCode} ${message}`;
  };
  const messages = inbox(client);
  await client.subscribeAsync("https/#", { qos: 1 });
  expect(await post("/topics/https/own/a%20b?qos=1", "21.5")).toBe("200 OK");
  expect(await post("/topics/https/others/a?qos=1")).toBe("403 Forbidden");
  expect(await post("/topics/https/own/kept?retain=true")).toBe("403 Forbidden");
  expect(await post("/topics/https/own/a?qos=2")).toMatch(/^400 .*qos/);
  expect(await post("/topics/https/own/%")).toMatch(/^400 .*percent/);
  expect(await post("/topics/https/own/+")).toMatch(/^400 .*wildcards/);
  expect(await post("/topics/https/own/large", "x".repeat(2_000_000))).toMatch(/^413 /);
  await devices.iot.send(new UpdateCertificateCommand({ certificateId: device.id, newStatus: "INACTIVE" }));
  await expect(post("/topics/https/own/late")).rejects.toThrow();
  await publish("https/end", "", { qos: 1 });
  await vi.waitFor(() => expect(messages.at(-1)![0]).toBe("https/end"));
  expect(messages).toEqual([
    ["https/own/a b", "21.5"],
    ["https/end", ""],
  ]);
});

test("forgets a retained message when it expires, unless another has taken its place", async () => {
  const kept = async (topic: string) => {
    const found = data.send(new GetRetainedMessageCommand({ topic }));
    return found.then(({ payload }) => Buffer.from(payload!).toString("utf8")).catch(({ name }) => name);
  };
  for (const topic of ["expiring/a", "expiring/b"]) await publish(topic, "1", { retain: true, messageExpiry: 60 });
  await publish("expiring/b", "2", { retain: true });
  expect([await kept("expiring/a"), await kept("expiring/b")]).toEqual(["1", "2"]);
  await emulator.current.clock.advance("61 seconds");
  expect([await kept("expiring/a"), await kept("expiring/b")]).toEqual(["ResourceNotFoundException", "2"]);
  await publish("expiring/b", "", { retain: true });
});

describe("Publish", () => {
  test("reaches devices, bytes as they are", async () => {
    const payloads: Buffer[] = [];
    client.on("message", (topic, payload) => topic === "http/bytes" && payloads.push(payload));
    await client.subscribeAsync("http/bytes", { qos: 1 });
    const bytes = Buffer.from([0, 255, 128, 10, 13]);
    await publish("http/bytes", bytes, { qos: 1 });
    await vi.waitFor(() => expect(payloads).toEqual([bytes]));
  });

  test("takes topics with a space, a percent sign and more", async () => {
    const messages = inbox(client);
    await client.subscribeAsync("odd/+");
    await publish("odd/a b%2Fc?d=ö", "x");
    await vi.waitFor(() => expect(messages).toEqual([["odd/a b%2Fc?d=ö", "x"]]));
  });

  const wrong: [what: string, topic: string, rest: Partial<PublishCommandInput>, code: string][] = [
    ["a wildcard in the topic", "a/+", {}, "InvalidRequestException"],
    ["a topic with more than 7 slashes", "1/2/3/4/5/6/7/8/9", {}, "InvalidRequestException"],
    ["a topic that is AWS's own", "$aws/events/presence/connected/a", {}, "InvalidRequestException"],
    ["QoS 2", "a", { qos: 2 }, "InvalidRequestException"],
    ["user properties that are no list", "a", { userProperties: "{}" }, "InvalidRequestException"],
    ["correlation data that is not base64", "a", { correlationData: "ä" }, "InvalidRequestException"],
    ["a payload of more than 128 KB", "a", { payload: Buffer.alloc(131_073) }, "RequestEntityTooLargeException"],
  ];
  test.each(wrong)("refuses %s, and publishes nothing", async (_what, topic, rest, code) => {
    const messages = inbox(client);
    await client.subscribeAsync(["#", "refused/end"]);
    expect((await refusal(publish(topic, "x", rest)))[0]).toBe(code);
    await publish("refused/end");
    await vi.waitFor(() => expect(messages).toEqual([["refused/end", ""]]));
    await client.unsubscribeAsync("#");
  });
});

describe("retained messages", () => {
  test("from HTTP reach devices later, and those from devices are read over HTTP", async () => {
    await publish("kept/http", "1", { retain: true, qos: 1 });
    await client.publishAsync("kept/mqtt", "2", { retain: true, qos: 1 });
    const messages = inbox(client);
    await client.subscribeAsync("kept/#", { qos: 1 });
    await vi.waitFor(() => expect(messages).toHaveLength(2));
    expect(messages.sort()).toEqual([
      ["kept/http", "1"],
      ["kept/mqtt", "2"],
    ]);
    const found = await data.send(new GetRetainedMessageCommand({ topic: "kept/mqtt" }));
    expect(found).toMatchObject({ topic: "kept/mqtt", qos: 1, lastModifiedTime: expect.any(Number) });
    expect(Buffer.from(found.payload!).toString()).toBe("2");
  });

  test("show their user properties", async () => {
    await publish("kept/props", "3", { retain: true, userProperties: '[{"unit": "C"}, {"unit": "F"}]' });
    const { userProperties } = await data.send(new GetRetainedMessageCommand({ topic: "kept/props" }));
    expect(Buffer.from(userProperties!).toString()).toBe('[{"unit":"C"},{"unit":"F"}]');
  });

  test("are listed by topic, page by page, until an empty one takes them away", async () => {
    const list = (nextToken?: string) => data.send(new ListRetainedMessagesCommand({ maxResults: 2, nextToken }));
    const topics = (page: Awaited<ReturnType<typeof list>>) => page.retainedTopics!.map(({ topic }) => topic);
    const first = await list();
    const second = await list(first.nextToken);
    expect([topics(first), topics(second), second.nextToken]).toEqual([
      ["kept/http", "kept/mqtt"],
      ["kept/props"],
      undefined,
    ]);
    expect(first.retainedTopics![0]).toMatchObject({ payloadSize: 1, qos: 1 });
    for (const topic of ["kept/http", "kept/mqtt", "kept/props"]) await publish(topic, "", { retain: true });
    expect(topics(await list())).toEqual([]);
    const gone = data.send(new GetRetainedMessageCommand({ topic: "kept/http" }));
    expect((await refusal(gone))[0]).toBe("ResourceNotFoundException");
  });

  test("are kept apart for accounts and regions", async () => {
    await publish("kept/here", "1", { retain: true });
    for (const other of [{ region: "us-west-2" }, { accessKeyId: "111122223333" }]) {
      const elsewhere = new IoTDataPlaneClient(settings(emulator.current, other));
      expect((await elsewhere.send(new ListRetainedMessagesCommand({}))).retainedTopics).toEqual([]);
    }
  });
});

describe("the MQTT port", () => {
  test("answers HTTPS, too, as the address that AWS names for both", async () => {
    const { url, ca } = await devices.endpoint();
    const { host, hostname, port } = new URL(url);
    const health = await new Promise<string>((resolve, reject) => {
      get({ host: hostname, port, path: "/_emulator/health", ca }, (response) => {
        response.setEncoding("utf8").once("data", resolve);
      }).on("error", reject);
    });
    expect(JSON.parse(health)).toMatchObject({ services: { iot: "running" } });
    const requestHandler = { httpsAgent: new Agent({ ca }) };
    const own = settings(emulator.current);
    const secure = new IoTDataPlaneClient({ ...own, endpoint: `https://${host}`, requestHandler });
    const messages = inbox(client);
    await client.subscribeAsync("secure");
    await secure.send(new PublishCommand({ topic: "secure", payload: Buffer.from("yes") }));
    await vi.waitFor(() => expect(messages).toEqual([["secure", "yes"]]));
    secure.destroy();
  });

  test("takes nonsense and half-open connections without harm", async () => {
    const { url, ca } = await devices.endpoint();
    const port = Number(new URL(url).port);
    const { cert, key } = identity;
    const connect = "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x";
    // More filters than are allowed, before the client has been let in.
    const subscribe = `\x82\x26\x00\x01${"\x00\x01a\x00".repeat(9)}`;
    for (const bytes of [
      "GET / HTTP/1.1\r\n\r\n",
      "\x10\xff\xff\xff\xff",
      "\x00".repeat(100),
      "\x30\x02\x00\x00",
      "\xc0\x00",
      connect + subscribe,
      connect + connect,
    ]) {
      const socket = connectTls({ host: "localhost", port, ca, cert, key });
      socket.on("error", () => {});
      socket.end(Buffer.from(bytes, "latin1"));
      await once(socket, "close");
    }
    connectTls({ host: "localhost", port, ca, cert, key }).on("error", () => {});
    await client.publishAsync("still/alive", "", { qos: 1 });
  });

  test("that is taken is named with the cure, and the rest goes on", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port: mqttPort } = blocker.address() as AddressInfo;
    const faults: string[] = [];
    const second = await startEmulator({ port: 0, mqttPort, onFault: (error) => faults.push(String(error)) });
    const iot = new IoTClient(settings(second));
    await iot.send(new CreateKeysAndCertificateCommand({}));
    const [name, message] = await refusal(iot.send(new DescribeEndpointCommand({})));
    expect(name).toBe("ServiceUnavailableException");
    expect(message).toContain(`The MQTT port ${mqttPort} cannot be listened on (EADDRINUSE): free it`);
    await vi.waitFor(() => expect(faults.join()).toContain("EADDRINUSE"));
    blocker.close();
    await once(blocker, "close");
    expect((await iot.send(new DescribeEndpointCommand({}))).endpointAddress).toBe(`localhost:${mqttPort}`);
    await second.close();
  });
});
