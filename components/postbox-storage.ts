import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PUBLISHED } from "../handlers/postbox/keys";
import { makePrivateBucket } from "./storage";

const DAY = 24 * 60 * 60;
/** Tries to announce an object before its arrival is given up. */
const ANNOUNCE_TRIES = 5;
/** Seconds that one run of the announcing function may take. */
export const ANNOUNCE_TIMEOUT = 30;

interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal: "*" | { Service: string };
  Action: string;
  Resource: pulumi.Input<string> | pulumi.Input<string>[];
  Condition: Record<string, Record<string, pulumi.Input<string>>>;
}

/** Refuses whoever comes without TLS. */
const onlyByTls = (service: string, Resource: Statement["Resource"]): Statement => ({
  ...{ Sid: "OnlyByTls", Effect: "Deny", Principal: "*", Action: `${service}:*`, Resource },
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

const policyOf = (statements: Statement[]) => pulumi.jsonStringify({ Version: "2012-10-17", Statement: statements });

/**
 * The bucket with the bodies. It takes no empty ones: API Gateway, which stores them, cannot tell, but signs each
 * request with the hash of its body.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 */
export function makeBodies(
  name: string,
  settings: { expiryDays: number; forceDestroy?: boolean },
  opts: pulumi.CustomResourceOptions,
): aws.s3.Bucket {
  const bucket = makePrivateBucket(`${name}-bodies`, settings, opts);
  new aws.s3.BucketOwnershipControls(
    `${name}-bodies-ownership`,
    { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts,
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}-bodies-encryption`,
    { bucket: bucket.bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    opts,
  );
  const all = pulumi.interpolate`${bucket.arn}/*`;
  const nothingEmpty: Statement = {
    ...{ Sid: "NothingEmpty", Effect: "Deny", Principal: "*", Action: "s3:PutObject" },
    Resource: pulumi.interpolate`${bucket.arn}/${PUBLISHED}*`,
    Condition: { StringEquals: { "s3:x-amz-content-sha256": createHash("sha256").digest("hex") } },
  };
  new aws.s3.BucketPolicy(
    `${name}-bodies-policy`,
    { bucket: bucket.bucket, policy: policyOf([onlyByTls("s3", [bucket.arn, all]), nothingEmpty]) },
    opts,
  );
  return bucket;
}

export interface QueueSettings {
  delaySeconds: number;
  waitSeconds: number;
  retentionDays: number;
  maxReceiveCount: number;
  visibilityTimeoutSeconds: number;
}

/** The queue with the announcements, and where those go that consumers failed on. */
export function makeAnnouncements(name: string, settings: QueueSettings, opts: pulumi.CustomResourceOptions) {
  const common = { messageRetentionSeconds: settings.retentionDays * DAY, sqsManagedSseEnabled: true };
  const errorQueue = new aws.sqs.Queue(`${name}-errors`, common, opts);
  const queue = new aws.sqs.Queue(
    `${name}-queue`,
    {
      ...common,
      delaySeconds: settings.delaySeconds,
      receiveWaitTimeSeconds: settings.waitSeconds,
      visibilityTimeoutSeconds: settings.visibilityTimeoutSeconds,
      redrivePolicy: pulumi.jsonStringify({
        deadLetterTargetArn: errorQueue.arn,
        maxReceiveCount: settings.maxReceiveCount,
      }),
    },
    opts,
  );
  protect(`${name}-errors`, errorQueue, [], opts);
  protect(`${name}-queue`, queue, [], opts);
  return { queue, errorQueue };
}

/**
 * What S3 says about new objects, on a queue: S3 itself tries to hand an event to a function for some hours only, a queue
 * keeps it for two weeks. Those that could not be announced again and again wait in another queue.
 */
export function makeArrivals(
  name: string,
  bucket: aws.s3.Bucket,
  account: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
) {
  const common = { messageRetentionSeconds: 14 * DAY, sqsManagedSseEnabled: true };
  const unannounced = new aws.sqs.Queue(`${name}-unannounced`, common, opts);
  const arrivals = new aws.sqs.Queue(
    `${name}-arrivals`,
    {
      ...common,
      visibilityTimeoutSeconds: 6 * ANNOUNCE_TIMEOUT,
      redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: unannounced.arn, maxReceiveCount: ANNOUNCE_TRIES }),
    },
    opts,
  );
  protect(`${name}-unannounced`, unannounced, [], opts);
  const fromBucket: Statement = {
    ...{ Sid: "FromTheBucket", Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage" },
    Resource: arrivals.arn,
    Condition: { ArnEquals: { "aws:SourceArn": bucket.arn }, StringEquals: { "aws:SourceAccount": account } },
  };
  const policy = protect(`${name}-arrivals`, arrivals, [fromBucket], opts);
  const notification = new aws.s3.BucketNotification(
    `${name}-notification`,
    {
      bucket: bucket.bucket,
      queues: [{ queueArn: arrivals.arn, events: ["s3:ObjectCreated:*"], filterPrefix: PUBLISHED }],
    },
    // S3 sends a test message, and refuses a queue that does not take it.
    { ...opts, dependsOn: [policy] },
  );
  return { arrivals, unannounced, notification };
}

function protect(
  name: string,
  queue: aws.sqs.Queue,
  allowed: Statement[],
  opts: pulumi.CustomResourceOptions,
): aws.sqs.QueuePolicy {
  const policy = policyOf([onlyByTls("sqs", queue.arn), ...allowed]);
  return new aws.sqs.QueuePolicy(`${name}-policy`, { queueUrl: queue.url, policy }, opts);
}
