import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";

let buckets = 0;

/** A client of the emulator's S3; `account` is twelve digits, which the emulator takes as an access key's account. */
export const s3Client = (emulator: Pick<Emulator, "endpoint">, { region = "eu-west-1", account = "test" } = {}) =>
  new S3Client({ ...settings(emulator, { region, accessKeyId: account }), forcePathStyle: true });

/** Makes a bucket with a name of its own and gives the name. */
export async function makeBucket(
  s3: S3Client,
  options: { ObjectLockEnabledForBucket?: boolean } = {},
): Promise<string> {
  const Bucket = `bucket-${process.pid}-${++buckets}`;
  await s3.send(new CreateBucketCommand({ Bucket, ...options }));
  return Bucket;
}

/** The error's code and HTTP status of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<{ name: string; status?: number; message: string }> {
  const error = await call.then(
    () => {
      throw new Error("the call succeeded, though it should have failed");
    },
    (reason: unknown) => reason as Error & { $metadata?: { httpStatusCode?: number } },
  );
  return { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode };
}
