import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteMetricFilterCommand,
  DeleteResourcePolicyCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  DescribeMetricFiltersCommand,
  DescribeResourcePoliciesCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  type InputLogEvent,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  PutLogEventsCommand,
  PutMetricFilterCommand,
  PutResourcePolicyCommand,
  PutRetentionPolicyCommand,
  PutSubscriptionFilterCommand,
  StartQueryCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let logs: CloudWatchLogsClient;
beforeAll(() => {
  logs = new CloudWatchLogsClient(settings(emulator.current));
});

const logGroupName = "/aws/lambda/f";
const logStreamName = "s";
const now = () => emulator.current.clock.now();
const put = (logEvents: InputLogEvent[], stream = logStreamName) =>
  logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: stream, logEvents }));
/** Events a second apart, the last one now. */
const lines = (...messages: string[]) =>
  messages.map((message, i) => ({ message, timestamp: now() - (messages.length - 1 - i) * 1000 }));
const get = (more: Partial<GetLogEventsCommandInput> = {}) =>
  logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, ...more }));
const messages = ({ events = [] }: { events?: { message?: string }[] }) => events.map(({ message }) => message);
const filter = (more: Partial<FilterLogEventsCommandInput> = {}) =>
  logs.send(new FilterLogEventsCommand({ logGroupName, ...more }));

beforeEach(async () => {
  await emulator.current.reset();
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
});

describe("log groups", () => {
  it("are described as on AWS, by prefix, pattern and page", async () => {
    await logs.send(new CreateLogGroupCommand({ logGroupName: "/aws/lambda/g", kmsKeyId: "key", tags: { a: "b" } }));
    await logs.send(new CreateLogGroupCommand({ logGroupName: "other" }));
    const describeGroups = async (input = {}) => {
      const { logGroups, nextToken } = await logs.send(new DescribeLogGroupsCommand(input));
      return { names: logGroups?.map((group) => group.logGroupName), logGroups, nextToken };
    };
    const { logGroups } = await describeGroups({ logGroupNamePrefix: "/aws/lambda/g" });
    const arn = "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/g";
    expect(logGroups).toEqual([
      {
        logGroupName: "/aws/lambda/g",
        arn: `${arn}:*`,
        logGroupArn: arn,
        creationTime: expect.any(Number),
        metricFilterCount: 0,
        storedBytes: 0,
        kmsKeyId: "key",
        logGroupClass: "STANDARD",
        deletionProtectionEnabled: false,
      },
    ]);
    expect((await describeGroups({ logGroupNamePattern: "the" })).names).toEqual(["other"]);
    const first = await describeGroups({ limit: 2 });
    expect(first.names).toEqual(["/aws/lambda/f", "/aws/lambda/g"]);
    expect((await describeGroups({ limit: 2, nextToken: first.nextToken })).names).toEqual(["other"]);
    await expect(describeGroups({ logGroupNamePrefix: "a", logGroupNamePattern: "b" })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    });
  });

  it("refuse a name that exists, is too long or has strange characters", async () => {
    const create = (name: string) => logs.send(new CreateLogGroupCommand({ logGroupName: name }));
    await expect(create(logGroupName)).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
      message: "The specified log group already exists",
    });
    await expect(create("x".repeat(513))).rejects.toThrow(
      "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
    );
    await expect(create("a b")).rejects.toThrow(
      "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern",
    );
  });

  it("drop events when the retention that was put is over, and keep them again when it is deleted", async () => {
    await put(lines("old"));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
    await emulator.current.clock.advance("12 hours");
    await put(lines("young"));
    await emulator.current.clock.advance("12 hours");
    expect(messages(await get())).toEqual(["young"]);
    await logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));
    await emulator.current.clock.advance("400 days");
    expect(messages(await filter())).toEqual(["young"]);
    await expect(logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 2 }))).rejects.toThrow(
      "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7,",
    );
  });

  it("have the same tags for both families of tagging operations", async () => {
    const resourceArn = `arn:aws:logs:eu-west-1:000000000000:log-group:${logGroupName}`;
    await logs.send(new TagResourceCommand({ resourceArn, tags: { a: "1", b: "2" } }));
    await logs.send(new TagLogGroupCommand({ logGroupName, tags: { c: "3" } }));
    await logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    expect((await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ b: "2", c: "3" });
    expect((await logs.send(new ListTagsLogGroupCommand({ logGroupName }))).tags).toEqual({ b: "2", c: "3" });
  });

  it("answer what does not exist as AWS does", async () => {
    await expect(
      logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "none", logEvents: lines("x") })),
    ).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The specified log stream does not exist.",
    });
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    await expect(get()).rejects.toThrow("The specified log group does not exist.");
  });
});

