import { dirname, resolve } from "node:path";
import { serveProvider } from "../deploy/serving";
import { readArguments, runCommand, toPort } from "./arguments";
import { interrupted } from "./interrupted";

const usage = `npm run provider -- [--endpoint <url>] [--port <n>] [--directory <folder>]

Serves the engine's resource types to the Pulumi CLI as the provider of package aws, until Ctrl-C.

  --endpoint <url>       Where all AWS calls go. Default: aws:endpoints of the stack's config.
  --port <n>             TCP port on 127.0.0.1. Default a free one.
  --directory <folder>   Where relative paths of assets start: the folder of the program. Default that of index.ts.`;

/** The folder that index.ts is compiled to. */
const compiled = dirname(__dirname);

runCommand(async () => {
  const options = readArguments(usage, {
    endpoint: { type: "string" },
    port: { type: "string" },
    directory: { type: "string" },
  });
  const { endpoint, directory } = options;
  await using serving = await serveProvider({
    endpoint,
    port: toPort(options.port),
    directory: directory ? resolve(directory) : compiled,
  });
  const tell = (environment: Record<string, string>) =>
    Object.entries(environment).map(([name, value]) => `  export ${name}=${value}`);
  console.log(`Provider of package aws on port ${serving.port}\n\nUse it from a shell:`);
  console.log(tell(serving.environment()).join("\n"));
  console.log("\nand, for a Pulumi CLI without pulumi-language-nodejs:");
  console.log(tell(serving.environment({ provider: false, language: true })).join("\n"));
  console.log("\nCtrl-C ends it.");
  await interrupted();
});
