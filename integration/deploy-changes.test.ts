import { APIGateway } from "@aws-sdk/client-api-gateway";
import { SQS } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { DeployError } from "../deploy";
import { type Declared, declaring, deployDeclared, find, recorder } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const sqs = () => new SQS(settings(emulator.current));
const queueNames = async () => ((await sqs().listQueues({})).QueueUrls ?? []).map((url) => url.split("/").at(-1));

const queue = (name: string, args: object = {}, options: object = {}): Declared =>
  ({ type: "sqs.Queue", name, args, options }) as Declared;

/** The rejection of a deployment. */
const failing = async (deployment: Promise<unknown>) => {
  const error = await deployment.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeployError);
  return error as DeployError;
};

describe("a second deployment of a changed program", () => {
  it("updates in place, replaces what cannot be changed, deletes what is gone, and keeps the rest", async () => {
    const first = await deployDeclared(emulator.current, [
      queue("kept"),
      queue("changed", { visibilityTimeoutSeconds: 30, delaySeconds: 5 }),
      queue("replaced"),
      queue("dropped"),
    ]);
    expect(first.summary).toEqual({ created: 4, updated: 0, replaced: 0, deleted: 0, same: 0 });

    const { steps, onEvent } = recorder();
    const second = await first.update({
      ...declaring([
        queue("kept"),
        queue("changed", { visibilityTimeoutSeconds: 45 }),
        queue("replaced", { fifoQueue: true }),
      ]),
      onEvent,
    });
    expect(second.summary).toEqual({ created: 0, updated: 1, replaced: 1, deleted: 2, same: 1 });
    expect(find(second, "kept").id).toBe(find(first, "kept").id);
    expect(find(second, "changed").id).toBe(find(first, "changed").id);
    expect(find(second, "replaced").id).toMatch(/replaced-[0-9a-f]{7}\.fifo$/);
    // The new one exists before the old one goes.
    expect(steps.indexOf("replace replaced")).toBeLessThan(steps.indexOf("delete replaced"));

    const { Attributes } = await sqs().getQueueAttributes({
      QueueUrl: find(second, "changed").id,
      AttributeNames: ["VisibilityTimeout", "DelaySeconds"],
    });
    expect(Attributes).toEqual({ VisibilityTimeout: "45", DelaySeconds: "0" });

    expect((await second.destroy()).deleted).toBe(3);
    expect(await queueNames()).toEqual([]);
  });

  it("moves dependents to the replacement before the replaced resource is deleted", async () => {
    const declared = (fifoQueue: boolean): Declared[] => [
      queue("source", fifoQueue ? { fifoQueue } : {}),
      { type: "sqs.QueuePolicy", name: "policy", args: { queueUrl: "$source.url", policy: policy } },
    ];
    const policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }],
    });
    const first = await deployDeclared(emulator.current, declared(false));
    const { steps, onEvent } = recorder();
    const second = await first.update({ ...declaring(declared(true)), onEvent });
    expect(steps).toEqual(["replace source", "replace policy", "delete policy", "delete source"]);
    expect(find(second, "policy").id).toBe(find(second, "source").id);
    await second.destroy();
  });
});

describe("resource options", () => {
  it("makes again what lived inside something that was deleted and made again under its fixed name", async () => {
    const declared = (role: string): Declared[] => [
      {
        type: "apigateway.RestApi",
        name: "api",
        args: { name: "api" },
      },
      {
        type: "apigateway.Resource",
        name: "path",
        args: { restApi: "$api", parentId: "$api.rootResourceId", pathPart: role },
      },
      {
        type: "apigateway.Method",
        name: "method",
        args: { restApi: "$api", resourceId: "$path.id", httpMethod: "GET", authorization: "NONE" },
      },
      {
        type: "apigateway.Integration",
        name: "mock",
        args: { restApi: "$api", resourceId: "$path.id", httpMethod: "$method.httpMethod", type: "MOCK" },
      },
    ];
    const first = await deployDeclared(emulator.current, declared("old"));
    const second = await first.update(declaring(declared("new")));
    expect(second.summary).toEqual({ created: 0, updated: 0, replaced: 3, deleted: 0, same: 1 });
    const gateway = new APIGateway(settings(emulator.current));
    const { items } = await gateway.getResources({ restApiId: find(second, "api").id, embed: ["methods"] });
    expect(items?.map(({ path }) => path).sort()).toEqual(["/", "/new"]);
    expect(items?.find(({ path }) => path === "/new")?.resourceMethods?.GET?.methodIntegration?.type).toBe("MOCK");
    await second.destroy();
  });

  it("deletes a resource with a fixed name before its replacement is made", async () => {
    const table = (rangeKey?: string): Declared => ({
      type: "dynamodb.Table",
      name: "table",
      args: {
        name: "fixed",
        billingMode: "PAY_PER_REQUEST",
        hashKey: "id",
        ...(rangeKey && { rangeKey }),
        attributes: ["id", ...(rangeKey ? [rangeKey] : [])].map((name) => ({ name, type: "S" })),
      },
    });
    const first = await deployDeclared(emulator.current, [table()]);
    const second = await first.update(declaring([table("at")]));
    expect(second.summary).toMatchObject({ replaced: 1 });
    expect(find(second, "table").outputs.rangeKey?.value).toBe("at");
    await second.destroy();
  });

  it("ignores changes, follows aliases and new parents, imports, and reads what others own", async () => {
    const own = await sqs().createQueue({ QueueName: "made-elsewhere" });
    const first = await deployDeclared(emulator.current, [
      queue("ignoring", { delaySeconds: 1, visibilityTimeoutSeconds: 10 }),
      queue("old-name"),
    ]);
    const second = await first.update(
      declaring([
        queue("ignoring", { delaySeconds: 9, visibilityTimeoutSeconds: 20 }, { ignoreChanges: ["delaySeconds"] }),
        { type: "component", name: "group" },
        queue("new-name", {}, { parent: "$group", aliases: [find(first, "old-name").urn] }),
        queue("adopted", { name: "made-elsewhere" }, { import: own.QueueUrl }),
      ]),
    );
    expect(find(second, "ignoring").outputs).toMatchObject({
      delaySeconds: { value: 1 },
      visibilityTimeoutSeconds: { value: 20 },
    });
    expect(find(second, "new-name")).toMatchObject({ id: find(first, "old-name").id, action: "same" });
    expect(find(second, "new-name").urn).toContain("test:index:Group$aws:sqs/queue:Queue::new-name");
    expect(find(second, "adopted")).toMatchObject({ id: own.QueueUrl, action: "import" });
    await second.destroy();
    expect(await queueNames()).toEqual([]);
  });

  it("never deletes what is protected, and leaves behind what is to be retained", async () => {
    const first = await deployDeclared(emulator.current, [
      queue("guarded", {}, { protect: true }),
      queue("left", { name: "left-behind" }, { retainOnDelete: true }),
    ]);
    const refused = await failing(first.destroy());
    expect(refused.message).toContain('aws:sqs/queue:Queue "guarded" could not be deleted: it is protected');
    expect(await queueNames()).toHaveLength(2);

    const second = await refused.deployment!.update(
      declaring([queue("guarded"), queue("left", { name: "left-behind" }, { retainOnDelete: true })]),
    );
    await second.destroy();
    expect(await queueNames()).toEqual(["left-behind"]);
    await sqs().deleteQueue({ QueueUrl: find(first, "left").id });
  });
});
