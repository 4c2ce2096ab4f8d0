import { AwsError } from "../../../../core/errors";
import { defineAction, oneOf, required } from "./action";

/** A template that leaves nothing: there are no objects without a key. */
const noKey = () => new AwsError("InvalidRequest", "The key parameter must be specified when uploading an object");

/** https://docs.aws.amazon.com/iot/latest/developerguide/s3-rule-action.html */
export const s3 = defineAction("s3", {
  title: "S3Action",
  attempt: "put S3 object",
  service: "Amazon S3",
  members: {
    roleArn: required,
    bucketName: required,
    key: required,
    cannedAcl: oneOf(
      "private",
      "public-read",
      "public-read-write",
      "aws-exec-read",
      "authenticated-read",
      "bucket-owner-read",
      "bucket-owner-full-control",
      "log-delivery-write",
    ),
  },
  compile({ bucketName = "", key = "", cannedAcl }, { bus, template }) {
    const bucket = template(bucketName, "bucketName");
    const path = template(key, "key");
    return {
      resource: bucketName,
      async prepare({ fill, payload }) {
        const name = await fill(bucket);
        const at = await fill(path);
        return {
          lane: `${name}/${at}`,
          resource: name,
          detail: `Bucket: ${name}, Key: "${at}"`,
          async send(by) {
            if (at === "") throw noKey();
            const port = bus.ready("s3") ?? (await bus.to("s3"));
            // The ACL of log deliveries is S3's own and not in the type of its client.
            await port.putObject(name, at, payload, {
              acl: cannedAcl as Exclude<typeof cannedAcl, "log-delivery-write">,
              by,
            });
          },
        };
      },
    };
  },
});
