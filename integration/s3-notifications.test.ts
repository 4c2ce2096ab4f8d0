import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as S3 from "@aws-sdk/client-s3";
import * as SNS from "@aws-sdk/client-sns";
import * as SQS from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { failure, makeBucket, s3Client } from "./harness/s3";
import { account, makeOpenQueue, servicePolicy, take, takeUntil } from "./harness/topics";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`) });
let s3: S3.S3Client;
let sqs: SQS.SQSClient;
beforeAll(() => {
  s3 = s3Client(emulator.current);
  sqs = new SQS.SQSClient(settings(emulator.current));
});

const configure = (Bucket: string, NotificationConfiguration: S3.NotificationConfiguration, skip = false) =>
  s3.send(
    new S3.PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration,
      SkipDestinationValidation: skip,
    }),
  );

interface EventRecord {
  eventVersion: string;
  eventName: string;
  userIdentity: { principalId: string };
  s3: { object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer?: string } };
}

/** The bodies of the next messages, oldest first. */
const bodies = async (url: string, count: number) =>
  (await takeUntil(sqs, url, count)).map(({ Body }) => JSON.parse(Body!) as { Event?: string; Records: EventRecord[] });

/** The records in the next messages, oldest first. */
const records = async (url: string, count: number) => (await bodies(url, count)).map(({ Records }) => Records[0]!);

/** A bucket that tells a queue of events, with the test event taken already. */
async function telling(Events: S3.Event[], rules: S3.FilterRule[] = []) {
  const Bucket = await makeBucket(s3);
  const queue = await makeOpenQueue(sqs, "s3.amazonaws.com", `arn:aws:s3:::${Bucket}`);
  await configure(Bucket, {
    QueueConfigurations: [{ QueueArn: queue.arn, Events, Filter: { Key: { FilterRules: rules } } }],
  });
  expect(await bodies(queue.url, 1)).toMatchObject([{ Event: "s3:TestEvent" }]);
  const put = (Key: string, Body = "x") => s3.send(new S3.PutObjectCommand({ Bucket, Key, Body }));
  const remove = (Key: string, VersionId?: string) => s3.send(new S3.DeleteObjectCommand({ Bucket, Key, VersionId }));
  return { Bucket, queue, put, remove };
}

const everything = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"] as S3.Event[];

describe("a bucket that tells a queue", () => {
  it("sends a test event first, then the record of each object", async () => {
    const Bucket = await makeBucket(s3);
    const { url, arn: QueueArn } = await makeOpenQueue(sqs, "s3.amazonaws.com", `arn:aws:s3:::${Bucket}`);
    await configure(Bucket, { QueueConfigurations: [{ Id: "mine", QueueArn, Events: everything }] });
    const put = await s3.send(new S3.PutObjectCommand({ Bucket, Key: "in/a b+ä.csv", Body: "12345" }));
    const [test, told] = await bodies(url, 2);
    expect(test).toMatchObject({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket });
    expect(told).toEqual({
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: "eu-west-1",
          eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
          eventName: "ObjectCreated:Put",
          userIdentity: { principalId: expect.stringMatching(/^AWS:A[A-Z0-9]{13}$/) },
          requestParameters: { sourceIPAddress: "127.0.0.1" },
          responseElements: {
            "x-amz-request-id": expect.stringMatching(/^[0-9A-F]{16}$/),
            "x-amz-id-2": expect.stringMatching(/^[\w+/]{76}$/),
          },
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "mine",
            bucket: {
              name: Bucket,
              ownerIdentity: { principalId: expect.stringMatching(/^A[A-Z0-9]{13}$/) },
              arn: `arn:aws:s3:::${Bucket}`,
            },
            object: {
              key: "in/a+b%2B%C3%A4.csv",
              size: 5,
              eTag: put.ETag!.replaceAll('"', ""),
              sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
            },
          },
        },
      ],
    });
  });
});

describe("what is told", () => {
  it("names versions where there are any, and markers by what they are", async () => {
    const { Bucket, queue, put, remove } = await telling(everything);
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new S3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId } = await put("a");
    const marker = await remove("a");
    await remove("a", VersionId);
    await remove("a", marker.VersionId);
    const told = await records(queue.url, 4);
    const sequencer = expect.any(String);
    expect(told.map(({ eventName, s3: { object } }) => [eventName, object])).toEqual([
      ["ObjectCreated:Put", { key: "a", size: 1, eTag: expect.any(String), versionId: VersionId, sequencer }],
      [
        "ObjectRemoved:DeleteMarkerCreated",
        { key: "a", eTag: "d41d8cd98f00b204e9800998ecf8427e", versionId: marker.VersionId, sequencer },
      ],
      ["ObjectRemoved:Delete", { key: "a", versionId: VersionId, sequencer }],
      ["ObjectRemoved:Delete", { key: "a", versionId: marker.VersionId, sequencer }],
    ]);
  });

  it("is tagging too, for those who ask", async () => {
    const { Bucket, queue, put } = await telling(["s3:ObjectTagging:*"]);
    await put("a");
    await s3.send(
      new S3.PutObjectTaggingCommand({ Bucket, Key: "a", Tagging: { TagSet: [{ Key: "k", Value: "v" }] } }),
    );
    await s3.send(new S3.DeleteObjectTaggingCommand({ Bucket, Key: "a" }));
    const told = await records(queue.url, 2);
    expect(told.map(({ eventName, eventVersion }) => [eventName, eventVersion])).toEqual([
      ["ObjectTagging:Put", "2.3"],
      ["ObjectTagging:Delete", "2.3"],
    ]);
  });

  it("is what lifecycle rules do, in S3's own name", async () => {
    const { Bucket, queue, put } = await telling(["s3:LifecycleExpiration:*", "s3:ObjectRemoved:*"]);
    await put("old");
    const Rules = [{ ID: "all", Status: "Enabled" as const, Filter: { Prefix: "" }, Expiration: { Days: 1 } }];
    const LifecycleConfiguration = { Rules };
    await s3.send(new S3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    await emulator.current.clock.advance("3 days");
    expect(await records(queue.url, 1)).toMatchObject([
      {
        ...{ eventVersion: "2.3", eventName: "LifecycleExpiration:Delete" },
        userIdentity: { principalId: "s3.amazonaws.com" },
        requestParameters: { sourceIPAddress: "s3.amazonaws.com" },
        s3: { object: { key: "old" } },
      },
    ]);
  });

  it("has a sequencer of its own, though many come within a millisecond", async () => {
    const { Bucket, queue, put } = await telling(["s3:ObjectRemoved:*"]);
    const Objects = Array.from({ length: 100 }, (_, n) => ({ Key: String(n) }));
    for (const { Key } of Objects) await put(Key);
    await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    const sequencers = (await records(queue.url, 100)).map(({ s3: { object } }) => object.sequencer);
    expect(new Set(sequencers).size).toBe(100);
  });

  it("is every change that a filter names, once, in the order of its key's sequencers, and nothing else", async () => {
    const key = fc.constantFrom("in/a.csv", "in/b.json", "out/c.csv", "in/ü 1.csv");
    const step = fc.record({ kind: fc.constantFrom("put", "copy", "delete", "multipart"), key });
    const rule = fc.record({
      prefix: fc.constantFrom("", "in/", "out/", "in/ü "),
      suffix: fc.constantFrom("", ".csv", ".json"),
      events: fc.constantFrom<S3.Event[]>(
        ["s3:ObjectCreated:*"],
        ["s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete"],
        ["s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload"],
        ["s3:ObjectRemoved:*"],
      ),
    });
    await fc.assert(
      fc.asyncProperty(rule, fc.array(step, { maxLength: 12 }), async ({ prefix, suffix, events }, steps) => {
        const rules: S3.FilterRule[] = [
          ...(prefix ? [{ Name: "prefix" as const, Value: prefix }] : []),
          ...(suffix ? [{ Name: "suffix" as const, Value: suffix }] : []),
        ];
        const { Bucket, queue, put, remove } = await telling(events, rules);
        const exists = new Set<string>();
        const expected: [name: string, key: string][] = [];
        for (const { kind, key: Key } of [{ kind: "put", key: "source" }, ...steps]) {
          if (kind === "put") await put(Key);
          else if (kind === "copy") {
            await s3.send(new S3.CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/source` }));
          } else if (kind === "delete") await remove(Key);
          else {
            const { UploadId } = await s3.send(new S3.CreateMultipartUploadCommand({ Bucket, Key }));
            const part = { Bucket, Key, UploadId, PartNumber: 1 };
            const { ETag } = await s3.send(new S3.UploadPartCommand({ ...part, Body: "part" }));
            const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
            await s3.send(new S3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
          }
          const names = { put: "Put", copy: "Copy", multipart: "CompleteMultipartUpload", delete: "" } as const;
          const name =
            kind === "delete" ? "ObjectRemoved:Delete" : `ObjectCreated:${names[kind as keyof typeof names]}`;
          const happened = kind !== "delete" || exists.has(Key);
          if (kind === "delete") exists.delete(Key);
          else exists.add(Key);
          const asked = events.some((event) => `s3:${name}`.startsWith(event.replace("*", "")));
          if (happened && asked && Key.startsWith(prefix) && Key.endsWith(suffix)) expected.push([name, Key]);
        }
        const told = await records(queue.url, expected.length);
        // Whatever is told too much has come by now: the queue hands out in the order of the changes.
        told.push(...(await take(sqs, queue.url)).map(({ Body }) => JSON.parse(Body!).Records[0]));
        const plain = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
        expect(told.map(({ eventName, s3: { object } }) => [eventName, plain(object.key)])).toEqual(expected);
        const sequencers = told.map(({ s3: { object } }) => object.sequencer!);
        expect(sequencers).toEqual([...new Set(sequencers)].sort());
      }),
      { numRuns: 25 },
    );
  });
});

