import { resolve } from "node:path";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateQueueCommand, GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../emulator";
import { startStack } from "../testing";
import { program } from "./harness/deploying";

const queue = (name: string, args = {}) => ({ type: "sqs.Queue", name, args: { name, ...args } });
const declared = (resources: object[], outputs: Record<string, string> = {}) => ({
  program: program("declared"),
  config: { resources, outputs },
});
const jobs = declared([queue("jobs", { messageRetentionSeconds: 60 })], { url: "$jobs.url" });

describe("startStack", () => {
  it("deploys a program, gives its outputs and clients that reach it, and moves its time", async () => {
    await using stack = await startStack<{ url: string }>(jobs);
    const { url: QueueUrl } = stack.outputs;
    const sqs = stack.client(SQSClient);
    expect(stack.client(SQSClient)).toBe(sqs);
    const waiting = async () => {
      const AttributeNames = ["ApproximateNumberOfMessages" as const];
      return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;
    };
    expect(await waiting()).toEqual({ ApproximateNumberOfMessages: "0" });
    const before = stack.clock.now();
    await stack.clock.advance("1 hour");
    expect(stack.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
    expect(stack.resources.map(({ name }) => name)).toContain("jobs");
  });

  it("applies what has changed, and shows the new outputs", async () => {
    await using stack = await startStack<{ url: string }>(jobs);
    await stack.update(declared([queue("jobs"), queue("more")], { url: "$more.url" }));
    expect(stack.outputs.url).toMatch(/\/more$/);
  });

  it("ends with everything that is on it", async () => {
    const stack = await startStack(jobs);
    const { endpoint } = stack.emulator;
    await stack.close();
    await stack.close();
    await expect(fetch(endpoint)).rejects.toThrow();
  });

  it("leaves an AWS that was there before, without the stack", async () => {
    await using on = await startEmulator({ port: 0 });
    const stack = await startStack({ ...jobs, on });
    const sqs = new SQSClient(stack.settings);
    await sqs.send(new CreateQueueCommand({ QueueName: "mine" }));
    await stack.close();
    const { QueueUrls } = await sqs.send(new ListQueuesCommand({}));
    sqs.destroy();
    expect(QueueUrls).toEqual([expect.stringMatching(/\/mine$/)]);
  });

  it("says what is wrong with a program, and leaves no AWS behind", async () => {
    // The port is free again at once.
    const first = await startEmulator({ port: 0 });
    const { port } = first;
    await first.close();
    const nowhere = { program: resolve(__dirname, "nowhere"), emulator: { port } };
    await expect(startStack(nowhere)).rejects.toThrow("there is no program at");
    await (await startEmulator({ port })).close();
  });

  it("reports what IAM refused, each once, with the statement that would allow it", async () => {
    await using stack = await startStack(jobs);
    expect(stack.denialReport()).toBe("");
    const iam = stack.client(IAMClient);
    await iam.send(new CreateUserCommand({ UserName: "ann" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
    const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey!;
    const sqs = new SQSClient({ ...stack.settings, credentials: { accessKeyId, secretAccessKey } });
    for (let i = 0; i < 2; i++) await expect(sqs.send(new ListQueuesCommand({}))).rejects.toThrow("not authorized");
    sqs.destroy();
    expect(stack.denialReport().split("\n")).toEqual([
      expect.stringContaining("user/ann is not authorized to perform: sqs:listqueues"),
      expect.stringContaining('would need {"Effect":"Allow","Action":"sqs:ListQueues"'),
    ]);
  });
});
