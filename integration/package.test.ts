import { cp, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DescribeTableCommand, DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settings } from "./harness/emulator";
import { ScratchProject } from "./harness/scratch-project";

/** A project with a callback of its own, that uses a module from npm. */
const program = (greeting: string) => `
import { ThingseeIngest } from "sensorcast";
import ms from "ms";

const ingest = new ThingseeIngest("ingest", {
  onMessage: async (message) => ({ ...message, site: ${JSON.stringify(greeting)}, keptFor: ms("2 days") }),
});

export const url = ingest.url;
export const apiKey = ingest.apiKey;
export const tableName = ingest.table.name;
`;

interface Outputs {
  readonly url: string;
  readonly apiKey: string;
  readonly tableName: string;
}

let project: ScratchProject;
beforeAll(async () => {
  project = await ScratchProject.make(["ms@2.1.3", "@types/ms@2.1.0"]);
  await project.write("Pulumi.yaml", "name: scratch\nruntime: nodejs\n");
  await project.write("index.ts", program("Oulu"));
}, 240_000);
afterAll(() => project?.remove());

const outputs = async (): Promise<Outputs> => JSON.parse(await project.read("out.json"));

let second = 1_520_416_221;
/** What the item of a new message says of its site. */
async function siteOf({ url, apiKey, tableName }: Outputs) {
  const tsmTs = second++;
  const body = JSON.stringify({ tsmId: 12100, tsmEv: 10, tsmTs, tsmTuid: "TSPR04E2O90201558", temp: 21.3 });
  const headers = { "content-type": "application/json", "x-api-key": apiKey };
  const answer = await fetch(url, { method: "POST", headers, body });
  expect(answer.status, await answer.text()).toBe(200);
  const dynamodb = new DynamoDBClient(settings({ endpoint: new URL(url).origin }));
  const { Items } = await dynamodb.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "tuid = :tuid AND sortKey >= :from",
      ExpressionAttributeValues: {
        ":tuid": { S: "TSPR04E2O90201558" },
        ":from": { S: new Date(tsmTs * 1000).toISOString() },
      },
    }),
  );
  dynamodb.destroy();
  const { data } = Items![0]!;
  return { site: data!.M!.site!.S, keptFor: data!.M!.keptFor!.N };
}

describe("the packed tarball in somebody else's project", () => {
  it("deploys callbacks that use modules from npm, updates what has changed, and destroys it, from the command line", async () => {
    const emulator = project.start("emulator", "--port", "0");
    const [, endpoint] = await emulator.printed(/Embedded AWS at (\S+)/);
    const deploy = () => project.sensorcast("deploy", "--endpoint", endpoint!, "--outputs", "out.json");

    const first = await deploy();
    expect(first.text).toContain("aws:lambda:Function ingest-receive-function created");
    expect(first.code).toBe(0);
    expect(await siteOf(await outputs())).toEqual({ site: "Oulu", keptFor: "172800000" });

    await project.write("index.ts", program("Turku"));
    const again = await deploy();
    expect(again.text).toContain("aws:lambda:Function ingest-receive-function updated");
    expect(again.text).not.toContain("created");
    expect(await siteOf(await outputs())).toMatchObject({ site: "Turku" });

    const ended = await project.sensorcast("destroy", "--endpoint", endpoint!);
    expect(ended.text).toContain("deleted");
    expect(ended.code).toBe(0);
    const { tableName } = await outputs();
    const dynamodb = new DynamoDBClient(settings({ endpoint: endpoint! }));
    await expect(dynamodb.send(new DescribeTableCommand({ TableName: tableName }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    dynamodb.destroy();
  }, 120_000);

  it("starts it with --watch: an edited callback is live, and what was stored is still there", async () => {
    await project.write("index.ts", program("Oulu"));
    const started = project.start("start", "--port", "0", "--mqtt-port", "0", "--watch", "--outputs", "out.json");
    await started.printed(/Requests appear below/);
    const before = await outputs();
    expect(await siteOf(before)).toMatchObject({ site: "Oulu" });
    await project.write("index.ts", program("Turku"));
    await started.printed(/Changed {2}index\.ts[\s\S]*Live in/);
    expect(await siteOf(before)).toMatchObject({ site: "Turku" });

    await project.write("index.ts", "this is no program");
    await started.printed(/What was deployed before is still there/);
    expect(await siteOf(before)).toMatchObject({ site: "Turku" });
    // The file with the outputs, which each update writes, is no change of the program.
    expect(started.text()).not.toContain("Changed  out.json");
  }, 120_000);

  it("runs every example's own tests", async () => {
    const examples = resolve(__dirname, "../examples");
    const entries = await readdir(examples, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const name of names) {
      await cp(join(examples, name), join(project.folder, "examples", name), { recursive: true });
    }
    const files = names.map((name) => `examples/${name}/index.test.mts`);
    const ended = await project.node("--test", "--test-concurrency=2", ...files);
    expect(ended.code, ended.text).toBe(0);
    expect(ended.text).toContain(`pass ${names.length}`);
  }, 120_000);

  it("says what its commands do, and what is wrong with how they are called", async () => {
    const help = await project.sensorcast("--help");
    for (const command of ["start", "emulator", "deploy", "destroy", "flespi"]) {
      expect(help.text).toContain(command);
      expect(await project.sensorcast(command, "--help")).toMatchObject({
        code: 0,
        text: expect.stringContaining("--"),
      });
    }
    expect(await project.sensorcast("launch")).toMatchObject({ code: 2 });
    expect(await project.sensorcast("deploy")).toMatchObject({
      code: 2,
      text: expect.stringContaining("--endpoint is missing"),
    });
    expect(await project.sensorcast("deploy", "--endpoint", "http://127.0.0.1:1", "--config", "ttlDays")).toMatchObject(
      {
        code: 2,
        text: expect.stringContaining("<key>=<value>"),
      },
    );
  });
});