describe("a destination that refuses", () => {
  it("gets the event later, with the put answered long before, once it lets the bucket send again", async () => {
    const { queue, put } = await telling(everything);
    await queue.forbid();
    expect((await put("kept")).$metadata.httpStatusCode).toBe(200);
    await emulator.current.clock.advance("1 hour");
    expect(await take(sqs, queue.url)).toEqual([]);
    await queue.allow();
    await emulator.current.clock.advance("5 minutes");
    expect(await records(queue.url, 1)).toMatchObject([{ s3: { object: { key: "kept" } } }]);
  });

  it("is given up after six hours, with a report of what is lost and why", async () => {
    const { Bucket, queue, put } = await telling(everything);
    await sqs.send(new SQS.DeleteQueueCommand({ QueueUrl: queue.url }));
    await put("lost");
    const reported = () => faults.filter((fault) => fault.includes(`${Bucket}/lost`));
    await expect
      .poll(async () => {
        await emulator.current.clock.advance("7 hours");
        return reported();
      })
      .toHaveLength(1);
    expect(reported()[0]).toContain(`${queue.arn} refused for 6 hours: The specified queue does not exist`);
  });
});

describe("a configuration", () => {
  it.each([
    ["a queue that is not there", "missing", "The destination queue does not exist"],
    ["a queue of another region", "us-east-1", "The notification destination service region is not valid"],
    ["a queue whose policy names another bucket", "other", "Permissions on the destination queue do not allow S3"],
    ["a FIFO queue", "fifo", "FIFO"],
  ])("that names %s is refused and changes nothing, unless validation is skipped", async (_what, kind, reason) => {
    const Bucket = await makeBucket(s3);
    const made = await makeOpenQueue(sqs, "s3.amazonaws.com", "arn:aws:s3:::another");
    if (kind === "fifo") {
      await sqs.send(new SQS.CreateQueueCommand({ QueueName: "q.fifo", Attributes: { FifoQueue: "true" } }));
    }
    const arns: Record<string, string> = {
      missing: `arn:aws:sqs:eu-west-1:${account}:missing`,
      "us-east-1": `arn:aws:sqs:us-east-1:${account}:q`,
      other: made.arn,
      fifo: `arn:aws:sqs:eu-west-1:${account}:q.fifo`,
    };
    const QueueArn = arns[kind]!;
    const wanted = { QueueConfigurations: [{ QueueArn, Events: everything }] };
    const error = await configure(Bucket, wanted).catch((caught: Error) => caught);
    expect(error).toMatchObject({
      name: "InvalidArgument",
      message: "Unable to validate the following destination configurations",
      ArgumentName1: QueueArn,
      ArgumentValue1: expect.stringContaining(reason),
    });
    const kept = () => s3.send(new S3.GetBucketNotificationConfigurationCommand({ Bucket }));
    expect((await kept()).QueueConfigurations).toBeUndefined();
    await configure(Bucket, wanted, true);
    expect((await kept()).QueueConfigurations).toMatchObject([{ QueueArn }]);
  });
});

