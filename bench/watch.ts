import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { Figure } from "./report";

const root = resolve(__dirname, "..", "..");
const edits = 5;

/** A program with an edited callback beside the parts that an ordinary stack has. */
const program = (edit: number) => `
const { ThingseeIngest, WebSocketBroadcast } = require(${JSON.stringify(join(root, "dist/components"))});
const live = new WebSocketBroadcast("live", { auth: "token" });
const ingest = new ThingseeIngest("ingest", {
  forwardTo: [live.queue],
  onMessage: (message) => ({ ...message, edit: ${edit} }),
});
exports.url = ingest.url;
exports.apiKey = ingest.apiKey;
exports.tableName = ingest.table.name;
`;

interface Outputs {
  readonly url: string;
  readonly apiKey: string;
  readonly tableName: string;
}

/** The edit that a new message goes through. */
async function editSeen({ url, apiKey, tableName }: Outputs, dynamodb: DynamoDBClient, device: string) {
  const body = JSON.stringify({ tsmId: 12100, tsmEv: 10, tsmTs: 1_520_416_221, tsmTuid: device });
  const headers = { "content-type": "application/json", "x-api-key": apiKey };
  await (await fetch(url, { method: "POST", headers, body })).arrayBuffer();
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "tuid = :device",
      ExpressionAttributeValues: { ":device": { S: device } },
    }),
  );
  return Number(Items[0]?.data?.M?.edit?.N);
}

/** Seconds from a saved file to a message that the new code has handled, with `start --watch`: the median of some edits. */
export async function watch(): Promise<Figure[]> {
  // Below the clone, where the program finds what is installed.
  const folder = mkdtempSync(join(root, ".cache", "bench-"));
  const file = join(folder, "index.js");
  writeFileSync(join(folder, "Pulumi.yaml"), "name: bench\nruntime: nodejs\n");
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(file, program(0));
  const outputsFile = join(folder, "outputs.txt");
  const args = ["--port", "0", "--mqtt-port", "0", "--watch", "--outputs", outputsFile];
  const child = spawn(process.execPath, [resolve(__dirname, "..", "cli", "start.js"), ...args], { cwd: folder });
  try {
    let text = "";
    child.stderr.resume();
    const printed = async (pattern: RegExp) => {
      while (!pattern.test(text)) text += String((await once(child.stdout, "data"))[0]);
      text = "";
    };
    await printed(/Requests appear below/);
    const outputs = JSON.parse(readFileSync(outputsFile, "utf8")) as Outputs;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const dynamodb = new DynamoDBClient({ endpoint: new URL(outputs.url).origin, region: "eu-west-1", credentials });
    const seconds: number[] = [];
    for (let edit = 1; edit <= edits; edit++) {
      // Nobody edits twice in a moment.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const from = performance.now();
      writeFileSync(file, program(edit));
      await printed(/Live in/);
      const seen = await editSeen(outputs, dynamodb, `device-${edit}`);
      if (seen !== edit) throw new Error(`after edit ${edit} a message went through edit ${seen}`);
      seconds.push((performance.now() - from) / 1000);
    }
    dynamodb.destroy();
    const [median] = seconds.sort((a, b) => a - b).slice(Math.floor(edits / 2));
    return [
      { name: "from a saved callback to a message through it", value: median!, unit: "s", promise: { atMost: 2 } },
    ];
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
