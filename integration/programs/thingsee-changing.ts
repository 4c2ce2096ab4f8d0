import * as pulumi from "@pulumi/pulumi";
import { ThingseeIngest } from "../../components";

/** An ingest that changes with the configuration. */
const config = new pulumi.Config();

const ingest = new ThingseeIngest("ingest", {
  auth: config.get("key") ? { apiKeys: [{ name: "main", value: config.require("key") }] } : "none",
  path: config.get("path"),
});

export const url = ingest.url;
export const tableName = ingest.table.name;
