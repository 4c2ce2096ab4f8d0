import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { many, message, throttled, useThingseeFunctions } from "./harness/thingsee-functions";

const thingsee = useThingseeFunctions();
const { start, post, stored, drain } = thingsee;

describe("the function behind POST", () => {
  test("stores one message with one AWS call", async () => {
    const receive = start("receive");
    expect(await post(receive, [message(0)])).toEqual({ http: 200, accepted: 1, rejected: 0 });
    expect(thingsee.world.aws.calls).toEqual({ BatchWriteItem: 1 });
    expect(await stored()).toHaveLength(1);
  });

  test("stores 1,000 messages with 40 calls", async () => {
    const receive = start("receive");
    expect(await post(receive, many(1000))).toMatchObject({ accepted: 1000, rejected: 0 });
    expect(thingsee.world.aws.calls).toEqual({ BatchWriteItem: 40 });
    const { Count } = await thingsee.world.dynamodb.send(new ScanCommand({ TableName: "messages", Select: "COUNT" }));
    expect(Count).toBe(1000);
  });

  test("stores the good messages beside broken ones, and dead-letters those with their reasons", async () => {
    const receive = start("receive");
    const body = `[${JSON.stringify(message(0))}, {"tsmId": 9007199254740993}, null, ${JSON.stringify(message(1))}]`;
    expect(await post(receive, body)).toEqual({ http: 200, accepted: 2, rejected: 2 });
    expect(await stored()).toHaveLength(2);
    const letters = await drain(thingsee.world.deadLetters);
    expect(letters).toEqual([
      expect.objectContaining({
        index: 1,
        stage: "validate",
        requestId: "request-1",
        message: { tsmId: 9007199254740992 },
      }),
      expect.objectContaining({ index: 2, reason: "a message must be a JSON object, not null", message: null }),
    ]);
    expect(letters[0]!.reason).toContain("tsmTuid");
  });

  test("makes one item of a message that comes twice in a request, or in two", async () => {
    const receive = start("receive");
    expect(await post(receive, [message(0), message(0)])).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await post(receive, [message(0)])).toMatchObject({ accepted: 1 });
    expect(await stored()).toHaveLength(1);
  });

  test("keeps several messages of one device from the same second", async () => {
    const receive = start("receive");
    await post(receive, [message(0), message(0, { tsmId: 1110 }), message(0, { temp: 22 })]);
    expect(await stored()).toHaveLength(3);
  });

  test("writes again, after a wait, what DynamoDB throttled", async () => {
    const receive = start("receive");
    thingsee.world.aws.fault = () => ((thingsee.world.aws.calls.BatchWriteItem ?? 0) < 3 ? throttled : undefined);
    expect(await post(receive, many(10))).toMatchObject({ accepted: 10, rejected: 0 });
    expect(thingsee.world.aws.calls.BatchWriteItem).toBe(3);
    expect(await stored()).toHaveLength(10);
  });

  test("writes again only the items that DynamoDB left unprocessed", async () => {
    const receive = start("receive");
    const sizes: number[] = [];
    thingsee.world.aws.fault = (_, body) => {
      sizes.push((JSON.parse(body) as { RequestItems: { messages: [] } }).RequestItems.messages.length);
      return undefined;
    };
    thingsee.world.aws.answer = (_, body, request) => {
      if (sizes.length > 1) return body;
      const { messages } = (JSON.parse(request) as { RequestItems: { messages: [] } }).RequestItems;
      return JSON.stringify({ UnprocessedItems: { messages: messages.slice(0, 4) } });
    };
    expect(await post(receive, many(10))).toMatchObject({ accepted: 10, rejected: 0 });
    expect(sizes).toEqual([10, 4]);
  });

  test("dead-letters the messages when DynamoDB stays unavailable, and still answers 200", async () => {
    const receive = start("receive");
    thingsee.world.aws.fault = (operation) => (operation === "BatchWriteItem" ? throttled : undefined);
    expect(await post(receive, many(30), { remainingMs: 500 })).toMatchObject({ accepted: 0, rejected: 30 });
    const letters = await drain(thingsee.world.deadLetters);
    expect(letters).toHaveLength(30);
    expect(letters[0]).toMatchObject({ stage: "store", requestId: "request-1" });
    expect(letters[0]!.reason).toContain("ProvisionedThroughputExceededException");
  });

  test("dead-letters the messages when connections to DynamoDB break", async () => {
    const receive = start("receive");
    thingsee.world.aws.fault = (operation) => (operation === "BatchWriteItem" ? "drop" : undefined);
    expect(await post(receive, many(3), { remainingMs: 500 })).toMatchObject({ accepted: 0, rejected: 3 });
    expect(await drain(thingsee.world.deadLetters)).toHaveLength(3);
  });

  test("dead-letters the messages at once when the table is not there", async () => {
    const receive = start("receive", { THINGSEE_TABLE: "gone" });
    expect(await post(receive, many(3))).toMatchObject({ accepted: 0, rejected: 3 });
    expect(thingsee.world.aws.calls).toEqual({ BatchWriteItem: 1, SendMessageBatch: 1 });
    expect((await drain(thingsee.world.deadLetters))[0]!.reason).toContain("ResourceNotFoundException");
  });

  test("stores the others when DynamoDB refuses one item of a batch", async () => {
    const receive = start("receive");
    const refused = { status: 400, code: "ValidationException", message: "refused" };
    thingsee.world.aws.fault = (_, body) => (body.includes('"poison"') ? refused : undefined);
    expect(await post(receive, [...many(24), message(24, { note: "poison" })])).toMatchObject({
      accepted: 24,
      rejected: 1,
    });
    thingsee.world.aws.fault = () => undefined;
    expect(await stored()).toHaveLength(24);
  });

  test("asks the sender to try again only when the dead-letter queue fails too", async () => {
    const receive = start("receive", {
      THINGSEE_TABLE: "gone",
      THINGSEE_DEAD_LETTER_QUEUE: `${thingsee.world.deadLetters}-x`,
    });
    const answer = await post(receive, many(3));
    expect(answer).toMatchObject({ http: 503, requestId: "request-1" });
    expect(answer.message).toContain("send the request again");
  });

  test("answers 400 to what is not JSON, and keeps it in the dead-letter queue", async () => {
    const receive = start("receive");
    expect(await post(receive, "temp=21\u0000\ufffe")).toMatchObject({
      http: 400,
      message: "the body is not JSON; send a JSON array of Thingsee messages",
    });
    expect(await drain(thingsee.world.deadLetters)).toEqual([
      expect.objectContaining({ stage: "parse", body: "temp=21\u0000\ufffe" }),
    ]);
  });

  test("answers 400 to an empty body, and 200 to an empty array", async () => {
    const receive = start("receive");
    expect(await post(receive, "  ")).toMatchObject({ http: 400 });
    expect(await receive.invoke({ body: null, requestContext: { requestId: "r" } })).toMatchObject({ statusCode: 400 });
    expect(await post(receive, [])).toEqual({ http: 200, accepted: 0, rejected: 0 });
    expect(thingsee.world.aws.calls).toEqual({});
  });

  test("takes one object, and bodies that arrive as base64", async () => {
    const receive = start("receive");
    expect(await post(receive, message(0))).toMatchObject({ accepted: 1 });
    const body = Buffer.from(`\ufeff${JSON.stringify([message(1)])}`).toString("base64");
    const event = { body, isBase64Encoded: true, requestContext: { requestId: "r" } };
    expect(await receive.invoke(event)).toMatchObject({ statusCode: 200 });
    expect(await stored()).toHaveLength(2);
  });

  test("dead-letters a message nested a million levels deep, whole, beside one that it stores", async () => {
    const receive = start("receive");
    const deep = `{"tsmTuid":"a","tsmId":1,"tsmEv":1,"tsmTs":1,"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`;
    expect(await post(receive, `[${deep},${JSON.stringify(message(0))}]`)).toMatchObject({ accepted: 1, rejected: 1 });
    const [letter] = (await drain(thingsee.world.deadLetters)) as { s3: { key: string } }[];
    const { Body } = await thingsee.world.s3.send(new GetObjectCommand({ Bucket: "letters", Key: letter!.s3.key }));
    expect(await Body!.transformToString()).toContain(deep);
  });

  test("answers a body of half a million elements that are no messages, and keeps it as one letter", async () => {
    const receive = start("receive");
    const body = `[${JSON.stringify(message(0))}${",0".repeat(5e5)},${JSON.stringify(message(1))}]`;
    expect(await post(receive, body)).toMatchObject({ http: 200, accepted: 2, rejected: 5e5 });
    expect(await stored()).toHaveLength(2);
    const [letter, ...others] = await drain(thingsee.world.deadLetters);
    expect(others).toEqual([]);
    expect(letter!.reason).toContain("500000 messages failed, the first of them, number 1: a message must be");
  });

  test("writes to its log how many messages it dead-lettered and why, but nothing of what they said", async () => {
    const receive = start("withCallback");
    await post(receive, [message(0, { todo: "throw", text: "confidential" }), { secret: "confidential" }]);
    await expect.poll(() => receive.log).toContain('"stages":{"onMessage":1,"validate":1}');
    expect(receive.log).not.toContain("confidential");
  });
});

