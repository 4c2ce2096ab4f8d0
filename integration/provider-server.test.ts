import { SQS } from "@aws-sdk/client-sqs";
import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import proto from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Serving, serveProvider } from "../deploy/serving";
import { settings, useEmulator } from "./harness/emulator";

const queue = "aws:sqs/queue:Queue";
const urn = `urn:pulumi:test::test::${queue}::jobs`;
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

type Values = Record<string, unknown>;
const struct = (values: Values) => Struct.fromJavaScript(values as Parameters<typeof Struct.fromJavaScript>[0]);
const values = (from: Struct | undefined) => (from?.toJavaScript() ?? {}) as Values;

/** A call as a promise. */
const ask = <Answer>(call: (done: (error: ServiceError | null, answer: Answer) => void) => unknown) =>
  new Promise<Answer>((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));

describe("the provider server, as the engine of Pulumi asks it", () => {
  const emulator = useEmulator();
  let serving: Serving;
  beforeAll(async () => {
    serving = await serveProvider({ endpoint: emulator.current.endpoint, directory: __dirname });
  });
  afterAll(() => serving?.close());

  /** A provider instance: a connection of its own, configured. */
  const attach = async (config: Values = {}) => {
    const client = new ResourceProviderClient(`127.0.0.1:${serving.port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    onTestFinished(() => (client as Client).close());
    const request = new proto.ConfigureRequest().setArgs(struct({ region: "eu-west-1", ...config }));
    await ask<proto.ConfigureResponse>((done) => client.configure(request, done));
    return client;
  };
  const check = async (client: ResourceProviderClient, news: Values, olds: Values = {}, seed = "seed") => {
    const request = new proto.CheckRequest().setUrn(urn).setNews(struct(news)).setOlds(struct(olds));
    const answer = await ask<proto.CheckResponse>((done) =>
      client.check(request.setRandomseed(Buffer.from(seed)), done),
    );
    return values(answer.getInputs());
  };
  const create = (client: ResourceProviderClient, inputs: Values, preview = false) =>
    ask<proto.CreateResponse>((done) =>
      client.create(new proto.CreateRequest().setUrn(urn).setProperties(struct(inputs)).setPreview(preview), done),
    );

  it("names by the seed, so that a preview and what follows agree, and keeps the name afterwards", async () => {
    const client = await attach();
    const first = await check(client, {});
    expect(first.name).toMatch(/^jobs-[0-9a-f]{7}$/);
    expect(await check(client, {})).toEqual(first);
    expect((await check(client, {}, {}, "another")).name).not.toBe(first.name);
    expect((await check(client, { delaySeconds: 1 }, first, "another")).name).toBe(first.name);
    expect(await check(client, { name: "given" }, first)).toEqual({ name: "given" });
  });

  it("leaves out of a preview what only the deployment can tell, and passes unknown values on", async () => {
    const client = await attach();
    const answer = await create(client, { name: "jobs-1", delaySeconds: unknown }, true);
    expect(answer.getId()).toBe("");
    const outputs = values(answer.getProperties());
    expect(outputs).toMatchObject({ name: "jobs-1", delaySeconds: unknown, region: "eu-west-1" });
    expect(outputs).not.toHaveProperty("arn");
  });

  it("is several providers at once, each with the settings of its connection", async () => {
    const [here, there] = [await attach(), await attach({ region: "us-east-1" })];
    await create(here, { name: "here" });
    await create(there, { name: "there" });
    const urls = async (region: string) =>
      ((await new SQS(settings(emulator.current, { region })).listQueues({})).QueueUrls ?? []).map((url) =>
        url.split("/").at(-1),
      );
    expect(await urls("eu-west-1")).toEqual(["here"]);
    expect(await urls("us-east-1")).toEqual(["there"]);
  });

  it("does nothing without an endpoint, nor with two", async () => {
    await using bare = await serveProvider({ directory: __dirname });
    const client = new ResourceProviderClient(`127.0.0.1:${bare.port}`, credentials.createInsecure());
    onTestFinished(() => (client as Client).close());
    const configure = (args: Values) =>
      ask((done) => client.configure(new proto.ConfigureRequest().setArgs(struct(args)), done)).then(
        () => "configured",
        (error: ServiceError) => error.details,
      );
    expect(await configure({})).toContain("there is no endpoint: give --endpoint, or aws:endpoints");
    const two = JSON.stringify([{ sqs: "http://localhost:1", s3: "http://localhost:2" }]);
    expect(await configure({ endpoints: two })).toContain("all services must be at one URL");
    const one = JSON.stringify([{ sqs: emulator.current.endpoint, s3: emulator.current.endpoint }]);
    expect(await configure({ endpoints: one })).toBe("configured");
  });
});
