import { createHash } from "node:crypto";
import type { BucketObject, BucketObjectArgs, BucketObjectv2, BucketObjectv2Args } from "@pulumi/aws/s3";
import { Archive, type Asset } from "../assets";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type Args = PlainArgs<BucketObjectv2Args>;

/** As the provider guesses when no content type is given. */
const octetStream = "application/octet-stream";

async function content(args: Args): Promise<Buffer> {
  const source = args.source as Archive | Asset | undefined;
  if (source) return source instanceof Archive ? source.zip() : source.content();
  if (args.contentBase64 !== undefined) return Buffer.from(args.contentBase64, "base64");
  return Buffer.from(args.content ?? "");
}

async function put(args: Args, { clients, tags }: ProviderContext) {
  const Body = await content(args);
  const Tagging = new URLSearchParams(tags(args.tags)).toString();
  const { VersionId, ETag } = await clients.s3.putObject({
    Bucket: args.bucket,
    Key: args.key!,
    Body,
    ACL: args.acl as "private",
    CacheControl: args.cacheControl,
    ContentDisposition: args.contentDisposition,
    ContentEncoding: args.contentEncoding,
    ContentLanguage: args.contentLanguage,
    ContentType: args.contentType ?? octetStream,
    Metadata: args.metadata,
    ServerSideEncryption: args.serverSideEncryption as "AES256",
    StorageClass: args.storageClass as "STANDARD",
    WebsiteRedirectLocation: args.websiteRedirect,
    ...(Tagging && { Tagging }),
  });
  return {
    arn: `arn:aws:s3:::${args.bucket}/${args.key}`,
    key: args.key,
    etag: ETag?.replaceAll('"', "") ?? createHash("md5").update(Body).digest("hex"),
    versionId: VersionId ?? "",
    contentType: args.contentType ?? octetStream,
  };
}

const object = resourceType<BucketObjectv2Args, BucketObjectv2>({
  // The name of the resource is the key when none is given, with the usual random end.
  autoname: { property: "key", max: 1024 },
  replaceOn: ["bucket", "key"],
  async create(args, context) {
    return { id: `${args.bucket}/${args.key}`, outputs: await put(args, context) };
  },
  async read(id, { clients }) {
    const at = id.indexOf("/");
    const [Bucket, Key] = [id.slice(0, at), id.slice(at + 1)];
    const found = await unlessGone(clients.s3.headObject({ Bucket, Key }));
    return found && { bucket: Bucket, key: Key, arn: `arn:aws:s3:::${id}`, etag: found.ETag?.replaceAll('"', "") };
  },
  update: (_id, args, _old, context) => put(args, context),
  async delete(_id, { inputs, outputs }, { clients }) {
    const VersionId = outputs.versionId || undefined;
    await clients.s3.deleteObject({ Bucket: inputs.bucket, Key: inputs.key, VersionId });
  },
});

/** The older type has the same arguments. */
const classic: typeof object & { args?: BucketObjectArgs; resource?: BucketObject } = object;

export const types = { "aws:s3/bucketObjectv2:BucketObjectv2": object, "aws:s3/bucketObject:BucketObject": classic };
