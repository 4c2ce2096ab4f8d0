import type * as Sdk from "@aws-sdk/client-s3";
import { AwsError } from "../../core/errors";
import { defineService } from "../../core/service";
import type { PortCaller } from "../../core/service-caller";
import { access } from "./access";
import { bucketConfig } from "./bucket-config";
import { bucketExtras } from "./bucket-extras";
import { buckets } from "./buckets";
import { objectOf, type S3 } from "./common";
import { preflight } from "./cors";
import { accessDenied } from "./errors";
import { ObjectEvents } from "./events";
import { Lifecycle } from "./lifecycle";
import { lists } from "./lists";
import type { Bucket } from "./model";
import { multipart } from "./multipart";
import { Notifications } from "./notification-delivery";
import { objectProperties } from "./object-properties";
import { objectDeletes } from "./objects-delete";
import { objectReads } from "./objects-read";
import { objectWrites, putPlain } from "./objects-write";
import { Store } from "./store";

export { preflight } from "./cors";

/**
 * Amazon S3: buckets and objects in memory.
 *
 * Not emulated, so answered with 501: SelectObjectContent, RestoreObject, torrents, object annotations, S3 metadata
 * tables, directory buckets, replication (PutBucketReplication). Objects belong to the account of their bucket, whoever
 * wrote them.
 */
export const definition = defineService<typeof Sdk>({
  sdk: () => require("@aws-sdk/client-s3"),
  client: "S3Client",
  create(host) {
    const events = new ObjectEvents();
    const now = () => host.clock.now();
    const store = new Store(now, events);
    const s3: S3 = { store, now, authorizer: host.bus.access };
    const lifecycle = new Lifecycle(store, host.clock, (error) => host.report(error, "s3 lifecycle"));
    const notifications = new Notifications(host);
    events.listen((event) => notifications.announce(event));
    const demand = ({ name, account, config }: Bucket, by: PortCaller | undefined, action: string, key: string) => {
      const resource = `arn:aws:s3:::${name}/${key}`;
      host.bus.access.demand(by, { action, resource, policy: config.policy, owner: account }, accessDenied);
    };
    const reset = () => {
      notifications.clear();
      lifecycle.stop();
      store.clear();
    };
    return {
      operations: {
        ...buckets(s3),
        ...bucketConfig(s3, notifications, () => lifecycle.watch()),
        ...bucketExtras(s3),
        ...objectReads(s3),
        ...objectWrites(s3),
        ...objectDeletes(s3),
        ...objectProperties(s3),
        ...lists(s3),
        ...multipart(s3),
      },
      access: access(s3),
      ports: {
        s3: {
          async getObject(name, key, versionId, by) {
            const bucket = store.bucket(name);
            demand(bucket, by, versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion", key);
            const object = objectOf(bucket, key, versionId, "GET");
            return {
              body: object.body,
              contentType: object.headers.ContentType,
              metadata: { ...object.metadata },
              etag: object.etag,
              ...(object.versionId !== "null" && { versionId: object.versionId }),
            };
          },
          async putObject(name, key, body, { by, ...options } = {}) {
            const bucket = store.bucket(name);
            demand(bucket, by, "s3:PutObject", key);
            if (options.acl !== undefined && options.acl !== "private") demand(bucket, by, "s3:PutObjectAcl", key);
            const { etag, versionId } = await putPlain(store, bucket, key, body, options, now());
            return { etag, ...(versionId !== "null" && { versionId }) };
          },
        },
      },
      counts(arn) {
        const bucket = store.find(/^arn:[^:]+:s3:::([^/]+)$/.exec(arn)?.[1] ?? "");
        return bucket && { objects: bucket.objects.size };
      },
      /** Answers CORS preflights: OPTIONS requests, whose `id` is the bucket. */
      serve({ method, message, response, id }) {
        if (method !== "OPTIONS") {
          throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
        }
        const answer = preflight(store.find(id)?.config.cors, message.headers);
        if (answer.status !== 200) throw new AwsError(answer.code, answer.message, answer.status);
        response.writeHead(200, { ...answer.headers, "content-length": "0" }).end();
      },
      reset,
      close: reset,
    };
  },
});
