import * as S3 from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { arnOf, principal, Rules } from "./harness/event-rules";
import { makeBucket, s3Client } from "./harness/s3";
import { account, makeOpenQueue, take } from "./harness/topics";

const emulator = useEmulator();
let s3: S3.S3Client;
let rules: Rules;
beforeAll(() => {
  s3 = s3Client(emulator.current);
  rules = new Rules(emulator.current);
});

/** A bucket that tells EventBridge, and a queue that a rule tells of its events. */
async function toldBucket() {
  const Bucket = await makeBucket(s3);
  const NotificationConfiguration = { EventBridgeConfiguration: {} };
  await s3.send(new S3.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  const Name = rules.newName();
  const queue = await makeOpenQueue(rules.sqs, principal, arnOf(`rule/${Name}`));
  const EventPattern = JSON.stringify({ source: ["aws.s3"], detail: { bucket: { name: [Bucket] } } });
  await rules.make([{ Id: "queue", Arn: queue.arn }], { Name, EventPattern });
  return { Bucket, queue };
}

describe("a bucket that tells EventBridge", () => {
  it("sends its events to the default bus, as AWS writes them", async () => {
    const { Bucket, queue } = await toldBucket();
    const { ETag = "" } = await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a b/ä.txt", Body: "hello" }));
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "a b/ä.txt" }));
    const [created, deleted] = await rules.bodies(queue.url, 2);
    expect(created).toEqual({
      version: "0",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "detail-type": "Object Created",
      source: "aws.s3",
      account,
      time: expect.stringMatching(/Z$/),
      region: "eu-west-1",
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        version: "0",
        bucket: { name: Bucket },
        object: {
          key: "a b/ä.txt",
          size: 5,
          etag: ETag.replaceAll('"', ""),
          sequencer: expect.stringMatching(/^[0-9A-F]+$/),
        },
        "request-id": expect.stringMatching(/^[0-9A-Z]{16}$/),
        requester: account,
        "source-ip-address": "127.0.0.1",
        reason: "PutObject",
      },
    });
    expect(deleted).toMatchObject({
      "detail-type": "Object Deleted",
      detail: { object: { key: "a b/ä.txt" }, reason: "DeleteObject", "deletion-type": "Permanently Deleted" },
    });
    expect(deleted.detail.object.sequencer > created.detail.object.sequencer).toBe(true);
  });

  it("tells of delete markers, tags and copies", async () => {
    const { Bucket, queue } = await toldBucket();
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new S3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId } = await s3.send(new S3.PutObjectCommand({ Bucket, Key: "x", Body: "1" }));
    await s3.send(new S3.CopyObjectCommand({ Bucket, Key: "y", CopySource: `${Bucket}/x` }));
    const Tagging = { TagSet: [{ Key: "k", Value: "v" }] };
    await s3.send(new S3.PutObjectTaggingCommand({ Bucket, Key: "x", Tagging }));
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "x" }));
    const told = await rules.bodies(queue.url, 4);
    expect(told.map((event) => [event["detail-type"], event.detail.reason, event.detail["deletion-type"]])).toEqual([
      ["Object Created", "PutObject", undefined],
      ["Object Created", "CopyObject", undefined],
      ["Object Tags Added", undefined, undefined],
      ["Object Deleted", "DeleteObject", "Delete Marker Created"],
    ]);
    expect(told[0].detail.object["version-id"]).toBe(VersionId);
  });

  it("says what S3 itself deletes, without an address", async () => {
    const { Bucket, queue } = await toldBucket();
    const rule = { ID: "r", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } } as const;
    const LifecycleConfiguration = { Rules: [rule] };
    await s3.send(new S3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "old", Body: "1" }));
    await rules.bodies(queue.url);
    await emulator.current.clock.advance("3 days");
    const [{ detail }] = await rules.bodies(queue.url);
    expect(detail).toMatchObject({ reason: "Lifecycle Expiration", requester: "s3.amazonaws.com" });
    expect(detail).not.toHaveProperty("source-ip-address");
  });

  it("shows the setting, and sends nothing once it is gone", async () => {
    const { Bucket, queue } = await toldBucket();
    const shown = () => s3.send(new S3.GetBucketNotificationConfigurationCommand({ Bucket }));
    expect((await shown()).EventBridgeConfiguration).toEqual({});
    await s3.send(new S3.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }));
    expect((await shown()).EventBridgeConfiguration).toBeUndefined();
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "x", Body: "1" }));
    await emulator.current.clock.advance("1 minute");
    expect(await take(rules.sqs, queue.url)).toEqual([]);
  });
});
