import { connect } from "node:net";
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  PutIntegrationCommand,
  PutMethodCommand,
} from "@aws-sdk/client-api-gateway";
import { DynamoDBClient, ExecuteStatementCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, GetRoleCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it, vi } from "vitest";
import { AwsError, type RequestRecord } from "../emulator";
import { settings, startEmulator, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const at = (path: string) => `${emulator.current.endpoint}${path}`;

const signedFor = (service: string, region = "eu-west-1") => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20261121/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

describe("the emulator", () => {
  it("tells tools that look for LocalStack that it is healthy", async () => {
    for (const path of ["/_emulator/health", "/_localstack/health"]) {
      const response = await fetch(at(path));
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        services: { sqs: expect.stringMatching(/^(available|running)$/) },
      });
    }
  });

  it("refuses a reset that comes from a web page of another origin", async () => {
    const headers = { origin: "https://example.com" };
    expect((await fetch(at("/_emulator/reset"), { method: "POST", headers })).status).toBe(403);
  });

  it("listens on this machine only, unless told", async () => {
    const response = await fetch(at("/_emulator/health"));
    expect(response.url).toContain("127.0.0.1");
    const foreign = await new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.2", port: emulator.current.port });
      socket
        .on("connect", () => resolve("reached"))
        .on("error", (error) => resolve((error as NodeJS.ErrnoException).code));
    });
    expect(foreign).toBe("ECONNREFUSED");
  });

  it("forgets everything on reset, and goes on", async () => {
    await using own = await startEmulator({ port: 0 });
    const sqs = new SQSClient(settings(own));
    await sqs.send(new CreateQueueCommand({ QueueName: "readings" }));
    expect((await fetch(`${own.endpoint}/_emulator/reset`, { method: "POST" })).status).toBe(200);
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);
    await sqs.send(new CreateQueueCommand({ QueueName: "readings" }));
  });

  it("runs several times in one process, each with a state of its own", async () => {
    await using one = await startEmulator({ port: 0 });
    await using two = await startEmulator({ port: 0 });
    await new SQSClient(settings(one)).send(new CreateQueueCommand({ QueueName: "only-in-one" }));
    expect((await new SQSClient(settings(two)).send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);
    await one.clock.advance("1 hour");
    expect(one.clock.now() - two.clock.now()).toBeGreaterThan(3_599_000);
  });

  it("keeps accounts and regions apart", async () => {
    const own = new SQSClient(settings(emulator.current, { accessKeyId: "111111111111" }));
    await own.send(new CreateQueueCommand({ QueueName: "mine" }));
    for (const other of [{ accessKeyId: "222222222222" }, { accessKeyId: "111111111111", region: "us-east-1" }]) {
      const client = new SQSClient(settings(emulator.current, other));
      expect((await client.send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);
    }
    expect((await own.send(new ListQueuesCommand())).QueueUrls).toEqual([
      expect.stringContaining("/111111111111/mine"),
    ]);
  });

  it("says that a port is taken instead of failing later", async () => {
    await expect(startEmulator({ port: emulator.current.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("a request that the emulator cannot serve", () => {
  it("answers 501 with the name of an operation that AWS has and it has not", async () => {
    const dynamodb = new DynamoDBClient(settings(emulator.current));
    const error = await dynamodb.send(new ExecuteStatementCommand({ Statement: "SELECT * FROM t" })).catch((e) => e);
    expect(error.$metadata.httpStatusCode).toBe(501);
    expect(error.message).toContain("dynamodb:ExecuteStatement");
  });

  it("answers 501 with the name of a service that it has not", async () => {
    const response = await fetch(at("/"), { method: "POST", headers: signedFor("rekognition"), body: "{}" });
    expect(response.status).toBe(501);
    expect(await response.text()).toContain('\\"rekognition\\" is not emulated');
  });

  it.each([
    ["json", "dynamodb", { "x-amz-target": "DynamoDB_20120810.ListTables" }, "{", 400, "SerializationException"],
    [
      "json with a wrong type",
      "dynamodb",
      { "x-amz-target": "DynamoDB_20120810.ListTables" },
      '{"Limit":"x"}',
      400,
      "SerializationException",
    ],
    [
      "json that is a list",
      "dynamodb",
      { "x-amz-target": "DynamoDB_20120810.ListTables" },
      "[]",
      400,
      "SerializationException",
    ],
    [
      "json nested without end",
      "dynamodb",
      { "x-amz-target": "DynamoDB_20120810.PutItem" },
      `{"TableName":"t","Item":{"a":${'{"L":['.repeat(20_000)}${"]}".repeat(20_000)}}}`,
      400,
      "SerializationException",
    ],
    [
      "json with a time beyond all time",
      "kinesis",
      { "x-amz-target": "Kinesis_20131202.GetShardIterator" },
      '{"Timestamp":"99999999999999999999"}',
      400,
      "SerializationException",
    ],
    ["json without a target", "dynamodb", {}, "{}", 400, "UnknownOperationException"],
    [
      "json with an unknown target",
      "sqs",
      { "x-amz-target": "AmazonSQS.Nothing" },
      "{}",
      400,
      "UnknownOperationException",
    ],
    [
      "query without an action",
      "iam",
      { "content-type": "application/x-www-form-urlencoded" },
      "",
      400,
      "MissingAction",
    ],
    [
      "query with an unknown action",
      "iam",
      { "content-type": "application/x-www-form-urlencoded" },
      "Action=No",
      400,
      "InvalidAction",
    ],
    ["an unknown REST path", "lambda", {}, "", 404, "UnknownOperationException"],
  ])("answers %s with AWS's error, never a stack trace", async (_, service, headers, body, status, code) => {
    const response = await fetch(at("/"), { method: "POST", headers: { ...signedFor(service), ...headers }, body });
    const text = await response.text();
    // REST errors have their code in a header, the others in the body.
    const shown = `${response.headers.get("x-amzn-errortype")} ${text}`;
    expect([response.status, shown]).toEqual([status, expect.stringContaining(code)]);
    expect(text).not.toMatch(/\.js:\d+|at \w+ \(/);
    expect(response.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("takes a client that goes away in the middle of its body for no fault of its own", async () => {
    const onFault = vi.fn();
    await using own = await startEmulator({ port: 0, onFault });
    const gateway = new APIGatewayClient(settings(own));
    const { id: restApiId, rootResourceId: resourceId } = await gateway.send(
      new CreateRestApiCommand({ name: "body" }),
    );
    const method = { restApiId, resourceId, httpMethod: "POST" };
    await gateway.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
    await gateway.send(new PutIntegrationCommand({ ...method, type: "MOCK" }));
    await gateway.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
    const seen: RequestRecord[] = [];
    own.watch((record) => seen.push(record));
    const socket = connect({ host: "127.0.0.1", port: own.port });
    const head = `POST /_aws/execute-api/${restApiId}/prod/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n`;
    socket.write(`${head}[`, () => socket.destroy());
    await vi.waitFor(() => expect(seen.some(({ service }) => service === "execute-api")).toBe(true));
    expect(onFault).not.toHaveBeenCalled();
  });

  it("survives bytes that are not HTTP", async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: emulator.current.port }, () =>
        socket.end("\x16\x03\x01nonsense\r\n\r\n"),
      );
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("close", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect((await fetch(at("/_emulator/health"))).status).toBe(200);
  });
});

describe("the query protocol", () => {
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });

  it("carries nested lists, unicode and markup both ways", async () => {
    const iam = new IAMClient(settings(emulator.current));
    const Tags = [
      { Key: "owner", Value: "søren & <co>" },
      { Key: "note", Value: "" },
    ];
    await iam.send(new CreateRoleCommand({ RoleName: "ingest", AssumeRolePolicyDocument: trust, Tags }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "ingest" }));
    expect(Role?.Tags).toEqual(Tags);
    expect(Role?.CreateDate).toBeInstanceOf(Date);
    expect((await iam.send(new ListRolesCommand({}))).IsTruncated).toBe(false);
  });

  it("names errors as AWS does on the wire", async () => {
    const body = "Action=GetRole&Version=2010-05-08&RoleName=nobody";
    const headers = { ...signedFor("iam"), "content-type": "application/x-www-form-urlencoded" };
    const response = await fetch(at("/"), { method: "POST", headers, body });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("<Code>NoSuchEntity</Code>");
  });
});

describe("watching and intercepting", () => {
  it("shows each answered request with service, operation and status", async () => {
    const seen: RequestRecord[] = [];
    const stop = emulator.current.watch((record) => seen.push(record));
    await new SQSClient(settings(emulator.current)).send(new ListQueuesCommand());
    stop();
    await new SQSClient(settings(emulator.current)).send(new ListQueuesCommand());
    expect(seen).toMatchObject([{ service: "sqs", operation: "ListQueues", status: 200, region: "eu-west-1" }]);
  });

  it("lets a test answer an operation with an error of its choice", async () => {
    const stop = emulator.current.intercept(({ operation }) => {
      if (operation === "ListQueues") throw new AwsError("ThrottlingException", "Rate exceeded", 400);
    });
    const sqs = new SQSClient(settings(emulator.current));
    await expect(sqs.send(new ListQueuesCommand())).rejects.toThrow("Rate exceeded");
    stop();
    await sqs.send(new ListQueuesCommand());
  });

  it("answers an unexpected fault with InternalFailure and reports it, without its detail", async () => {
    const onFault = vi.fn();
    await using own = await startEmulator({ port: 0, onFault });
    own.intercept(() => {
      throw new TypeError("secret detail");
    });
    const error = await new SQSClient(settings(own)).send(new ListQueuesCommand()).catch((e) => e);
    expect(error).toMatchObject({ name: "InternalFailure", $metadata: { httpStatusCode: 500 } });
    expect(error.message).not.toContain("secret detail");
    expect(onFault).toHaveBeenCalledWith(expect.any(TypeError), "sqs:ListQueues");
  });

  it("reports a fault that comes when the answer is on its way, too", async () => {
    const onFault = vi.fn();
    await using own = await startEmulator({ port: 0, onFault });
    own.watch(() => {
      throw new TypeError("a watcher's own mistake");
    });
    await new SQSClient(settings(own)).send(new ListQueuesCommand());
    await vi.waitFor(() => expect(onFault).toHaveBeenCalledWith(expect.any(TypeError), "POST /"));
  });
});

describe("the clock", () => {
  it("runs what falls due in order, each at its own time", async () => {
    await using own = await startEmulator({ port: 0 });
    const { clock } = own;
    const start = clock.now();
    const seen: [string, number][] = [];
    const note = (name: string) => seen.push([name, Math.round((clock.now() - start) / 60_000)]);
    clock.after(20 * 60_000, () => note("second"));
    clock.after(10 * 60_000, () => {
      note("first");
      clock.after(5 * 60_000, () => note("made on the way"));
    });
    clock.after(40 * 60_000, () => note("too late")).cancel();
    await clock.advance("30 minutes");
    expect(seen).toEqual([
      ["first", 10],
      ["made on the way", 15],
      ["second", 20],
    ]);
    await clock.advance("1 day");
    expect(seen).toHaveLength(3);
  });

  it("refuses what is no duration, with the accepted form", async () => {
    await expect(emulator.current.clock.advance("soon")).rejects.toThrow(
      'use milliseconds or words such as "90 seconds"',
    );
  });
});
