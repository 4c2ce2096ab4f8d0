import {
  ApiGatewayV2Client,
  GetApiMappingsCommand,
  GetAuthorizersCommand,
  GetRoutesCommand,
  GetStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeTimeToLiveCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { GetFunctionCommand, LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocketBroadcast, type WebSocketBroadcastArgs } from "../components";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";

type Part = "authorizer" | "connect" | "disconnect" | "actions" | "set" | "broadcast" | "fanOut";
interface Outputs {
  url: string;
  managementEndpoint: string;
  apiId: string;
  executionArn: string;
  roles: Record<Part, string>;
  functionNames: Record<Part, string>;
  logGroups: string[];
  tableArn: string;
  tableName: string;
  queueArn: string;
  queueUrl: string;
  fanOutQueueArn: string;
  deadLetterQueueArn: string;
}

const deployed = useDeployed<Outputs>("websocket-options");
const made: { destroy(): void }[] = [];
afterAll(() => {
  for (const client of made) client.destroy();
});
/** A client of the emulator that the test file ends. */
function client<T extends { destroy(): void }>(Client: new (options: ReturnType<typeof settings>) => T): T {
  const one = new Client(settings(deployed.current.emulator));
  made.push(one);
  return one;
}

describe("wrong arguments", () => {
  const mistakes = (args: unknown, name = "live"): string => {
    try {
      new WebSocketBroadcast(name, args as WebSocketBroadcastArgs);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("there was no mistake");
  };

  test("are told all at once, each with the option, what it must be, and what to use", () => {
    const message = mistakes({ shards: 0, parallel: 501, fanOut: { maxConcurrency: 1 } });
    expect(message).toContain('WebSocketBroadcast "live": shards must be a whole number from 1 to 64, not 0; use 4');
    expect(message).toContain("parallel must be a whole number from 1 to 500, not 501; use 100");
    expect(message).toContain("fanOut.maxConcurrency must be a whole number from 2 to 1000 (Lambdas), not 1; use 10");
  });

  test.each([
    [{ auth: "password" }, 'auth must be one of token, iam, none, not "password"; use "token"'],
    [{ auth: {} }, "auth must be one kind of authorization"],
    [{ auth: { token: "t".repeat(20), jwt: {} } }, "auth must be one kind of authorization"],
    [{ auth: { jwt: {} } }, "auth.jwt.issuer must be given"],
    [{ auth: { jwt: { issuer: "https://i", audience: [] } } }, "auth.jwt.audience must be given"],
    [{ auth: { authorize: "yes" } }, "auth.authorize must be a function"],
    [{ auth: { authorize: () => null, environment: { AWS_X: "" } } }, "auth.environment.AWS_X must not begin with"],
    [{ authorize: () => null, auth: "none" }, "authorize must not be given together with auth"],
    [{ frames: "text" }, "frames must be one of array, single"],
    [{ deviceOf: "device" }, "deviceOf must be a function"],
    [{ actions: { ping: () => 1 } }, "actions.ping must not be named as one that is built in"],
    [{ actions: { $default: () => 1 } }, "actions.$default must be named with letters"],
    [{ actions: { set: {} } }, "actions.set.onAction must be a function"],
    [{ domain: { domainName: "a" } }, "domain.certificateArn must be given"],
    [{ stageName: "a/b" }, "stageName must be"],
    [{ throttle: { rate: 1 } }, "throttle.rate must not be given"],
    [{ deadLetter: { retentionDays: 15 } }, "deadLetter.retentionDays must be"],
    [{ batch: { size: 11 } }, "batch.windowSeconds must be 1 or more for batches of more than 10 messages"],
    [{ maxConcurrency: 1 }, "maxConcurrency must be"],
    [{ timeout: 901 }, "timeout must be"],
    [{ logRetentionDays: 15 }, "logRetentionDays must be one of"],
    [{ alarms: {} }, "alarms.topicArn must be"],
    [{ token: "x" }, "token must not be given: there is no such option"],
  ])("such as %j are refused", (args, message) => {
    expect(mistakes(args)).toContain(message);
  });

  test("never repeat a token", () => {
    expect(mistakes({ auth: { token: "a secret=" } })).toMatch(/auth\.token must be at least 16(?!.*a secret)/);
  });

  test("include a name that is too long for what is named after it", () => {
    expect(mistakes({}, "My Live")).toContain("the name must be at most 30 lower-case letters");
  });
});

test("each function may do what it does, on its own resources, and nothing else", async () => {
  const { roles, tableArn, queueArn, fanOutQueueArn, deadLetterQueueArn, executionArn } = deployed.current.outputs;
  const iam = client(IAMClient);
  const allowed = async (RoleName: string) => {
    const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    expect(AttachedPolicies).toEqual([]);
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    const policies = await Promise.all(
      PolicyNames.map((PolicyName) => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
    );
    const statements = policies.flatMap(({ PolicyDocument }) => {
      return JSON.parse(decodeURIComponent(PolicyDocument!)).Statement as { Action: string[]; Resource: string[] }[];
    });
    const all = statements.flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => `${action} ${resource}`)),
    );
    return all.filter((entry) => !entry.startsWith("logs:")).sort();
  };
  const [query, write] = [`dynamodb:Query ${tableArn}`, `dynamodb:BatchWriteItem ${tableArn}`];
  const postTo = `execute-api:ManageConnections ${executionArn}/v1/POST/@connections/*`;
  const consume = (arn: string) =>
    ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map((action) => `sqs:${action} ${arn}`);
  const send = (arn: string) => `sqs:SendMessage ${arn}`;
  const wanted: Record<Part, string[]> = {
    authorizer: [],
    connect: [write],
    disconnect: [query, write],
    actions: [query, write, send(queueArn)],
    set: [],
    broadcast: [query, write, postTo, send(deadLetterQueueArn), send(fanOutQueueArn), ...consume(queueArn)],
    fanOut: [query, write, postTo, ...consume(fanOutQueueArn)],
  };
  for (const [part, role] of Object.entries(roles)) {
    expect({ [part]: await allowed(role) }).toEqual({ [part]: wanted[part as Part].sort() });
  }
});

