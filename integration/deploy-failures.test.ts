import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IAM } from "@aws-sdk/client-iam";
import { SQS } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeployError, deploy } from "../deploy";
import { AwsError } from "../emulator";
import { deployDeclared, find, program, recorder } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

/** The rejection of a deployment. */
const failing = async (deployment: Promise<unknown>) => {
  const error = await deployment.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeployError);
  return error as DeployError;
};

describe("a resource that cannot be made", () => {
  it("is told in one message with the reason and the place; what exists is kept and can be destroyed", async () => {
    const { events, onEvent } = recorder();
    const error = await failing(
      deployDeclared(
        emulator.current,
        [
          { type: "sqs.Queue", name: "fine" },
          {
            type: "sqs.Queue",
            name: "broken",
            args: { visibilityTimeoutSeconds: 99999 },
            options: { dependsOn: ["$fine"] },
          },
          { type: "sqs.Queue", name: "later", options: { dependsOn: ["$broken"] } },
        ],
        { onEvent },
      ),
    );
    expect(error.failures).toHaveLength(1);
    expect(error.failures[0]).toMatchObject({ name: "broken", operation: "create" });
    expect(error.message).toMatch(
      /^aws:sqs\/queue:Queue "broken" could not be created: .*(VisibilityTimeout|Invalid).*\n {2}created at index\.js:\d+:\d+\n {2}urn:pulumi:test::declared::aws:sqs\/queue:Queue::broken$/,
    );
    // Nothing else is reported: the SDK is kept from adding its own complaints about everything that waited.
    expect(events.filter(({ kind }) => kind === "failed" || kind === "output")).toHaveLength(1);
    expect(events.filter((event) => event.kind === "log" && event.severity === "error")).toEqual([]);

    const { deployment } = error;
    expect(deployment?.resources.map(({ name }) => name)).toEqual(["declared-test", "fine"]);
    const sqs = new SQS(settings(emulator.current));
    expect((await sqs.listQueues({})).QueueUrls).toEqual([find(deployment!, "fine").id]);
    await deployment!.destroy();
    expect((await sqs.listQueues({})).QueueUrls ?? []).toEqual([]);
  });

  it("does not pretend: types it does not know and components of other packages are refused by name", async () => {
    const unknown = await failing(deployDeclared(emulator.current, [{ type: "acme:index:Rocket", name: "apollo" }]));
    expect(unknown.message).toContain("acme:index:Rocket is not supported by the Sensorcast engine");
    const remote = await failing(
      deployDeclared(emulator.current, [{ type: "remote", name: "net", args: { type: "awsx:ec2:Elsewhere" } }]),
    );
    expect(remote.message).toContain('awsx:ec2:Elsewhere "net" could not be created');
    expect(remote.message).toContain("no local construct");
  });

  it("names the endpoint's absence and two resources of one name", async () => {
    const nobody = await failing(
      deployDeclared({ endpoint: "http://127.0.0.1:9" }, [{ type: "sqs.Queue", name: "jobs" }]),
    );
    expect(nobody.message).toContain("what helps: check that the emulator runs and the endpoint is right");
    const twice = await failing(
      deployDeclared(emulator.current, [
        { type: "ec2.Vpc", name: "net" },
        { type: "ec2.Vpc", name: "net", key: "again" },
      ]),
    );
    expect(twice.message).toContain("another resource of this type has the same name");
  });
});

describe("a resource that was made only halfway", () => {
  it("stays in the state, and the next deployment makes it anew", async () => {
    const role = (name: string) => ({
      type: "iam.Role",
      name,
      args: {
        name: "halfway",
        assumeRolePolicy: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
        inlinePolicies: [
          {
            name: "work",
            policy: JSON.stringify({
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
            }),
          },
        ],
      },
    });
    const stop = emulator.current.intercept(({ operation }) => {
      if (operation === "PutRolePolicy") throw new AwsError("ServiceFailure", "the service is having a bad day", 400);
    });
    const error = await failing(deployDeclared(emulator.current, [role("worker")]));
    stop();
    expect(error.message).toContain("ServiceFailure: the service is having a bad day");
    expect(error.deployment?.resources.map(({ name }) => name)).toContain("worker");
    const iam = new IAM(settings(emulator.current));
    expect((await iam.listRolePolicies({ RoleName: "halfway" })).PolicyNames).toEqual([]);

    const repaired = await error.deployment!.update();
    expect((await iam.listRolePolicies({ RoleName: "halfway" })).PolicyNames).toEqual(["work"]);
    await repaired.destroy();
    await expect(iam.getRole({ RoleName: "halfway" })).rejects.toThrow();
  });
});