describe("a callback", () => {
  test("changes, drops and refuses messages one by one", async () => {
    const receive = start("withCallback");
    const body = ["keep", "drop", "throw", "forget"].map((todo, n) => message(n, { temp: 0, todo }));
    expect(await post(receive, body)).toMatchObject({ accepted: 2, rejected: 2 });
    const [item, ...others] = await stored();
    expect(others).toEqual([]);
    expect(item!.data!.M).toMatchObject({ fahrenheit: { N: "32" }, requestId: { S: "request-1" } });
    const letters = await drain(thingsee.world.deadLetters);
    expect(letters).toEqual([
      expect.objectContaining({ index: 2, stage: "onMessage", reason: "Error: too cold", message: body[2] }),
      expect.objectContaining({ index: 3, stage: "onMessage" }),
    ]);
    expect(letters[1]!.reason).toContain("return the message, or null to drop it");
  });

  test("that adds something new each time still makes one item of a repeated message", async () => {
    const receive = start("withCallback");
    await post(receive, [message(0)]);
    await post(receive, [message(0)]);
    expect(await stored()).toHaveLength(1);
  });

  test("that hangs on one message does not keep the others from being stored", async () => {
    const receive = start("withCallback");
    const answer = await post(receive, [message(0, { todo: "hang" }), message(1)], { remainingMs: 1000 });
    expect(answer).toMatchObject({ accepted: 1, rejected: 1 });
    expect((await drain(thingsee.world.deadLetters))[0]!.reason).toContain("did not finish in time");
  });
});