describe("log streams", () => {
  it("are listed by name, or by the time of their last event", async () => {
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "a" }));
    await put([{ message: "late", timestamp: now() }], "a");
    await put([{ message: "early", timestamp: now() - 60_000 }], "s");
    const list = async (input = {}) =>
      (await logs.send(new DescribeLogStreamsCommand({ logGroupName, ...input }))).logStreams?.map(
        ({ logStreamName: name }) => name,
      );
    expect(await list()).toEqual(["a", "s"]);
    expect(await list({ orderBy: "LastEventTime" })).toEqual(["s", "a"]);
    expect(await list({ orderBy: "LastEventTime", descending: true, limit: 1 })).toEqual(["a"]);
    expect(await list({ logStreamNamePrefix: "s" })).toEqual(["s"]);
    await expect(list({ orderBy: "LastEventTime", logStreamNamePrefix: "s" })).rejects.toThrow(
      "Cannot order by LastEventTime with a logStreamNamePrefix.",
    );
    await logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName: "a" }));
    expect(await list()).toEqual(["s"]);
  });
});

describe("log events", () => {
  it("are read from the newest back, or from the oldest on, page by page in both directions", async () => {
    await put(lines("1", "2", "3", "4", "5"));
    const newest = await get({ limit: 2 });
    expect(messages(newest)).toEqual(["4", "5"]);
    const before = await get({ limit: 2, nextToken: newest.nextBackwardToken });
    expect(messages(before)).toEqual(["2", "3"]);
    expect(messages(await get({ limit: 2, nextToken: before.nextForwardToken }))).toEqual(["4", "5"]);
    expect(messages(await get({ limit: 2, startFromHead: true }))).toEqual(["1", "2"]);
    const end = await get({ nextToken: newest.nextForwardToken });
    expect([messages(end), end.nextForwardToken]).toEqual([[], newest.nextForwardToken]);
    await put(lines("6"));
    expect(messages(await get({ nextToken: end.nextForwardToken }))).toEqual(["6"]);
    await expect(get({ nextToken: "nonsense" })).rejects.toThrow("The specified nextToken is invalid.");
    await expect(get({ limit: 10_001 })).rejects.toThrow(
      "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
    );
  });

  it("are chosen by time, start included and end not", async () => {
    const events = lines("1", "2", "3");
    await put(events);
    const range = { startTime: events[1]!.timestamp, endTime: events[2]!.timestamp };
    expect(messages(await get(range))).toEqual(["2"]);
    expect(messages(await filter(range))).toEqual(["2"]);
  });

  it("that are too old or too new are rejected, the others kept", async () => {
    const day = 86_400_000;
    const old = await put([
      { message: "too old", timestamp: now() - 14 * day - 60_000 },
      { message: "just", timestamp: now() - 14 * day + 60_000 },
    ]);
    expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
    const ahead = await put([
      { message: "soon", timestamp: now() + 3_600_000 },
      { message: "too new", timestamp: now() + 3 * 3_600_000 },
    ]);
    expect(ahead.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    expect(messages(await get())).toEqual(["just", "soon"]);
  });

  it.each<[string, () => InputLogEvent[], string]>([
    [
      "out of order",
      () => lines("1", "2").reverse(),
      "Log events in a single PutLogEvents request must be in chronological order.",
    ],
    [
      "over more than a day",
      () => [
        { message: "a", timestamp: now() - 90_000_000 },
        { message: "b", timestamp: now() },
      ],
      "cannot span more than 24 hours",
    ],
    ["over 1 MiB together", () => lines("x".repeat(600_000), "x".repeat(600_000)), "exceeds limit of 1048576"],
    ["without text", () => lines(""), "Member must have length greater than or equal to 1"],
    ["none", () => [], "Member must have length greater than or equal to 1"],
  ])("are refused when they are %s", async (_, events, message) => {
    await expect(put(events())).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringContaining(message),
    });
    expect(messages(await get())).toEqual([]);
  });

  it("are searched across streams in the order of time, page by page", async () => {
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "t" }));
    const [a, b, c, d] = lines("error a", "error b", "fine", "error d") as [
      InputLogEvent,
      InputLogEvent,
      InputLogEvent,
      InputLogEvent,
    ];
    await put([a, d], "s");
    await put([b, c], "t");
    const first = await filter({ filterPattern: "error", limit: 2 });
    expect(first.events?.map(({ logStreamName: stream, message }) => [stream, message])).toEqual([
      ["s", "error a"],
      ["t", "error b"],
    ]);
    expect(new Set(first.events?.map(({ eventId }) => eventId)).size).toBe(2);
    const second = await filter({ filterPattern: "error", limit: 2, nextToken: first.nextToken });
    expect(messages(second)).toEqual(["error d"]);
    expect(second.nextToken).toBeUndefined();
    expect(messages(await filter({ logStreamNames: ["t"] }))).toEqual(["error b", "fine"]);
    expect(messages(await filter({ logStreamNamePrefix: "s" }))).toEqual(["error a", "error d"]);
    await expect(filter({ nextToken: "nonsense" })).rejects.toThrow("The specified nextToken is invalid.");
  });
});

