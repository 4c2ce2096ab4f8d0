import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { AddPermissionCommand, CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as SQS from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useRemoteFunctions } from "./harness/remote-function";
import { proxyTo, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let sqs: SQS.SQSClient;
let lambda: LambdaClient;
/** A client that sends a trace header, as SDKs do inside of a function. */
let traced: SQS.SQSClient;

const root = "1-5759e988-bd862e3fe1be46a994272793";
const header = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=0`;

beforeAll(() => {
  lambda = new LambdaClient(settings(emulator.current));
  sqs = new SQS.SQSClient(settings(emulator.current));
  traced = new SQS.SQSClient(settings(emulator.current));
  traced.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, { "X-Amzn-Trace-Id": header });
      return next(args);
    },
    { step: "build", name: "trace" },
  );
});

const queue = async (QueueName: string) => (await sqs.send(new SQS.CreateQueueCommand({ QueueName }))).QueueUrl!;
const receive = async (QueueUrl: string) => {
  const input = { QueueUrl, MessageSystemAttributeNames: ["AWSTraceHeader" as const] };
  return (await sqs.send(new SQS.ReceiveMessageCommand(input))).Messages![0]!.Attributes?.AWSTraceHeader;
};

describe("the trace header X-Amzn-Trace-Id", () => {
  it("goes with a request to the function, which is a segment of its own in the same trace", async () => {
    const code = "exports.handler = async () => ({ statusCode: 200, body: process.env._X_AMZN_TRACE_ID })";
    const arn = await makeFunction(lambda, "segment", code);
    const permission = { StatementId: "api", Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com" };
    await lambda.send(new AddPermissionCommand({ FunctionName: "segment", ...permission }));
    const api = await RestApiBuilder.create(new APIGatewayClient(settings(emulator.current)), emulator.current);
    await api.add("GET /trace", { integration: proxyTo(arn) });
    const url = `${await api.deploy()}/trace`;
    const ask = async (headers: Record<string, string> = {}) => (await fetch(url, { headers })).text();
    const first = await ask({ "x-amzn-trace-id": header });
    expect(first).toMatch(new RegExp(`^Root=${root};Parent=[0-9a-f]{16};Sampled=0$`));
    expect(first).not.toBe(header);
    expect(await ask({ "x-amzn-trace-id": `Root=${root};Sampled=1` })).toMatch(/^Root=1-5759e988-\w+;.*;Sampled=1$/);
    expect(await ask()).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  });

  it("stays with a message as AWSTraceHeader, of a single one and of each of a batch", async () => {
    const QueueUrl = await queue("kept");
    await traced.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: "one" }));
    expect(await receive(QueueUrl)).toBe(header);
    const Entries = ["a", "b"].map((Id) => ({ Id, MessageBody: Id }));
    await traced.send(new SQS.SendMessageBatchCommand({ QueueUrl, Entries }));
    expect([await receive(QueueUrl), await receive(QueueUrl)]).toEqual([header, header]);
    await sqs.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: "untraced" }));
    expect(await receive(QueueUrl)).toBeUndefined();
  });

  it("gives way to the system attribute that a sender sets itself", async () => {
    const QueueUrl = await queue("own");
    const own = "Root=1-5759e988-000000000000000000000001";
    const AWSTraceHeader = { DataType: "String", StringValue: own };
    const message = { QueueUrl, MessageBody: "one", MessageSystemAttributes: { AWSTraceHeader } };
    await traced.send(new SQS.SendMessageCommand(message));
    expect(await receive(QueueUrl)).toBe(own);
  });

  it("comes to the function that reads the queue with each message", async () => {
    const QueueUrl = await queue("read");
    await makeFunction(lambda, "reader", remote.code("reader"));
    const EventSourceArn = "arn:aws:sqs:eu-west-1:000000000000:read";
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "reader", EventSourceArn }));
    await traced.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: "one" }));
    const { event, succeed } = await remote.next("reader");
    const [record] = (event as { Records: { attributes: Record<string, string>; causes?: unknown }[] }).Records;
    expect(record!.attributes.AWSTraceHeader).toBe(header);
    expect(record).not.toHaveProperty("causes");
    succeed({});
  });
});
