import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
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

/** Lets everybody read the objects of a bucket, also who signs no request. */
export async function openToAll(s3: S3Client, Bucket: string): Promise<void> {
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
  const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

/** A request that no SDK client sends, by the administrator `test`, whose signature nobody looks at. */
export const fetchSigned = (
  url: string,
  { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(url, {
    ...init,
    headers: {
      ...headers,
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0",
    },
  });

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
