import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Deployment, type DeployOptions, deploy, type UpdateOptions, WarmProgram } from "../deploy";
import { useEmulator } from "./harness/emulator";

const aws = useEmulator();

let folder: string;
let warm: WarmProgram;
beforeEach(async () => {
  // Below the clone, where a program finds what is installed.
  folder = await mkdtemp(resolve(__dirname, "../.cache/warm-"));
  warm = new WarmProgram();
  await write("Pulumi.yaml", "name: warm\nruntime: nodejs\n");
  await write("package.json", "{}");
});
afterEach(async () => {
  warm.close();
  await rm(folder, { recursive: true, force: true });
});

const write = async (path: string, text: string) => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};

const start = (options: Partial<DeployOptions> = {}): Promise<Deployment> =>
  deploy({ program: folder, stack: "dev", endpoint: aws.current.endpoint, warm, ...options });

const values = ({ outputs }: Deployment) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));

/** What the program printed meanwhile. */
async function linesOf(deployment: Deployment, options: UpdateOptions = {}) {
  const lines: string[] = [];
  const updated = await deployment.update({
    ...options,
    onEvent: (event) => event.kind === "output" && lines.push(event.line),
  });
  return { lines, updated };
}

const withPid = (text: string) => `${text}\nexports.pid = process.pid;`;

