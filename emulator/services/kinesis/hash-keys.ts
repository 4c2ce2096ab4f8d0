import { hash } from "node:crypto";
import { invalidArgument } from "./errors";

/** Hash keys are 128 bits: here as 32 hexadecimal digits, which compare as text. */
export type HashKey = string;

export interface HashRange {
  readonly first: HashKey;
  /** Inclusive. */
  readonly last: HashKey;
}

const count = 2n ** 128n;

export const hexOf = (value: bigint): HashKey => value.toString(16).padStart(32, "0");

export const numberOf = (key: HashKey): bigint => BigInt(`0x${key}`);

/** A range as the API shows it: decimal numbers. */
export const shownRange = ({ first, last }: HashRange) => ({
  StartingHashKey: numberOf(first).toString(),
  EndingHashKey: numberOf(last).toString(),
});

/** Where partition keys lie: the MD5 digest of their UTF-8 bytes. */
export const hashOfPartitionKey = (partitionKey: string): HashKey => hash("md5", partitionKey, "hex");

/** Reads an ExplicitHashKey. */
export function readExplicitHashKey(text: string): HashKey {
  const value = BigInt(text);
  if (value >= count) {
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${text}`,
    );
  }
  return hexOf(value);
}

/** Where the ranges of a stream with this many equal shards begin. */
export function uniformStarts(shards: number): bigint[] {
  const width = count / BigInt(shards);
  return Array.from({ length: shards }, (_, index) => width * BigInt(index));
}

/** Equal ranges that cover all hash keys. */
export function uniformRanges(shards: number): HashRange[] {
  const starts = uniformStarts(shards);
  return starts.map((start, index) => ({ first: hexOf(start), last: hexOf((starts[index + 1] ?? count) - 1n) }));
}