describe("an event that S3 does not know", () => {
  it.each(["s3:ObjectSeen:*", "s3:constructor:Put", "s3:toString:*", "s3:valueOf"])("%s is refused", async (event) => {
    const Bucket = await makeBucket(s3);
    const QueueArn = `arn:aws:sqs:eu-west-1:${account}:missing`;
    const wanted = { QueueConfigurations: [{ QueueArn, Events: [event as S3.Event] }] };
    const message = "A specified event is not supported for notifications.";
    expect(await failure(configure(Bucket, wanted))).toMatchObject({ name: "InvalidArgument", message });
  });
});

describe("a bucket that tells a topic", () => {
  it("needs the topic's permission, and then its subscribers get the record", async () => {
    const sns = new SNS.SNSClient(settings(emulator.current));
    const Bucket = await makeBucket(s3);
    const source = `arn:aws:s3:::${Bucket}`;
    const { TopicArn = "" } = await sns.send(new SNS.CreateTopicCommand({ Name: "uploads" }));
    const queue = await makeOpenQueue(sqs, "sns.amazonaws.com", TopicArn);
    const Attributes = { RawMessageDelivery: "true" };
    await sns.send(new SNS.SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
    const wanted = { TopicConfigurations: [{ TopicArn, Events: everything }] };
    expect((await failure(configure(Bucket, wanted))).name).toBe("InvalidArgument");
    const AttributeValue = servicePolicy("s3.amazonaws.com", "SNS:Publish", TopicArn, source);
    await sns.send(new SNS.SetTopicAttributesCommand({ TopicArn, AttributeName: "Policy", AttributeValue }));
    await configure(Bucket, wanted);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "x", Body: "1" }));
    const [test, told] = await bodies(queue.url, 2);
    expect(test).toMatchObject({ Event: "s3:TestEvent", Bucket });
    expect(told).toMatchObject({ Records: [{ eventName: "ObjectCreated:Put", s3: { object: { key: "x" } } }] });
  });
});

