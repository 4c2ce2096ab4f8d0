import { SQS } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Declared } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";
import { called, cli, declared, type PulumiProject, pulumiProject } from "./harness/pulumi-cli";

const queue = (name: string, args: object = {}): Declared => ({ type: "sqs.Queue", name, args }) as Declared;

/** A queue and one that sends its dead letters there. */
const pair = (args: object = {}): Declared[] => [
  queue("dead", args),
  queue("jobs", { ...args, redrivePolicy: '{"maxReceiveCount":3,"deadLetterTargetArn":"<dead.arn>"}' }),
];

describe.skipIf(!cli)(
  called("the Pulumi CLI with our provider, without any plugin of its own"),
  { timeout: 60_000 },
  () => {
    const emulator = useEmulator();
    const sqs = () => new SQS(settings(emulator.current));
    const queueNames = async (prefix: string) =>
      ((await sqs().listQueues({ QueueNamePrefix: prefix })).QueueUrls ?? []).map((url) => url.split("/").at(-1)!);
    const attribute = async (QueueUrl: string, name: "VisibilityTimeout" | "RedrivePolicy") =>
      (await sqs().getQueueAttributes({ QueueUrl, AttributeNames: [name] })).Attributes?.[name];

    let project: PulumiProject;
    beforeAll(async () => {
      project = await pulumiProject("declared", "integration/programs/declared/index.js", emulator.current.endpoint);
    });
    afterAll(() => project?.[Symbol.asyncDispose]());

    it("previews with values that only the deployment will tell, and makes nothing", async () => {
      const stack = await project.stack("preview", declared(pair(), { arn: "$dead.arn", name: "$dead.name" }));
      const { code, text } = await stack.run(["preview", "--diff"]);
      expect(code, text).toBe(0);
      expect(text).toMatch(/name +: "dead-[0-9a-f]{7}"/);
      expect(text).toMatch(/redrivePolicy: \[unknown\]/);
      expect(text).toMatch(/arn +: \[unknown\]/);
      expect(text).toMatch(/\+ 3 to create/);
      expect(await queueNames("")).toEqual([]);
    });

    it("creates what the program declares, and finds nothing to do the second time", async () => {
      const stack = await project.stack("create", declared(pair(), { url: "$jobs.url", arn: "$dead.arn" }));
      expect(await stack.up()).toEqual(["create default_7_48_0", "create dead", "create jobs"]);
      const { url, arn } = await stack.outputs();
      expect(String(url)).toMatch(/\/jobs-[0-9a-f]{7}$/);
      expect(JSON.parse((await attribute(String(url), "RedrivePolicy"))!)).toMatchObject({ deadLetterTargetArn: arn });
      expect(await stack.up(["--expect-no-changes"])).toEqual([]);
      expect(await stack.up(["--refresh", "--expect-no-changes"])).toEqual([]);
    });

    it("updates in place and keeps the generated name", async () => {
      const stack = await project.stack("update", declared([queue("one")], { url: "$one.url" }));
      await stack.up();
      const before = await stack.outputs();
      await stack.configure(declared([queue("one", { visibilityTimeoutSeconds: 45 })], { url: "$one.url" }));
      const { text } = await stack.run(["preview", "--diff"]);
      expect(text).toMatch(/\+ visibilityTimeoutSeconds: 45/);
      expect(text).not.toMatch(/\[unknown\]/);
      expect(await stack.up()).toEqual(["update one"]);
      expect(await stack.outputs()).toEqual(before);
      expect(await attribute(String(before.url), "VisibilityTimeout")).toBe("45");
    });

    it("replaces what cannot be changed: the new ones first, then the old ones, dependents before what they need", async () => {
      const stack = await project.stack("replace", declared(pair()));
      await stack.up();
      await stack.configure(declared(pair({ fifoQueue: true })));
      const { text } = await stack.run(["preview"]);
      expect(text).toMatch(/\+-2 to replace/);
      const steps = await stack.up();
      expect(steps.filter((step) => /^(create-replacement|delete-replaced)/.test(step))).toEqual([
        "create-replacement dead",
        "create-replacement jobs",
        "delete-replaced jobs",
        "delete-replaced dead",
      ]);
      expect((await queueNames("jobs-")).filter((name) => name.endsWith(".fifo"))).toHaveLength(1);
    });

    it("deletes first what holds a name that the new one wants", async () => {
      const table = (hashKey: string): Declared[] => [
        {
          type: "dynamodb.Table",
          name: "fixed",
          args: { name: "fixed", billingMode: "PAY_PER_REQUEST", hashKey, attributes: [{ name: hashKey, type: "S" }] },
        },
      ];
      const stack = await project.stack("fixed", declared(table("a")));
      await stack.up();
      await stack.configure(declared(table("b")));
      const steps = await stack.up();
      expect(steps.indexOf("delete-replaced fixed")).toBeGreaterThanOrEqual(0);
      expect(steps.indexOf("delete-replaced fixed")).toBeLessThan(steps.indexOf("create-replacement fixed"));
    });

    it("sees in a refresh what was changed and deleted meanwhile, and puts it right", async () => {
      const resources = [queue("changed", { visibilityTimeoutSeconds: 30 }), queue("gone")];
      const stack = await project.stack("refresh", declared(resources, { changed: "$changed.url", gone: "$gone.url" }));
      await stack.up();
      const { changed, gone } = (await stack.outputs()) as Record<string, string>;
      await sqs().setQueueAttributes({ QueueUrl: changed, Attributes: { VisibilityTimeout: "99" } });
      await sqs().deleteQueue({ QueueUrl: gone });
      const { code, text } = await stack.run(["refresh", "--yes", "--skip-preview"]);
      expect(code, text).toBe(0);
      expect(text).toMatch(/~ 1 updated/);
      expect(text).toMatch(/- 1 deleted/);
      expect((await stack.up()).sort()).toEqual(["create gone", "update changed"]);
      expect(await attribute(changed!, "VisibilityTimeout")).toBe("30");
    });

    it("keeps secrets encrypted in the state, those of the config and those that AWS makes", async () => {
      const secret = "the-secret-of-the-function";
      const config = declared(
        [queue("hidden", { tags: { token: "$secret.token" } }), { type: "apigateway.ApiKey", name: "key", args: {} }],
        { tags: "$hidden.tags", key: "$key.value" },
      );
      const stack = await project.stack("secrets", config, { "declared:token": secret });
      await stack.up();
      const outputs = await stack.outputs();
      expect(outputs).toMatchObject({ tags: { token: secret }, key: expect.stringMatching(/^\w{20,}$/) });
      const state = await stack.state();
      expect(state).toContain("ciphertext");
      expect(state).not.toContain(secret);
      expect(state).not.toContain(String(outputs.key));
      const { text } = await stack.run(["stack", "output"]);
      expect(text).not.toContain(secret);
    });

    it("tells AWS's own error and what helps, and which types it does not know", async () => {
      const stack = await project.stack("failing", declared([queue("slow", { delaySeconds: 901 })]));
      const failed = await stack.run(["up", "--yes", "--skip-preview"]);
      expect(failed.code).not.toBe(0);
      expect(failed.text).toMatch(/slow.*creating failed|InvalidAttributeValue/s);
      await stack.configure(declared([{ type: "aws:eks/cluster:Cluster", name: "cluster", args: {} }]));
      const unknown = await stack.run(["preview"]);
      expect(unknown.code).not.toBe(0);
      expect(unknown.text).toMatch(/aws:eks\/cluster:Cluster is not supported by the Sensorcast engine/);
    });

    it("destroys everything, dependents first", async () => {
      const stack = await project.stack("destroy", declared(pair({ tags: { of: "destroy" } }), { url: "$jobs.url" }));
      await stack.up();
      const { url } = await stack.outputs();
      const { code, text } = await stack.run(["destroy", "--yes", "--skip-preview"]);
      expect(code, text).toBe(0);
      expect(text.indexOf("jobs deleted")).toBeLessThan(text.indexOf("dead deleting"));
      expect(await queueNames("jobs-")).not.toContain(String(url).split("/").at(-1));
    });
  },
);

describe.skipIf(!cli)(called("index.ts by the Pulumi CLI"), () => {
  const emulator = useEmulator();

  it("is deployed, works, stays as it is at a second time, and goes again", async () => {
    await using project = await pulumiProject("sensorcast", "dist/index.js", emulator.current.endpoint);
    const stack = await project.stack("whole");
    const steps = await stack.up();
    expect(steps.length).toBeGreaterThan(100);
    const { url, apiKey } = (await stack.outputs()) as Record<string, string>;
    const message = { tsmTuid: "TSPR04E2O90201558", tsmId: 12100, tsmEv: 10, tsmTs: 1520416221, temp: 21.3 };
    const answer = await fetch(url!, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": apiKey! },
      body: JSON.stringify([message]),
    });
    expect(await answer.json()).toEqual({ status: "ok", accepted: 1, rejected: 0 });
    expect(await stack.up(["--refresh", "--expect-no-changes"])).toEqual([]);
    const { code, text } = await stack.run(["destroy", "--yes", "--skip-preview"]);
    expect(code, text).toBe(0);
  }, 240_000);
});
