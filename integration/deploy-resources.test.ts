import { APIGateway } from "@aws-sdk/client-api-gateway";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { Lambda } from "@aws-sdk/client-lambda";
import { S3 } from "@aws-sdk/client-s3";
import { SQS } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Deployment, deploy, progress } from "../deploy";
import { find, program } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

describe("a service of REST API, functions, queues, table and bucket", () => {
  const lines: string[] = [];
  let service: Deployment;
  const output = (name: string) => String(service.outputs[name]?.value);
  beforeAll(async () => {
    service = await deploy({
      program: program("orders"),
      stack: "test",
      endpoint: emulator.current.endpoint,
      onEvent: progress({ write: (line) => void lines.push(line), color: false }),
    });
  });

  it("gives the outputs that programs build on, as AWS names them", async () => {
    const { port } = emulator.current;
    const api = find(service, "orders", "RestApi");
    const fn = find(service, "intake").outputs;
    const arn = `arn:aws:lambda:eu-west-1:000000000000:function:${output("functionName")}`;
    expect(output("url")).toBe(`http://localhost:${port}/_aws/execute-api/${api.id}/prod/orders`);
    expect(api.outputs.executionArn?.value).toBe(`arn:aws:execute-api:eu-west-1:000000000000:${api.id}`);
    expect(fn.arn?.value).toBe(arn);
    expect(fn.qualifiedArn?.value).toBe(`${arn}:$LATEST`);
    expect(fn.invokeArn?.value).toBe(
      `arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${arn}/invocations`,
    );
    expect(service.outputs.apiKey).toMatchObject({ secret: true, value: expect.stringMatching(/^\w{20,128}$/) });
    expect(find(service, "orders", "Table").outputs).toMatchObject({
      arn: { value: `arn:aws:dynamodb:eu-west-1:000000000000:table/${output("tableName")}` },
      streamArn: { value: expect.stringContaining(`${output("tableName")}/stream/`) },
    });
    expect(output("archive")).toMatch(/^orders-archive-[0-9a-f]{7}$/);
    expect(find(service, "orders", "LogGroup").outputs.arn?.value).toMatch(/:log-group:orders-[0-9a-f]{7}$/);
  });

  it("is really there", async () => {
    const options = settings(emulator.current);
    const reply = await new Lambda(options).invoke({ FunctionName: output("functionName") });
    expect(JSON.parse(Buffer.from(reply.Payload!).toString())).toEqual({ statusCode: 202, body: "accepted" });
    const { Body } = await new S3({ ...options, forcePathStyle: true }).getObject({
      Bucket: output("archive"),
      Key: "README.txt",
    });
    expect(await Body?.transformToString()).toBe("orders live here");
    const { Attributes } = await new SQS(options).getQueueAttributes({
      QueueUrl: output("queueUrl"),
      AttributeNames: ["All"],
    });
    expect(JSON.parse(Attributes?.RedrivePolicy ?? "{}")).toMatchObject({ maxReceiveCount: 5 });
    const { TimeToLiveDescription } = await new DynamoDB(options).describeTimeToLive({
      TableName: output("tableName"),
    });
    expect(TimeToLiveDescription).toMatchObject({ AttributeName: "expires", TimeToLiveStatus: "ENABLED" });
  });

  it("is told line by line, as people know it from pulumi up", () => {
    expect(lines).toContainEqual(
      expect.stringMatching(/^ \+ {2}aws:sqs:Queue orders-dead-letter created \(\d+\.\d\ds\)$/),
    );
    expect(lines.at(-1)).toMatch(/^Resources: \+ 23 created, \d+\.\ds$/);
  });

  it("changes only the code when only the code changes, and the API not at all", async () => {
    const changed = await service.update({ config: { reply: "thanks" } });
    expect(changed.summary).toEqual({ created: 0, updated: 1, replaced: 0, deleted: 0, same: 22 });
    const reply = await new Lambda(settings(emulator.current)).invoke({ FunctionName: output("functionName") });
    expect(JSON.parse(Buffer.from(reply.Payload!).toString()).body).toBe("thanks");
    service = changed;
  });

  afterAll(async () => {
    await service?.destroy();
    const options = settings(emulator.current);
    expect((await new SQS(options).listQueues({})).QueueUrls ?? []).toEqual([]);
    expect((await new Lambda(options).listFunctions({})).Functions).toEqual([]);
    expect((await new APIGateway(options).getRestApis({})).items ?? []).toEqual([]);
    expect((await new S3({ ...options, forcePathStyle: true }).listBuckets({})).Buckets ?? []).toEqual([]);
    expect((await new DynamoDB(options).listTables({})).TableNames).toEqual([]);
  });
});

describe("resources that have no local behaviour", () => {
  it("are recorded and said to be so; children stand below their component", async () => {
    const network = await deploy({
      program: program("network"),
      stack: "test",
      endpoint: emulator.current.endpoint,
      secretConfig: { token: "s3cret" },
    });
    expect(network.recorded).toEqual(["aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"]);
    expect(network.outputs.token).toEqual({ value: "s3cret", secret: true });
    const vpc = find(network, "office-vpc");
    expect(vpc).toMatchObject({
      recorded: true,
      parent: find(network, "office").urn,
      id: expect.stringMatching(/^vpc-[0-9a-f]{17}$/),
    });
    expect(find(network, "office-subnet").inputs).toMatchObject({
      vpcId: { value: vpc.id },
      availabilityZone: { value: "eu-west-1a" },
    });
    await network.destroy();
  });
});

describe("a program with its own provider and transforms", () => {
  it("has both applied, and its provider decides what a change means", async () => {
    const options = { program: program("dynamic"), stack: "test", endpoint: emulator.current.endpoint };
    const first = await deploy({ ...options, config: { name: "ann" } });
    const plain = ({ outputs }: Deployment) =>
      Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
    expect(plain(first)).toEqual({
      text: "hello/ann",
      id: "greeting-kind",
      tags: { own: "yes", team: "iot" },
      delay: 7,
    });
    const second = await first.update({ config: { name: "bob" } });
    expect(second.summary).toMatchObject({ updated: 1, same: 1 });
    const third = await second.update({ config: { name: "bob", tone: "stern" } });
    expect(third.summary).toMatchObject({ replaced: 1, same: 1 });
    expect(plain(third)).toMatchObject({ text: "hello/bob", id: "greeting-stern" });
    await expect(third.update({ config: { name: "", tone: "stern" } })).rejects.toThrow(
      '"greeting" could not be updated: name: must not be empty',
    );
    await third.destroy();
  });
});

describe("a program in TypeScript", () => {
  it("runs from its sources", async () => {
    const options = { program: program("typed"), stack: "test", endpoint: emulator.current.endpoint };
    const typed = await deploy({ ...options, config: { settings: { retention: 7 } } });
    expect(typed.outputs.logGroup?.value).toMatch(/^typed-[0-9a-f]{7}$/);
    expect(find(typed, "typed").outputs.retentionInDays?.value).toBe(7);
    await typed.destroy();
  });
});
