import { randomUUID } from "node:crypto";
import { type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { BEGINNING, type Cursor } from "./cursor";

/**
 * A cursor in a DynamoDB table, whose key must be `channel` (S). The row is also the lease of the receiver that is at
 * work: one that ends without a word leaves it to the next when its time is over. Clocks that differ cost repetitions at
 * most: the key moves by compare-and-set, whoever has the lease.
 */
export function tableCursor(dynamodb: () => DynamoDBClient, table: string, channelId: string): Cursor {
  const me = randomUUID();
  const update = (UpdateExpression: string, ConditionExpression: string, values: Record<string, string | number>) =>
    dynamodb().send(
      new UpdateItemCommand({
        TableName: table,
        Key: { channel: { S: channelId } },
        UpdateExpression,
        ConditionExpression,
        ExpressionAttributeValues: Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            typeof value === "number" ? { N: `${value}` } : { S: value },
          ]),
        ),
        ReturnValues: "ALL_NEW",
      }),
    );

  return {
    async open(until) {
      const free = "attribute_not_exists(heldBy) OR heldBy = :me OR heldUntil < :now";
      const taken = await unlessElsewhere(
        update("SET heldBy = :me, heldUntil = :until", free, { ":me": me, ":until": until, ":now": Date.now() }),
      );
      return taken ? (taken.Attributes?.nextKey?.S ?? BEGINNING) : undefined;
    },
    async move(from, to) {
      const there = from === BEGINNING ? "(attribute_not_exists(nextKey) OR nextKey = :from)" : "nextKey = :from";
      const values = { ":from": from, ":to": to, ":at": new Date().toISOString() };
      return Boolean(await unlessElsewhere(update("SET nextKey = :to, movedAt = :at", there, values)));
    },
    async close(notBefore) {
      const leave = notBefore === undefined ? "REMOVE heldBy, heldUntil" : "SET heldBy = :nobody, heldUntil = :until";
      const until = notBefore === undefined ? undefined : { ":nobody": "nobody", ":until": Math.ceil(notBefore) };
      await unlessElsewhere(update(leave, "heldBy = :me", { ":me": me, ...until }));
    },
  };
}

async function unlessElsewhere<Answer>(updated: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await updated;
  } catch (error) {
    if ((error as Error).name === "ConditionalCheckFailedException") return undefined;
    throw error;
  }
}
