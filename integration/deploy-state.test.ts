import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQS } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStack } from "../deploy";
import { type Declared, declaring, deployDeclared, find, program, recorder } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "state-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const roleFor = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

const withSecret: Declared[] = [
  { type: "iam.Role", name: "role", args: { assumeRolePolicy: roleFor("lambda.amazonaws.com") } },
  {
    type: "lambda.Function",
    name: "fn",
    args: {
      role: "$role.arn",
      runtime: "nodejs24.x",
      handler: "index.handler",
      environment: { variables: { TOKEN: "$secret.token" } },
      code: { assets: { "index.js": { text: "exports.handler = async () => 'code-in-clear';" } } },
    },
  },
];

describe("a state file", () => {
  it("lets another process go on where the first stopped, and keeps code and secrets to itself", async () => {
    const options = {
      stateFile: join(folder, "encrypted.json"),
      passphrase: "correct horse",
      secretConfig: { token: "battery-staple" },
      outputs: { token: "$secret.token", arn: "$fn.arn" },
    };
    const first = await deployDeclared(emulator.current, withSecret, options);
    expect(first.outputs.token).toEqual({ value: "battery-staple", secret: true });
    expect(first.outputs.arn?.secret).toBe(false);
    expect(find(first, "fn").inputs.environment?.secret).toBe(true);

    const text = await readFile(options.stateFile, "utf8");
    expect(text).toContain("ciphertext");
    expect(text).not.toMatch(/battery-staple|code-in-clear/);
    expect((await stat(options.stateFile)).mode & 0o077).toBe(0);
    expect(await readdir(folder)).toEqual(["encrypted.json"]);

    const second = await deployDeclared(emulator.current, withSecret, options);
    expect(second.summary).toEqual({ created: 0, updated: 0, replaced: 0, deleted: 0, same: 2 });
    expect(second.outputs).toEqual(first.outputs);

    await expect(deployDeclared(emulator.current, withSecret, { ...options, passphrase: "wrong" })).rejects.toThrow(
      /the passphrase is not the one/,
    );
    const opened = await openStack({
      ...options,
      program: program("declared"),
      stack: "test",
      endpoint: emulator.current.endpoint,
    });
    expect(opened.resources).toHaveLength(3);
    expect((await opened.destroy()).deleted).toBe(2);
    expect(JSON.parse(await readFile(options.stateFile, "utf8")).resources).toEqual([]);
  });

  it("that outlived its emulator is believed no more than the endpoint: what is gone is created again", async () => {
    const stateFile = join(folder, "outlived.json");
    const resources: Declared[] = [
      { type: "sqs.Queue", name: "jobs" },
      {
        type: "dynamodb.Table",
        name: "items",
        args: { hashKey: "id", attributes: [{ name: "id", type: "S" }], billingMode: "PAY_PER_REQUEST" },
      },
    ];
    const first = await deployDeclared(emulator.current, resources, { stateFile });
    await new SQS(settings(emulator.current)).deleteQueue({ QueueUrl: find(first, "jobs").id });
    const { events, onEvent } = recorder();
    const second = await deployDeclared(emulator.current, resources, { stateFile, onEvent });
    expect(second.summary).toMatchObject({ created: 1, same: 1 });
    expect(events).toContainEqual(
      expect.objectContaining({ severity: "warning", message: expect.stringContaining("no longer at the endpoint") }),
    );
    await second.destroy();
  });

  it("of something else is refused before anything is deployed", async () => {
    const stateFile = join(folder, "other.json");
    const attempt = () => deployDeclared(emulator.current, [], { stateFile });
    await writeFile(stateFile, "{ half");
    await expect(attempt()).rejects.toThrow("is not a state file: it is not JSON");
    await writeFile(
      stateFile,
      JSON.stringify({ version: 1, project: "shop", stack: "prod", resources: [], pending: [] }),
    );
    await expect(attempt()).rejects.toThrow(/holds stack "prod" of project "shop", not "test" of "declared"/);
  });

  it("that somebody has damaged is refused with the place, before anything is deployed", async () => {
    const stateFile = join(folder, "damaged.json");
    const damages: [state: object, message: string][] = [
      [{ resources: [null], pending: [] }, "is damaged: resources[0] is no resource"],
      [
        { resources: [{ urn: "urn:x", type: "t", name: "n", custom: true }], pending: [] },
        "resources[0] (urn:x) has no inputs",
      ],
      [{ resources: [] }, "is damaged: it has no list of pending operations"],
    ];
    for (const [state, message] of damages) {
      await writeFile(stateFile, JSON.stringify({ version: 1, project: "declared", stack: "test", ...state }));
      await expect(deployDeclared(emulator.current, [], { stateFile })).rejects.toThrow(message);
    }
  });

  it("serves one deployment at a time; a lock that a crash left behind does not count", async () => {
    const stateFile = join(folder, "shared.json");
    const resources: Declared[] = [{ type: "sqs.Queue", name: "once" }];
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await writeFile(`${stateFile}.lock`, String(pid));
    const both = await Promise.allSettled([1, 2].map(() => deployDeclared(emulator.current, resources, { stateFile })));
    const [refused] = both.filter((result) => result.status === "rejected");
    expect(refused?.reason).toMatchObject({ name: "DeployError", message: expect.stringContaining("is under way on") });
    const [done] = both.filter((result) => result.status === "fulfilled");
    const { QueueUrls } = await new SQS(settings(emulator.current)).listQueues({ QueueNamePrefix: "once" });
    expect(QueueUrls).toHaveLength(1);

    const again = await Promise.allSettled([done?.value.update(), done?.value.destroy()]);
    expect(again.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await done?.value.destroy();
    expect((await readdir(folder)).filter((name) => name.includes("lock"))).toEqual([]);
  });

  it("tells of an operation that a crash interrupted", async () => {
    const stateFile = join(folder, "crashed.json");
    const urn = "urn:pulumi:test::declared::aws:sqs/queue:Queue::lost";
    const pending = [{ urn, operation: "create" }];
    await writeFile(
      stateFile,
      JSON.stringify({ version: 1, project: "declared", stack: "test", resources: [], pending }),
    );
    const { events, onEvent } = recorder();
    const deployment = await deployDeclared(emulator.current, [], { stateFile, onEvent });
    expect(events).toContainEqual(
      expect.objectContaining({ severity: "warning", urn, message: expect.stringContaining('"lost"') }),
    );
    await deployment.destroy();
  });
});

describe("a changed secret", () => {
  it("updates the resource like any other change", async () => {
    const first = await deployDeclared(emulator.current, withSecret, { secretConfig: { token: "one" } });
    const second = await first.update({ ...declaring(withSecret), secretConfig: { token: "two" } });
    expect(second.summary).toMatchObject({ updated: 1, same: 1 });
    await second.destroy();
  });
});