test("functions are small, and know of each other by their environment", async () => {
  const { functionNames, managementEndpoint } = deployed.current.outputs;
  const lambda = client(LambdaClient);
  for (const FunctionName of Object.values(functionNames)) {
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName }));
    expect(Configuration!.CodeSize).toBeLessThan(300_000);
    expect(Configuration!.TracingConfig?.Mode).toBe("PassThrough");
  }
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: functionNames.broadcast }));
  expect(Configuration).toMatchObject({
    ...{ MemorySize: 512, Timeout: 20, Runtime: "nodejs24.x" },
    Environment: { Variables: { WEBSOCKET_ENDPOINT: managementEndpoint, WEBSOCKET_SHARDS: "2" } },
  });
});

test("the queue waits long enough for a broadcast, and gives up to the dead-letter queue", async () => {
  const { queueUrl, deadLetterQueueArn } = deployed.current.outputs;
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] });
  const { Attributes } = await client(SQSClient).send(command);
  expect(Attributes).toMatchObject({ VisibilityTimeout: "120", MaximumMessageSize: "1048576" });
  expect(JSON.parse(Attributes!.RedrivePolicy!)).toEqual({
    deadLetterTargetArn: deadLetterQueueArn,
    maxReceiveCount: 5,
  });
});

test("batches report single failures, and keep to their size and concurrency", async () => {
  const { EventSourceMappings = [] } = await client(LambdaClient).send(new ListEventSourceMappingsCommand({}));
  const { queueArn, fanOutQueueArn } = deployed.current.outputs;
  const of = (arn: string) => EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn === arn);
  expect(of(queueArn)).toMatchObject({
    ...{ BatchSize: 50, MaximumBatchingWindowInSeconds: 2, FunctionResponseTypes: ["ReportBatchItemFailures"] },
    ScalingConfig: { MaximumConcurrency: 20 },
  });
  expect(of(fanOutQueueArn)).toMatchObject({
    ...{ BatchSize: 1, FunctionResponseTypes: ["ReportBatchItemFailures"] },
    ScalingConfig: { MaximumConcurrency: 5 },
  });
});

test("the stage is throttled and logs, routes reply where they should, and the domain leads to it", async () => {
  const { apiId: ApiId, url } = deployed.current.outputs;
  const api = client(ApiGatewayV2Client);
  const stage = await api.send(new GetStageCommand({ ApiId, StageName: "v1" }));
  // What is not said must be sent all the same: AWS would take it for 0.
  expect(stage.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 1000 });
  expect(stage.AccessLogSettings?.Format).not.toMatch(/header|Protocol/i);
  const { Items = [] } = await api.send(new GetRoutesCommand({ ApiId }));
  const replying = Items.filter(({ RouteResponseSelectionExpression }) => RouteResponseSelectionExpression);
  const keys = (routes: typeof Items) => routes.map(({ RouteKey }) => RouteKey).sort();
  expect(keys(Items)).toEqual(
    ["$connect", "$default", "$disconnect", "message", "ping", "set", "subscribe", "unsubscribe"].sort(),
  );
  expect(keys(replying)).toEqual(["$default", "message", "ping", "set", "subscribe", "unsubscribe"].sort());
  expect(url).toBe("wss://live.example.com/iot");
  const { Items: mappings } = await api.send(new GetApiMappingsCommand({ DomainName: "live.example.com" }));
  expect(mappings).toMatchObject([{ ApiId, Stage: "v1", ApiMappingKey: "iot" }]);
});

test("whoever connects may spell the token's header in any case", async () => {
  const { Items = [] } = await client(ApiGatewayV2Client).send(
    new GetAuthorizersCommand({ ApiId: deployed.current.outputs.apiId }),
  );
  // API Gateway would look for one spelling, and keep nothing apart by it: it has no cache here.
  expect(Items.map(({ IdentitySource = [] }) => IdentitySource)).toEqual([[]]);
});

test("logs are kept as long as was said, and rows of connections end", async () => {
  const { logGroups, tableName: TableName } = deployed.current.outputs;
  const logs = client(CloudWatchLogsClient);
  const found = await logs.send(new DescribeLogGroupsCommand({}));
  const kept = found.logGroups!.filter(({ logGroupName }) => logGroups.includes(logGroupName!));
  expect(kept.map(({ retentionInDays }) => retentionInDays)).toEqual(logGroups.map(() => 30));
  const { TimeToLiveDescription } = await client(DynamoDBClient).send(new DescribeTimeToLiveCommand({ TableName }));
  expect(TimeToLiveDescription).toMatchObject({ AttributeName: "expiresAt", TimeToLiveStatus: "ENABLED" });
});

test("there is an alarm for dead letters, each function, and frames that were given up", () => {
  const alarms = deployed.current.stack.resources.filter(({ type }) => type.endsWith("MetricAlarm"));
  expect(alarms.map(({ name }) => name.replace(/^all-|-alarm$/g, "")).sort()).toEqual(
    [
      ...["dead-letters", "given-up"],
      ...["connect", "disconnect", "actions", "broadcast", "fanOut"].flatMap((part) => [
        `${part}-errors`,
        `${part}-throttles`,
      ]),
    ].sort(),
  );
});
