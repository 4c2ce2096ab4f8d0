import type {
  GlobalSecondaryIndex,
  LocalSecondaryIndex,
  SSEDescription,
  SSESpecification,
  StreamSpecification,
} from "@aws-sdk/client-dynamodb";
import { formatArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import { invalidParameter } from "./errors";
import { KeySchema } from "./key-schema";
import { SecondaryIndex } from "./secondary-index";
import type { Table } from "./table";
import { constrain, oneOf, required } from "./validation";

/** Makes an index and fills it with the items that are there. */
export function addIndex(table: Table, index: GlobalSecondaryIndex | LocalSecondaryIndex, global: boolean): void {
  const added = new SecondaryIndex(
    index.IndexName!,
    global,
    new KeySchema(index.KeySchema!, table.definitions),
    index.Projection!,
    table.keys,
    "ProvisionedThroughput" in index ? index.ProvisionedThroughput : undefined,
  );
  table.rows.each((row) => added.follow(undefined, row));
  table.indexes.push(added);
}

/** The stream that a specification asks for; undefined for none. */
export function streamOf(specification: StreamSpecification | undefined, now: Date) {
  if (!specification) return undefined;
  const { StreamEnabled: enabled, StreamViewType: view } = specification;
  constrain(
    ["streamSpecification.streamEnabled", enabled, required],
    ["streamSpecification.streamViewType", view, oneOf("NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")],
  );
  if (enabled && !view) {
    throw invalidParameter("StreamViewType must be specified when stream is enabled");
  }
  return enabled ? { StreamEnabled: true, StreamViewType: view, label: now.toISOString().slice(0, -1) } : undefined;
}

/** Encryption with a KMS key, as far as the description tells of it. Nothing is encrypted here. */
export function encryptionOf(specification: SSESpecification | undefined, scope: Scope): SSEDescription | undefined {
  if (!specification) return undefined;
  const { Enabled: enabled, SSEType: type, KMSMasterKeyId: key } = specification;
  constrain(["sSESpecification.sSEType", type, oneOf("AES256", "KMS")]);
  if (!enabled) {
    if (key)
      throw invalidParameter(
        "Server-Side Encryption modification must specify Enabled as true when a KMSMasterKeyId is given",
      );
    return undefined;
  }
  const named = key ?? "alias/aws/dynamodb";
  const resource = named.startsWith("alias/") ? named : `key/${named}`;
  return {
    Status: "ENABLED",
    SSEType: type ?? "KMS",
    KMSMasterKeyArn: named.startsWith("arn:") ? named : formatArn("kms", scope.region, scope.account, resource),
  };
}