describe("a program that fails", () => {
  let folder: string;
  beforeAll(async () => {
    // Inside the project, so that the program finds its dependencies.
    folder = await mkdtemp(join(program("."), ".failing-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = async (source: string) => {
    const path = join(folder, `${Math.random().toString(36).slice(2)}.js`);
    await writeFile(path, source);
    return failing(deploy({ program: path, stack: "test", project: "shop", endpoint: emulator.current.endpoint }));
  };

  it("shows the exception and where in the program it came from, and nothing of Pulumi's own frames", async () => {
    const { message } = await run(
      'const pulumi = require("@pulumi/pulumi");\nfunction price(item) {\n  return item.price.amount;\n}\nprice({});\n',
    );
    expect(message).toMatch(/^the program failed: TypeError: Cannot read properties of undefined \(reading 'amount'\)/);
    expect(message).toMatch(/at price \(\w+\.js:3:21\)/);
    expect(message).not.toMatch(/node_modules|node:internal/);
  });

  it("says which config value is missing and how to give it", async () => {
    const { message } = await run('new (require("@pulumi/pulumi").Config)().require("token");\n');
    expect(message).toContain('the config value "shop:token" is missing: give it as config or secretConfig');
  });

  it("points at a syntax error", async () => {
    const { message } = await run("const = 1;\n");
    expect(message).toMatch(/\w+\.js:1/);
    expect(message).toContain("SyntaxError");
  });

  it("may catch the failure of a data source", async () => {
    const { message } = await run(
      'const aws = require("@pulumi/aws");\naws.ssm.getParameter({ name: "x" }).catch((error) => { throw new Error("caught: " + error.message); });\n',
    );
    expect(message).toContain("caught:");
    expect(message).toContain("aws:ssm/getParameter:getParameter is not supported by the Sensorcast engine");
  });

  it("is stopped when it hangs after a failure", async () => {
    const { message } = await run(
      'setInterval(() => {}, 1000);\nnew (require("@pulumi/aws").sqs.Queue)("bad", { delaySeconds: 100000 });\n',
    );
    expect(message).toContain('aws:sqs/queue:Queue "bad" could not be created');
  });

  it("does not go on by itself when the process that deploys it ends", async () => {
    const path = join(folder, "waiting.js");
    await writeFile(path, "console.log('pid', process.pid);\nsetInterval(() => {}, 1000);\n");
    const options = JSON.stringify({
      program: path,
      stack: "test",
      project: "shop",
      endpoint: emulator.current.endpoint,
    });
    const script = `require("./dist/deploy").deploy({ ...${options}, onEvent: ({ line = "" }) => {
      if (line.startsWith("pid ")) { console.log(line); process.exit(0); }
    } });`;
    const pid = Number(/pid (\d+)/.exec(spawnSync(process.execPath, ["-e", script], { encoding: "utf8" }).stdout)?.[1]);
    expect(pid).toBeGreaterThan(0);
    const isRunning = () => {
      try {
        process.kill(pid, 0); // only asks
      } catch {
        return false;
      }
      const entry = `/proc/${pid}/stat`;
      // What has ended keeps its entry until the system collects it.
      return !existsSync(entry) || !readFileSync(entry, "utf8").includes(") Z ");
    };
    await expect.poll(isRunning, { timeout: 1000 }).toBe(false);
  });

  it("refuses settings that cannot work before anything runs", async () => {
    const { endpoint } = emulator.current;
    expect((await failing(deploy({ program: "nowhere", stack: "test", endpoint }))).message).toBe(
      "there is no program at nowhere",
    );
    expect((await failing(deploy({ program: folder, stack: "a b", endpoint }))).message).toContain(
      '"a b" is not a stack name',
    );
    expect((await failing(deploy({ program: folder, stack: "test", endpoint: "4566" }))).message).toContain(
      "is not a URL",
    );
  });
});
