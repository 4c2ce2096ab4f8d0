import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, expect, test } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
beforeAll(() => {
  s3 = s3Client(emulator.current);
});

/** A bucket whose policy denies something to everyone. */
async function denying(Action: string, Condition?: object): Promise<string> {
  const Bucket = await makeBucket(s3);
  await s3.send(new PutObjectCommand({ Bucket, Key: "kept/a", Body: "a" }));
  const Resource = `arn:aws:s3:::${Bucket}/kept/*`;
  const Statement = [{ Effect: "Deny", Principal: "*", Action, Resource, ...(Condition && { Condition }) }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  return Bucket;
}

test("a bucket's policy denies writing, reading and deleting below a prefix, and says so", async () => {
  const Bucket = await denying("s3:*");
  const object = { Bucket, Key: "kept/a" };
  expect(await failure(s3.send(new PutObjectCommand({ ...object, Body: "b" })))).toEqual({
    name: "AccessDenied",
    status: 403,
    message: `User: arn:aws:iam::000000000000:root is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::${Bucket}/kept/a" with an explicit deny in a resource-based policy`,
  });
  expect(await failure(s3.send(new GetObjectCommand(object)))).toMatchObject({ status: 403 });
  expect(await failure(s3.send(new HeadObjectCommand(object)))).toMatchObject({ status: 403 });
  expect(await failure(s3.send(new DeleteObjectCommand(object)))).toMatchObject({ status: 403 });
  await s3.send(new PutObjectCommand({ Bucket, Key: "free/a", Body: "b" }));
});

test("a condition on a header of S3 is held against the request", async () => {
  const Bucket = await denying("s3:PutObject", { StringEquals: { "s3:x-amz-storage-class": "GLACIER" } });
  const put = (StorageClass?: "GLACIER") =>
    s3.send(new PutObjectCommand({ Bucket, Key: "kept/b", Body: "b", StorageClass }));
  await put();
  expect(await failure(put("GLACIER"))).toMatchObject({ name: "AccessDenied", status: 403 });
});

test("requests count as if they came by TLS", async () => {
  const Bucket = await denying("s3:*", { Bool: { "aws:SecureTransport": "false" } });
  await s3.send(new PutObjectCommand({ Bucket, Key: "kept/b", Body: "b" }));
});

test("who is in no organization is not in the one that a condition names", async () => {
  const Bucket = await denying("s3:*", { StringNotEquals: { "aws:PrincipalOrgID": "o-1" } });
  expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: "kept/a" })))).toMatchObject({ status: 403 });
});
