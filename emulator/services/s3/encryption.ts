import { hash } from "node:crypto";
import type { ServerSideEncryption } from "@aws-sdk/client-s3";
import { accessDenied, invalidArgument, invalidRequest } from "./errors";
import type { Bucket, Encryption } from "./model";

interface CustomerKey {
  readonly SSECustomerAlgorithm?: string;
  readonly SSECustomerKey?: string;
  readonly SSECustomerKeyMD5?: string;
}

/** Reads the three headers of a customer's key (SSE-C); gives the key's MD5, by which the object is recognized later. */
export function customerKey({
  SSECustomerAlgorithm: algorithm,
  SSECustomerKey: key,
  SSECustomerKeyMD5: md5,
}: CustomerKey): string | undefined {
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  const refuse = (message: string, header: string) =>
    invalidArgument(message, `x-amz-server-side-encryption-customer-${header}`);
  const requests = "Requests specifying Server Side Encryption with Customer provided keys must provide";
  if (algorithm === undefined) throw refuse(`${requests} a valid encryption algorithm.`, "algorithm");
  if (algorithm !== "AES256")
    throw refuse("The Encryption request you specified is not valid. Supported value: AES256.", "algorithm");
  if (key === undefined) throw refuse(`${requests} an appropriate secret key.`, "key");
  if (md5 === undefined) throw refuse(`${requests} the client calculated MD5 of the secret key.`, "key-MD5");
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 32) throw refuse("The secret key was invalid for the specified algorithm.", "key");
  if (hash("md5", bytes, "base64") !== md5) {
    throw refuse("The calculated MD5 hash of the key did not match the hash that was provided.", "key-MD5");
  }
  return md5;
}

/** Holds a read of an object against the key it was written with. */
export function checkCustomerKey({ customerKeyMd5 }: Encryption, input: CustomerKey): void {
  const given = customerKey(input);
  if (customerKeyMd5 === undefined) {
    if (given) throw invalidRequest("The encryption parameters are not applicable to this object.");
    return;
  }
  if (given === undefined) {
    throw invalidRequest(
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  if (given !== customerKeyMd5) throw accessDenied();
}

interface Requested extends CustomerKey {
  readonly ServerSideEncryption?: ServerSideEncryption;
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** The encryption of a new object: the request's, else the bucket's default. */
export function encryptionFor(bucket: Bucket, input: Requested): Encryption {
  const rule = bucket.config.encryption.Rules?.[0];
  const customerKeyMd5 = customerKey(input);
  if (customerKeyMd5) {
    if (input.ServerSideEncryption) {
      throw invalidArgument(
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
        "x-amz-server-side-encryption",
        input.ServerSideEncryption,
      );
    }
    if (rule?.BlockedEncryptionTypes?.EncryptionType?.includes("SSE-C")) {
      throw accessDenied(
        "User is not authorized to perform: s3:PutObject because server-side encryption with customer-provided keys (SSE-C) is blocked for this bucket",
      );
    }
    return { customerKeyMd5 };
  }
  const byDefault = rule?.ApplyServerSideEncryptionByDefault;
  const method = input.ServerSideEncryption ?? byDefault?.SSEAlgorithm ?? "AES256";
  if (!["AES256", "aws:kms", "aws:kms:dsse"].includes(method)) {
    throw invalidArgument("The encryption method specified is not supported", "x-amz-server-side-encryption", method);
  }
  if (method === "AES256") {
    if (input.SSEKMSKeyId && input.ServerSideEncryption) {
      throw invalidArgument(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        "x-amz-server-side-encryption",
        method,
      );
    }
    return { ServerSideEncryption: "AES256" };
  }
  const keyOfBucket = input.ServerSideEncryption === undefined || byDefault?.SSEAlgorithm === method;
  const key = input.SSEKMSKeyId ?? (keyOfBucket ? byDefault?.KMSMasterKeyID : undefined);
  const bucketKey = input.BucketKeyEnabled ?? rule?.BucketKeyEnabled ?? false;
  return {
    ServerSideEncryption: method,
    SSEKMSKeyId: keyArn(bucket, key),
    ...(bucketKey && { BucketKeyEnabled: true }),
  };
}

/** S3 answers with the key's ARN, whatever form it was given in; without one it uses the account's `aws/s3` key. */
function keyArn({ account, region }: Bucket, key: string | undefined): string {
  if (key?.startsWith("arn:")) return key;
  if (key) return `arn:aws:kms:${region}:${account}:${key.startsWith("alias/") ? key : `key/${key}`}`;
  const digits = hash("md5", `aws/s3 ${account} ${region}`, "hex");
  const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return `arn:aws:kms:${region}:${account}:key/${id}`;
}

/** An object's encryption as output members. */
export const encryptionMembers = ({ customerKeyMd5, ...encryption }: Encryption) =>
  customerKeyMd5 ? { SSECustomerAlgorithm: "AES256", SSECustomerKeyMD5: customerKeyMd5 } : encryption;
