// Buckets and topics that tell functions and queues: Pulumi's own event handlers, and plain resources. A project of its
// own: Pulumi packs all that the nearest package.json depends on into the code of each handler.
const aws = require("@pulumi/aws");
const pulumi = require("@pulumi/pulumi");

const { prefix = "in/", raw = false, filter } = new pulumi.Config().requireObject("notifications");

const tells = (name, resource, service, source) =>
  pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        ...{ Effect: "Allow", Principal: { Service: `${service}.amazonaws.com` }, Action: name, Resource: resource },
        Condition: { ArnEquals: { "aws:SourceArn": source } },
      },
    ],
  });

const seenUrl = new aws.sqs.Queue("seen").url;
const heardUrl = new aws.sqs.Queue("heard").url;

/** Passes its event on to a queue. */
const pass = (kind, url) => async (event) => {
  const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
  const MessageBody = JSON.stringify({ kind, event });
  await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: url.get(), MessageBody }));
};

const uploads = new aws.s3.Bucket("uploads", { forceDestroy: true });
uploads.onObjectCreated("created", pass("created", seenUrl), { filterPrefix: prefix });
uploads.onObjectRemoved("removed", pass("removed", seenUrl));

const alarms = new aws.sns.Topic("alarms", { displayName: "Alarms" });
const alarmed = alarms.onEvent("alarmed", pass("alarmed", heardUrl));

const told = new aws.sqs.Queue("told");
new aws.sqs.QueuePolicy("told", {
  queueUrl: told.url,
  policy: tells("sqs:SendMessage", told.arn, "sns", alarms.arn),
});
const subscription = new aws.sns.TopicSubscription("told", {
  ...{ topic: alarms.arn, protocol: "sqs", endpoint: told.arn },
  ...(raw && { rawMessageDelivery: true }),
  ...(filter && { filterPolicy: JSON.stringify(filter) }),
});

const archive = new aws.s3.Bucket("archive", { forceDestroy: true });
const policy = new aws.sns.TopicPolicy("alarms", {
  arn: alarms.arn,
  policy: tells("sns:Publish", alarms.arn, "s3", archive.arn),
});
new aws.s3.BucketNotification(
  "archive",
  { bucket: archive.id, topics: [{ topicArn: alarms.arn, events: ["s3:ObjectCreated:*"], filterSuffix: ".csv" }] },
  { dependsOn: [policy, subscription, alarmed] },
);

exports.uploadsName = uploads.bucket;
exports.archiveName = archive.bucket;
exports.topicArn = alarms.arn;
exports.subscriptionArn = subscription.arn;
exports.urls = { seen: seenUrl, heard: heardUrl, told: told.url };
