import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { DescribeEndpointCommand, IoTClient } from "@aws-sdk/client-iot";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { settings } from "./harness/emulator";

const root = resolve(__dirname, "..");

/** A command of the project in a process of its own, and what it has printed so far. */
function run(command: "start" | "emulator", ...args: string[]) {
  const child = spawn(process.execPath, [join(root, "dist/cli", `${command}.js`), ...args], { cwd: root });
  const seen = { child, text: "", ended: once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]> };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      seen.text += chunk;
    });
  }
  return seen;
}

const folder = mkdtempSync(join(tmpdir(), "sensorcast-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("npm start", () => {
  const outputsFile = join(folder, "outputs.json");
  let started: ReturnType<typeof run>;
  let outputs: { url: string; apiKey: string; tableName: string; iotTableName: string };

  beforeAll(async () => {
    // From a run before, and readable by all.
    writeFileSync(outputsFile, "{}", { mode: 0o644 });
    const limits = ["--config", "rateLimit=5", "--config", "burstLimit=10"];
    started = run("start", "--port", "0", "--outputs", outputsFile, ...limits);
    await vi.waitFor(() => expect(started.text).toContain("Requests appear below"), { timeout: 50_000, interval: 50 });
    outputs = JSON.parse(readFileSync(outputsFile, "utf8"));
  });
  afterAll(() => void started.child.kill("SIGKILL"));

  /** What a line prints that is pasted into a shell. */
  async function pasted(line: string): Promise<string> {
    const shell = spawn("sh", ["-c", line], { cwd: root });
    let printed = "";
    for await (const chunk of shell.stdout) printed += chunk;
    return printed;
  }
  async function stored(TableName: string, key: string, value: string) {
    const dynamodb = new DynamoDBClient(settings({ endpoint: new URL(outputs.url).origin }));
    const KeyConditionExpression = `${key} = :value`;
    const ExpressionAttributeValues = { ":value": { S: value } };
    const { Items } = await dynamodb.send(
      new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues }),
    );
    return Items;
  }
  const post = (headers: Record<string, string>) => fetch(outputs.url, { method: "POST", headers, body: reading });
  const reading = JSON.stringify([
    { tsmId: 12100, tsmEv: 10, tsmTs: 1520416221, tsmTuid: "TSPR04E2O90201558", temp: 21.3 },
  ]);

  it("prints a curl line that stores a reading, as pasted into a shell", async () => {
    const line = /^ {2}(curl .*thingsee)$/m.exec(started.text)![1]!;
    expect(await pasted(line.replace("curl -i", "curl -s"))).toBe('{"status":"ok","accepted":1,"rejected":0}');
    expect(await stored(outputs.tableName, "tuid", "TSPR04E2O90201558")).toMatchObject([
      { data: { M: { temp: { N: "21.3" } } } },
    ]);
  });

  it("prints where the inspector is, which has the way of that reading", async () => {
    const url = /See what happens inside\n +(\S+)/.exec(started.text)![1]!;
    expect(await (await fetch(url)).text()).toContain("<title>Sensorcast inspector</title>");
    await vi.waitFor(async () => {
      const journeys = await (await fetch(`${url}api/journeys`)).json();
      expect(journeys).toContainEqual(expect.objectContaining({ what: "POST /prod/thingsee", status: 200 }));
    });
  });

  it("prints a curl line that publishes anything", async () => {
    const line = /^ {2}(curl .*publish)$/m.exec(started.text)![1]!;
    expect(JSON.parse(await pasted(line.replace("curl -i", "curl -s")))).toEqual({ id: expect.any(String) });
  });

  it("prints a command with which a device publishes by MQTT, whose reading is in the table", async () => {
    const line = /^ {2}(mosquitto_pub .*)$/m.exec(started.text)![1]!;
    const option = (name: string) => new RegExp(`${name} ('[^']*'|\\S+)`).exec(line)![1]!.replaceAll("'", "");
    if (existsSync("/usr/bin/mosquitto_pub")) await pasted(line);
    else {
      const [ca, cert, key] = ["--cafile", "--cert", "--key"].map((name) => readFileSync(join(root, option(name))));
      const broker = { protocol: "mqtts" as const, host: option("-h"), port: Number(option("-p")) };
      const client = await connectAsync({ ...broker, ca, cert, key, clientId: option("-i") });
      await client.publishAsync(option("-t"), option("-m"), { qos: 1 });
      await client.endAsync();
    }
    await vi.waitFor(
      async () =>
        expect(await stored(outputs.iotTableName, "ident", "sensor-1")).toMatchObject([
          { data: { M: { temp: { N: "21.3" } } }, topic: { S: "devices/sensor-1/telemetry" } },
        ]),
      { timeout: 10_000, interval: 50 },
    );
    expect(statSync(join(root, option("--key"))).mode & 0o077).toBe(0);
  });

  it("lets anybody inject faults over HTTP, and shows which acted on what", async () => {
    const at = `${new URL(outputs.url).origin}/_emulator/faults`;
    const inject = (fault: object) => fetch(at, { method: "POST", body: JSON.stringify(fault) });
    await inject({ fault: "throttle", service: "dynamodb", operation: "BatchWriteItem", count: 1 });
    expect((await post({ "x-api-key": outputs.apiKey })).status).toBe(200);
    await inject({ fault: "throttle", service: "execute-api", operation: "POST */thingsee", count: 1 });
    expect((await post({ "x-api-key": outputs.apiKey })).status).toBe(429);
    await vi.waitFor(() =>
      expect(started.text).toMatch(/429 {2}POST \/prod\/thingsee {2}[\d.]+ ms {2}fault: throttle/),
    );
    expect(started.text).toMatch(/\d\d {2}fault: throttle {2}dynamodb BatchWriteItem {2}table\//);
  });

  it("refuses a request without the key, and too many with it", async () => {
    expect((await post({})).status).toBe(403);
    // What was sent before has taken from the burst, and 5 a second come back.
    const clock = `${new URL(outputs.url).origin}/_emulator/clock`;
    expect((await fetch(clock, { method: "POST", body: '{ "advance": "2 seconds" }' })).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 50 }, () => post({ "x-api-key": outputs.apiKey })));
    const counts = Object.groupBy(answers, ({ status }) => status);
    expect(Object.keys(counts)).toEqual(["200", "429"]);
    expect(counts[200]!.length).toBeGreaterThanOrEqual(10);
  });

  it("shows each request as a line, and no key but in the curl line", async () => {
    await vi.waitFor(() => expect(started.text).toMatch(/\d\d:\d\d:\d\d {2}403 {2}POST \/prod\/thingsee {2}[\d.]+ ms/));
    expect(started.text.split(outputs.apiKey)).toHaveLength(2);
  });

  it("lets only its owner read the file with the outputs", () => {
    expect(statSync(outputsFile).mode & 0o077).toBe(0);
  });

  it("ends everything on Ctrl-C", async () => {
    started.child.kill("SIGINT");
    expect(await started.ended).toEqual([0, null]);
    await expect(fetch(outputs.url)).rejects.toThrow();
  });
});

