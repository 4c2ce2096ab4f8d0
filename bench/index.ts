import { resolve } from "node:path";
import { GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { unzipSync } from "fflate";
import type { Deployment } from "../deploy";
import { clock } from "./clock";
import { callsPerThousand, deployStack, ingest } from "./ingest";
import { iot } from "./iot";
import { live } from "./live";
import { postbox } from "./postbox";
import { rates } from "./rates";
import { type Figure, report } from "./report";
import { type Started, startServer } from "./servers";
import { watch } from "./watch";

const usage = `npm run bench -- [--json <file>]

Measures the emulator and the ingest stack against baselines of the same run, and says which promises were kept.`;

/** Size and files of the ingest function's deployment package, as Lambda hands it out. */
async function packageFigures(emulator: Started, functionName: string): Promise<Figure[]> {
  const lambda = new LambdaClient({
    endpoint: emulator.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: functionName }));
  const zip = new Uint8Array(await (await fetch(Code!.Location!)).arrayBuffer());
  lambda.destroy();
  return [
    { name: "ingest function zip", value: zip.length / 1000, unit: "KB", promise: { atMost: 300 } },
    { name: "files in it", value: Object.keys(unzipSync(zip)).length, unit: "", promise: { atMost: 1 } },
  ];
}

const functionName = ({ resources }: Deployment): string =>
  resources.find(({ type, name }) => type === "aws:lambda/function:Function" && name.startsWith("ingest-receive"))!.id!;

async function main(): Promise<boolean> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    console.log(usage);
    return true;
  }
  const file = args[args.indexOf("--json") + 1];
  const constant = await startServer("constant");
  const sdk = await startServer("sdk", constant.url);
  const emulator = await startServer("emulator");
  try {
    // The same calls as the baseline: the ingest alone. The stack adds the broadcast behind it.
    const alone = await deployStack(emulator, resolve(__dirname, "programs", "ingest.js"));
    const { deployment, seconds } = await deployStack(emulator, resolve(__dirname, "..", ".."));
    const output = (name: string) => String(alone.deployment.outputs[name]?.value);
    const [url, apiKey] = [output("url"), output("apiKey")];
    const posts = await ingest(url, apiKey, constant, sdk);
    const figures: Figure[] = [
      { name: "emulator ready", value: emulator.readyMs, unit: "ms", promise: { atMost: 500 } },
      { name: "emulator memory when ready", value: emulator.memory / 1e6, unit: "MB", promise: { atMost: 150 } },
      { name: "stack deployed", value: seconds, unit: "s", promise: { atMost: 8 } },
      ...posts.figures,
      ...(await callsPerThousand(url, apiKey, emulator)),
      ...(await packageFigures(emulator, functionName(deployment))),
      ...(await iot(deployment, emulator)),
      ...(await live(deployment, emulator)),
      ...(await clock()),
      ...(await watch()),
    ];
    const publishes = await postbox(
      String(deployment.outputs.postboxUrl?.value),
      String(deployment.outputs.postboxToken?.value),
      constant,
    );
    figures.push(...publishes.figures);
    const rows = [...posts.rows, ...publishes.rows, ...(await rates(emulator, constant))];
    const put = rows.find(({ name }) => name === "DynamoDB PutItem")!;
    figures.push({
      name: "DynamoDB PutItem / constant server",
      value: put.ratios.constant!,
      unit: "",
      promise: { atLeast: 0.3 },
    });
    return report(rows, figures, args.includes("--json") ? file : undefined);
  } finally {
    for (const server of [constant, sdk, emulator]) server.stop();
  }
}

main().then(
  (allKept) => process.exit(allKept ? 0 : 1),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
