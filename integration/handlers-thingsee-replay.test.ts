import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import type { ReplayReport } from "../handlers/replay";
import type { ThingseeMessage } from "../handlers/thingsee/message";
import { many, message, throttled, useThingseeFunctions } from "./harness/thingsee-functions";

const thingsee = useThingseeFunctions();
const { start, post, stored, drain } = thingsee;

describe("forwarding", () => {
  test("sends what is stored of one request as one array, each message once", async () => {
    const receive = start("receive", thingsee.world.forwarding);
    await post(receive, [message(0), {}, message(1), message(0)]);
    expect(await drain(thingsee.world.forward)).toEqual([[message(0), message(1)]]);
  });

  test("splits what does not fit 1 MiB", async () => {
    const receive = start("receive", thingsee.world.forwarding);
    const body = [0, 1, 2, 3].map((n) => message(n, { text: "x".repeat(300_000) }));
    expect(await post(receive, body)).toMatchObject({ accepted: 4 });
    const parts = (await drain(thingsee.world.forward)) as unknown as ThingseeMessage[][];
    expect(parts.map(({ length }) => length).sort()).toEqual([1, 3]);
    expect(parts.flat()).toHaveLength(4);
  });

  test("dead-letters what did not reach the queue, though it is stored, and replay completes it", async () => {
    const receive = start("receive", thingsee.world.forwarding);
    const missing = { status: 400, code: "AccessDenied" };
    thingsee.world.aws.fault = (operation) => (operation === "SendMessage" ? missing : undefined);
    expect(await post(receive, many(2))).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await stored()).toHaveLength(2);
    thingsee.world.aws.fault = () => undefined;
    const writes = thingsee.world.aws.calls.BatchWriteItem;
    const replay = start("replay", thingsee.world.forwarding);
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 2, stillFailing: 0, remaining: 0 });
    expect(await drain(thingsee.world.forward)).toEqual([many(2)]);
    expect(thingsee.world.aws.calls.BatchWriteItem).toBe(writes);
  });
});

describe("the archive", () => {
  const archived = async () => {
    const { Contents = [] } = await thingsee.world.s3.send(new ListObjectsV2Command({ Bucket: "archive" }));
    const [{ Key } = {}] = Contents;
    if (!Key) return undefined;
    const { Body } = await thingsee.world.s3.send(new GetObjectCommand({ Bucket: "archive", Key }));
    return {
      Key,
      lines: gunzipSync(await Body!.transformToByteArray())
        .toString()
        .trimEnd()
        .split("\n"),
    };
  };

  test("holds a request's messages as they came, a line each, by date and hour", async () => {
    const receive = start("receive", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    await post(receive, `[ {"a":\n 12345678901234567890},\r\n${JSON.stringify(message(0))}]`);
    const { Key, lines } = (await archived())!;
    expect(Key).toMatch(/^date=\d{4}-\d\d-\d\d\/hour=\d\d\/request-1\.ndjson\.gz$/);
    expect(lines).toEqual(['{"a":  12345678901234567890}', JSON.stringify(message(0))]);
  });

  test("gets by replay what it could not take at first", async () => {
    const receive = start("receive", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    thingsee.world.aws.fault = (operation) => (operation === "PUT" ? { status: 403, code: "AccessDenied" } : undefined);
    expect(await post(receive, [message(0)])).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await archived()).toBeUndefined();
    thingsee.world.aws.fault = () => undefined;
    const replay = start("replay", { THINGSEE_ARCHIVE_BUCKET: "archive" });
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, remaining: 0 });
    expect((await archived())!.lines).toEqual([JSON.stringify(message(0))]);
  });
});

describe("replay", () => {
  test("stores what failed for want of DynamoDB, as the same items, with the time of their first receipt", async () => {
    const receive = start("receive");
    const { tsmTs: _, ...off } = message(0, { tsmEv: 18 });
    const timed = [...many(14), message(20, { serial: 1, text: "x".repeat(300_000) })];
    thingsee.world.aws.fault = (operation) => (operation === "BatchWriteItem" ? throttled : undefined);
    await post(receive, [...timed, off], { remainingMs: 500 });
    const received = Date.now();
    thingsee.world.aws.fault = () => undefined;
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({})).toEqual({
      replayed: 16,
      stillFailing: 0,
      remaining: 0,
      failures: [],
    });
    const { receivedAt } = (await stored()).find(({ event }) => event!.N === "18")!;
    expect(Date.parse(receivedAt!.S!)).toBeLessThanOrEqual(received);
    await post(receive, timed);
    expect(await stored()).toHaveLength(16);
  });

  test("keeps what still fails, visible, and says why", async () => {
    const receive = start("receive");
    await post(receive, [{ tsmTuid: "a" }, message(0)]);
    await thingsee.world.sqs.send(
      new SendMessageCommand({ QueueUrl: thingsee.world.deadLetters, MessageBody: "not a letter" }),
    );
    const replay = start("replay");
    const report = await replay.invoke<ReplayReport>({});
    expect(report).toMatchObject({ replayed: 0, stillFailing: 2, remaining: 2 });
    expect(report.failures.map(({ reason }) => reason)).toContainEqual(expect.stringContaining("tsmId must be"));
  });

  test("takes no more letters than it is told to", async () => {
    const receive = start("receive", { THINGSEE_TABLE: "gone" });
    await post(receive, many(15));
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({ max: 12 })).toMatchObject({ replayed: 12, remaining: 3 });
    expect(await stored()).toHaveLength(12);
  });

  test("takes letters of more than 1 MiB out of S3, and removes them there when they got through", async () => {
    const inS3 = async () => (await thingsee.world.s3.send(new ListObjectsV2Command({ Bucket: "letters" }))).KeyCount;
    const body = `[${JSON.stringify(message(0)).replace(",", `,${" ".repeat(1024 * 1024)}`)}]`;
    await post(start("receive", { THINGSEE_TABLE: "gone" }), body);
    await post(start("receive"), `${body}x`);
    expect(await inS3()).toBe(2);
    const replay = start("replay");
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, stillFailing: 1, remaining: 1 });
    expect(await stored()).toHaveLength(1);
    expect(await inS3()).toBe(1);
  });

  test("leaves in S3 what belongs to a letter that SQS did not delete, and takes it through once more", async () => {
    const body = `[${JSON.stringify(message(0)).replace(",", `,${" ".repeat(1024 * 1024)}`)}]`;
    await post(start("receive", { THINGSEE_TABLE: "gone" }), body);
    const replay = start("replay");
    const refusal = JSON.stringify({
      Successful: [],
      Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }],
    });
    thingsee.world.aws.fault = (operation) =>
      operation === "DeleteMessageBatch" ? { status: 200, code: "", body: refusal } : undefined;
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 0, stillFailing: 1, remaining: 1 });
    thingsee.world.aws.fault = () => undefined;
    expect(await replay.invoke<ReplayReport>({})).toMatchObject({ replayed: 1, stillFailing: 0, remaining: 0 });
    expect(await stored()).toHaveLength(1);
  });

  test("refuses a number of letters that makes no sense", async () => {
    const replay = start("replay");
    await expect(replay.invoke({ max: 0 })).rejects.toThrow("max must be a whole number of 1 or more");
  });
});