describe("a bucket that tells a function", () => {
  it("needs the function's permission, and then invokes it with the record", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const Bucket = await makeBucket(s3);
    const out = await makeBucket(s3);
    const code = `const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
      exports.handler = (event) => new S3Client({ forcePathStyle: true }).send(
        new PutObjectCommand({ Bucket: "${out}", Key: "seen", Body: JSON.stringify(event) }));`;
    const LambdaFunctionArn = await makeFunction(lambda, "sees", code, { Timeout: 20 });
    const wanted = { LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events: everything }] };
    expect(await failure(configure(Bucket, wanted))).toMatchObject({
      name: "InvalidArgument",
      message: "Unable to validate the following destination configurations",
    });
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "sees",
        StatementId: "s3",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn: `arn:aws:s3:::${Bucket}`,
        SourceAccount: account,
      }),
    );
    await configure(Bucket, wanted);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "x", Body: "1" }));
    const seen = async () => {
      const { Body } = await s3.send(new S3.GetObjectCommand({ Bucket: out, Key: "seen" }));
      return JSON.parse(await Body!.transformToString());
    };
    await expect
      .poll(() => seen().catch(() => undefined), { timeout: 15_000 })
      .toMatchObject({
        Records: [{ eventName: "ObjectCreated:Put", s3: { object: { key: "x", size: 1 } } }],
      });
  });
});
