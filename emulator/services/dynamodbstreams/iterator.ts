import type { TableStream } from "../../core/bus";
import { limits } from "../../core/limits";
import { expiredIterator, invalidIterator } from "./errors";

/** An iterator is good for 15 minutes (API reference, GetShardIterator). */
const life = limits.dynamodb.streamIterator.value;

/** `<stream>|1|<base64>`, as AWS's look: where to go on, and when it was made. */
export const makeIterator = ({ arn, shardId }: TableStream, position: number, now: number): string =>
  `${arn}|1|${Buffer.from(JSON.stringify([shardId, position, now])).toString("base64")}`;

/** The ARN of the stream that an iterator is for, whether or not it holds. */
export const streamOf = (iterator: string | undefined): string | undefined => iterator?.split("|", 1)[0];

/** @throws AwsError for text that {@link makeIterator} has not made, or too long ago. */
export function readIterator(text: string, now: number): { arn: string; shardId: string; position: number } {
  const [arn = "", version, coded = "", ...more] = text.split("|");
  const [shardId, position, made] = parse(coded) ?? [];
  if (version !== "1" || more.length > 0 || !arn.includes(":dynamodb:")) throw invalidIterator();
  if (typeof shardId !== "string" || !Number.isSafeInteger(position) || typeof made !== "number") {
    throw invalidIterator();
  }
  if (now - made > life) throw expiredIterator();
  return { arn, shardId, position: position as number };
}

function parse(base64: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