describe("what infrastructure tools keep in CloudWatch Logs", () => {
  it("metric filters", async () => {
    const metricTransformations = [{ metricName: "Errors", metricNamespace: "Mine", metricValue: "1" }];
    const base = { logGroupName, filterName: "errors", metricTransformations };
    await logs.send(new PutMetricFilterCommand({ ...base, filterPattern: '{ $.level = "error" }' }));
    const find = async (input = {}) => (await logs.send(new DescribeMetricFiltersCommand(input))).metricFilters;
    expect(await find({ metricName: "Errors", metricNamespace: "Mine" })).toEqual([
      {
        ...base,
        filterPattern: '{ $.level = "error" }',
        applyOnTransformedLogs: false,
        creationTime: expect.any(Number),
      },
    ]);
    await expect(logs.send(new PutMetricFilterCommand({ ...base, filterPattern: "{ $.a = " }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await logs.send(new DeleteMetricFilterCommand({ logGroupName, filterName: "errors" }));
    expect(await find()).toEqual([]);
  });

  it("resource policies", async () => {
    const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    await logs.send(new PutResourcePolicyCommand({ policyName: "p", policyDocument }));
    expect((await logs.send(new DescribeResourcePoliciesCommand({}))).resourcePolicies).toEqual([
      { policyName: "p", policyDocument, policyScope: "ACCOUNT", lastUpdatedTime: expect.any(Number) },
    ]);
    await logs.send(new DeleteResourcePolicyCommand({ policyName: "p" }));
    await expect(logs.send(new DeleteResourcePolicyCommand({ policyName: "p" }))).rejects.toThrow(
      "Policy with name [p] does not exist.",
    );
  });

  it("but nothing that would only pretend: Insights queries, Firehose as a subscription destination", async () => {
    const query = { logGroupName, startTime: 0, endTime: 1, queryString: "fields @message" };
    await expect(logs.send(new StartQueryCommand(query))).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
    await expect(
      logs.send(
        new PutSubscriptionFilterCommand({
          logGroupName,
          filterName: "s",
          filterPattern: "",
          destinationArn: "arn:aws:firehose:eu-west-1:000000000000:deliverystream/x",
          roleArn: "arn:aws:iam::000000000000:role/r",
        }),
      ),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
  });
});