describe("a program that is deployed again by a WarmProgram", () => {
  it("runs as it was edited, in the process that ran it before", async () => {
    await write("index.js", withPid('exports.value = require("./parts/value").value;'));
    await write("parts/value.js", "exports.value = 1;");
    const first = await start();
    await write("parts/value.js", "exports.value = 2;");
    const second = await first.update();
    // The same name leads somewhere else.
    await rm(join(folder, "parts/value.js"));
    await write("parts/value/index.js", "exports.value = 3;");
    const third = await second.update();
    const { pid } = values(first);
    expect([first, second, third].map(values)).toEqual([1, 2, 3].map((value) => ({ pid, value })));
  });

  it("finds its modules as they are at first, those of others, too", async () => {
    await write("node_modules/counter/index.js", "let count = 0; exports.next = () => ++count;");
    await write("own.js", "let count = 0; exports.next = () => ++count;");
    await write("index.js", withPid('exports.counts = [require("counter").next(), require("./own").next()];'));
    const first = await start();
    const second = await first.update();
    expect(values(second)).toEqual({ ...values(first), counts: [1, 1] });
  });

  it("is told its config, its folder and the environment, whatever a run before has made of them", async () => {
    await write(
      "index.js",
      withPid(`
const { Config } = require("@pulumi/pulumi");
exports.seen = [new Config().get("name") ?? "none", process.env.WARM_NAME ?? "none", process.cwd(), process.argv.length];
process.env.WARM_NAME = "left behind";
process.argv.push("left behind");
process.chdir("/");`),
    );
    const first = await start();
    const second = await first.update({ config: { name: "config" } });
    const third = await second.update({ environment: { WARM_NAME: "environment" } });
    expect(values(first).seen).toEqual(["none", "none", folder, 2]);
    expect(values(second)).toEqual({ pid: values(first).pid, seen: ["config", "none", folder, 2] });
    expect(values(third).seen).toEqual(["config", "environment", folder, 2]);
  });

  it("hears of the process's end once each time, and makes what waits for it", async () => {
    await write(
      "index.js",
      withPid(`
const aws = require("@pulumi/aws");
const bucket = new aws.s3.Bucket("files");
bucket.onObjectCreated("created", async () => {});
process.on("beforeExit", () => console.log("beforeExit"));
process.on("exit", () => console.log("exit"));`),
    );
    const first = await start();
    const notifications = ({ resources }: Deployment) =>
      resources.filter(({ type }) => /BucketNotification/.test(type));
    expect(notifications(first)).toHaveLength(1);
    const { lines, updated } = await linesOf(first);
    expect(values(updated)).toEqual(values(first));
    expect(updated.summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0 });
    expect(notifications(updated)).toHaveLength(1);
    const again = await linesOf(updated);
    expect(new Set(again.lines)).toEqual(new Set(["beforeExit", "exit"]));
    expect(again.lines.filter((line) => line === "exit")).toHaveLength(1);
    expect(again.lines.length).toBe(lines.length);
  });

  it("prints its lines in the run that they are of, the last one unfinished", async () => {
    await write("index.js", withPid("console.log('a line'); process.stdout.write('the rest');"));
    const first = await start();
    const { lines } = await linesOf(first);
    expect(lines).toEqual(["a line", "the rest"]);
  });

  it("tells where an error is in what was edited, leaves all as it is, and goes on after it in a new process", async () => {
    await write("tsconfig.json", "{}");
    const fine =
      "interface Shape {\n  name: string;\n}\nexport const shape: Shape = { name: 'fine' };\nexport const pid = process.pid;\n";
    await write("index.ts", fine);
    const first = await start();
    expect(values(first).shape).toEqual({ name: "fine" });
    await write(
      "index.ts",
      `interface Longer {\n  other: string;\n}\n${fine}function broken(): never {\n  throw new Error("edited in error");\n}\nbroken();\n`,
    );
    await expect(first.update()).rejects.toThrow(/edited in error\s+at broken \(index\.ts:10:/);
    await write("index.ts", fine.replace("'fine'", "'mended'"));
    const mended = await first.update();
    expect(values(mended).shape).toEqual({ name: "mended" });
    expect(values(mended).pid).not.toBe(values(first).pid);
  });

  it("may be an ES module: each run has a process that is ready", async () => {
    await write("package.json", '{ "type": "module" }');
    const program = (value: number) =>
      `import * as pulumi from "@pulumi/pulumi";\nexport const value = pulumi.output(${value});\nexport const pid = process.pid;`;
    await write("index.js", program(1));
    const first = await start();
    await write("index.js", program(2));
    const second = await first.update();
    await write("index.js", program(3));
    const third = await second.update();
    expect([first, second, third].map((one) => values(one).value)).toEqual([1, 2, 3]);
    expect(new Set([first, second, third].map((one) => values(one).pid)).size).toBe(3);
  });

  it("gets the same functions as in a process of its own", async () => {
    await write("shared.js", "let greeting = 'hello'; exports.greet = (name) => [greeting, name].join(' ');");
    await write(
      "index.js",
      withPid(`
const { ThingseeIngest } = require(${JSON.stringify(resolve(__dirname, "../dist/components"))});
const { greet } = require("./shared");
const [first, other] = ["a", { b: ["c"] }];
const twice = (text) => greet(greet(text));
new ThingseeIngest("one", { onMessage: (message) => ({ ...message, first, text: greet(first) }) });
new ThingseeIngest("two", { onMessage: (message) => ({ ...message, ...other, text: twice(first) }) });`),
    );
    const cold = await start({ warm: undefined });
    const again = await cold.update({ warm });
    const hot = await again.update();
    for (const { summary } of [again, hot]) {
      expect(summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0 });
    }
    expect(values(hot).pid).toBe(values(again).pid);
    await write("shared.js", "let greeting = 'goodbye'; exports.greet = (name) => [greeting, name].join(' ');");
    const edited = await hot.update();
    const { summary } = await edited.update({ warm: undefined });
    expect(edited.summary.updated).toBeGreaterThan(0);
    expect(summary.updated).toBe(0);
    // Five deployments of two components, three of them by a process that has loaded nothing yet.
  }, 60_000);

  it("gets a new process when packages have been installed", async () => {
    await write("node_modules/.package-lock.json", "{}");
    await write("index.js", withPid(""));
    const first = await start();
    await utimes(join(folder, "node_modules/.package-lock.json"), 1, 1);
    const second = await first.update();
    expect(values(second).pid).not.toBe(values(first).pid);
  });

  it("does not wait for another stack that is being deployed", async () => {
    await write("index.js", withPid("exports.name = require('@pulumi/pulumi').getStack();"));
    const stacks = await Promise.all(["one", "two"].map((stack) => start({ stack })));
    expect(stacks.map((stack) => values(stack).name)).toEqual(["one", "two"]);
    expect(new Set(stacks.map((stack) => values(stack).pid)).size).toBe(2);
  });
});