describe("a command that cannot start", () => {
  const ending = async ({ child, ended }: { child: ChildProcess; ended: Promise<unknown> }) => {
    await ended;
    return child.exitCode;
  };

  it("names a port that is taken, and the way out", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const failed = run("start", "--port", String(port));
    expect(await ending(failed)).toBe(2);
    expect(failed.text.trim()).toBe(
      `Port ${port} is taken by another program. Leave --port out to get the next free one.`,
    );
    server.close();
  });

  it.each(["start", "emulator"] as const)("names a port for devices that is taken: npm run %s", async (command) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const failed = run(command, "--port", "0", "--mqtt-port", String(port));
    expect(await ending(failed)).toBe(2);
    expect(failed.text.trim()).toBe(
      `Port ${port} is taken by another program. Leave --mqtt-port out to get a free one.`,
    );
    server.close();
  });

  it("says before the deployment that the outputs could not be written", async () => {
    const failed = run("start", "--port", "0", "--outputs", join(folder, "nowhere", "outputs.json"));
    expect(await ending(failed)).toBe(2);
    expect(failed.text).toContain(`there is no folder ${join(folder, "nowhere")} that can be written to`);
    expect(failed.text).not.toContain("created");
  });

  it.each([
    [["--port", "http"], "--port http: a port is a whole number from 0 to 65535"],
    [["--mqtt-port", "99999"], "--mqtt-port 99999: a port is a whole number from 0 to 65535"],
    [["--prot", "1"], "Unknown option '--prot'"],
  ])("tells what is wrong with %j and how to use it", async (args, message) => {
    const failed = run("emulator", ...args);
    expect(await ending(failed)).toBe(2);
    expect(failed.text).toContain(message);
    expect(failed.text).not.toMatch(/ {4}at /);
  });
});

describe("npm run emulator", () => {
  it("serves AWS until it is told to stop", async () => {
    const served = run("emulator", "--port", "0");
    await vi.waitFor(() => expect(served.text).toContain("Ctrl-C"), { timeout: 10_000, interval: 20 });
    const endpoint = /Embedded AWS at (\S+)/.exec(served.text)![1]!;
    expect((await fetch(`${endpoint}/_localstack/health`)).status).toBe(200);
    served.child.kill("SIGTERM");
    expect(await served.ended).toEqual([0, null]);
  });

  it("lets devices in on the port that --mqtt-port names", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as { port: number };
    free.close();
    await once(free, "close");
    const served = run("emulator", "--port", "0", "--mqtt-port", String(port));
    await vi.waitFor(() => expect(served.text).toContain("Ctrl-C"), { timeout: 10_000, interval: 20 });
    const iot = new IoTClient(settings({ endpoint: /Embedded AWS at (\S+)/.exec(served.text)![1]! }));
    const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
    expect(endpointAddress).toBe(`localhost:${port}`);
    served.child.kill("SIGTERM");
    await served.ended;
  });

  // Only where npm has installed and compiled already: the command would do it, under the other tests' feet.
  it.runIf(process.env.npm_lifecycle_event === "test")(
    "ends when npm is told to end, which ends only its shell",
    async () => {
      const shell = spawn("sh", ["-c", `"${process.execPath}" scripts/run.js emulator --port 0; true`], { cwd: root });
      let text = "";
      shell.stdout.on("data", (chunk) => {
        text += chunk;
      });
      await vi.waitFor(() => expect(text).toContain("Ctrl-C"), { timeout: 10_000, interval: 20 });
      const endpoint = /Embedded AWS at (\S+)/.exec(text)![1]!;
      shell.kill("SIGTERM");
      await vi.waitFor(() => expect(fetch(`${endpoint}/_localstack/health`)).rejects.toThrow(), { timeout: 5000 });
    },
  );
});
