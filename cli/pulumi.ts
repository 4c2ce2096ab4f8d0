import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { serveProvider } from "../deploy/serving";
import { runCommand, UsageError } from "./arguments";

const { load: parseYaml } = require("js-yaml") as { load(text: string): unknown };

/** The clone, and the folder in it that index.ts is compiled to. */
const root = join(__dirname, "..", "..");
const compiled = join(root, "dist");

const usage = `npm run preview | up | refresh | destroy -- --stack <name> [options of the Pulumi CLI]
npm run pulumi -- <any command of the Pulumi CLI>

Runs the Pulumi CLI on index.ts. A stack whose Pulumi.<name>.yaml has aws:endpoints, such as local, goes to the AWS that
listens there, through this clone's own provider; any other one to AWS, through Pulumi's.`;

const deploying = ["preview", "up", "refresh", "destroy"];

interface StackFile {
  config?: { "aws:endpoints"?: Record<string, string>[] };
}

/** The value of an option of the Pulumi CLI: `--stack dev`, `--stack=dev`, `-s dev`. */
function optionOf(args: readonly string[], long: string, short: string): string | undefined {
  for (const [index, word] of args.entries()) {
    if (word === long || word === short) return args[index + 1];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
  }
  return undefined;
}

/** Where the stack's AWS is, when it is not the real one. A stack may be named `organization/project/stack`. */
function endpointOf(stack: string | undefined): string | undefined {
  const file = join(root, `Pulumi.${stack?.split("/").at(-1)}.yaml`);
  if (!stack || !existsSync(file)) return undefined;
  const { config } = (parseYaml(readFileSync(file, "utf8")) ?? {}) as StackFile;
  return Object.values(config?.["aws:endpoints"]?.[0] ?? {})[0];
}

/** Tells at once what every resource would tell one after the other. */
function checkListening(endpoint: string): Promise<void> {
  const { hostname, port, protocol } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === "https:" ? 443 : 80) }, () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", () =>
      reject(new UsageError(`Nothing listens at ${endpoint}: start the embedded AWS with "npm run emulator".`)),
    );
  });
}

/** A local stack's state is beside the clone's other local things, and needs no account and no passphrase of one's own. */
function localSettings(): Record<string, string> {
  const state = join(root, ".sensorcast", "pulumi");
  mkdirSync(state, { recursive: true });
  const backend = { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "local" };
  return { ...backend, PULUMI_SKIP_UPDATE_CHECK: "true" };
}

const hasLanguageHost = (cli: string) =>
  [dirname(cli), ...(process.env.PATH ?? "").split(delimiter)].some((folder) =>
    ["pulumi-language-nodejs", "pulumi-language-nodejs.exe"].some((name) => existsSync(join(folder, name))),
  );

function run(cli: string, args: readonly string[], environment: Record<string, string>): Promise<number> {
  // The CLI ends itself in good order at a Ctrl-C, which it gets too; this process waits for it.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  const child = spawn(cli, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...environment } });
  const end = (signal: NodeJS.Signals) => child.kill(signal);
  process.once("SIGTERM", end);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => {
    process.off("SIGINT", ignore);
    process.off("SIGTERM", end);
  });
}

runCommand(async () => {
  const [command, ...rest] = process.argv.slice(2);
  if (!command) throw new UsageError(usage);
  const cli = process.env.SENSORCAST_PULUMI;
  if (!cli) throw new UsageError(`Start it by npm, which finds the Pulumi CLI.\n\n${usage}`);
  const stack = optionOf(rest, "--stack", "-s");
  const isDeploying = deploying.includes(command) && !rest.includes("--help") && !rest.includes("-h");
  if (isDeploying && !stack)
    throw new UsageError(`--stack is missing: local for the embedded AWS, dev for AWS.\n\n${usage}`);
  const endpoint = endpointOf(stack);
  if (endpoint && isDeploying) await checkListening(endpoint);
  await using serving = await serveProvider({ directory: compiled });
  const environment = {
    ...serving.environment({ provider: endpoint !== undefined, language: !hasLanguageHost(cli) }),
    ...(endpoint && localSettings()),
  };
  let code = 0;
  if (stack && (command === "preview" || command === "up") && isDeploying) {
    code = await run(cli, ["stack", "select", "--create", stack], environment);
  }
  process.exitCode = code || (await run(cli, [command, ...rest], environment));
});
