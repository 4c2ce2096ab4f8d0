import * as pulumi from "@pulumi/pulumi";
import { Postbox } from "../../components";

/** A postbox whose objects and messages are gone within two weeks: S3 removes objects at the midnight after they are due. */
const schedule = new pulumi.Config().require("schedule");
const postbox = new Postbox("postbox", { auth: "none", retentionDays: 13, expiryDays: 13, reconcile: { schedule } });

export const url = postbox.url;
export const bucket = postbox.bucket.bucket;
export const queueUrl = postbox.queue.url;
