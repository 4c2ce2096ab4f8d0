import * as pulumi from "@pulumi/pulumi";
import { ThingseeIngest } from "../../components";

/** The smallest program that there is; with a key in its configuration, another one. */
const key = new pulumi.Config().get("key");

const ingest = key
  ? new ThingseeIngest("ingest", { auth: { apiKeys: [{ name: "main", value: key }] }, path: "sensors/thingsee" })
  : new ThingseeIngest("ingest");

export const url = ingest.url;
export const apiKey = ingest.apiKey;
export const tableName = ingest.table.name;
export const deadLetterQueueUrl = ingest.deadLetterQueue.url;
