import type {
  AttributeDefinition,
  CreateTableCommandInput,
  GlobalSecondaryIndex,
  KeySchemaElement,
  LocalSecondaryIndex,
  OnDemandThroughput,
  Projection,
  ProvisionedThroughput,
} from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits";
import { invalidParameter, validation } from "./errors";
import { atLeast, type Constraint, checkName, constrain, length, oneOf, required } from "./validation";

const maxGlobalIndexes = limits.dynamodb.globalIndexes.value;
const maxLocalIndexes = limits.dynamodb.localIndexes.value;
/** Named attributes over all indexes with projection INCLUDE (developer guide, "Constraints"). */
const maxProjected = limits.dynamodb.projected.value;

export const billingModes = oneOf("PROVISIONED", "PAY_PER_REQUEST");

/** Constraints on the units of provisioned throughput, where it is given. */
export const throughputConstraints = (path: string, throughput: ProvisionedThroughput | undefined): Constraint[] =>
  throughput
    ? [
        [`${path}.readCapacityUnits`, throughput.ReadCapacityUnits, required, atLeast(1)],
        [`${path}.writeCapacityUnits`, throughput.WriteCapacityUnits, required, atLeast(1)],
      ]
    : [];

/** Refuses a table that cannot be, with AWS's words for it. */
export function checkDefinition(input: CreateTableCommandInput): void {
  const { AttributeDefinitions: definitions, KeySchema: schema, ProvisionedThroughput: throughput } = input;
  checkName(input.TableName);
  constrain(
    ["attributeDefinitions", definitions, required],
    ["keySchema", schema, required, length(1, 2)],
    ["billingMode", input.BillingMode, billingModes],
    ["tableClass", input.TableClass, oneOf("STANDARD", "STANDARD_INFREQUENT_ACCESS")],
    ...throughputConstraints("provisionedThroughput", throughput),
    ...definitionConstraints(definitions ?? []),
  );
  const onDemand = input.BillingMode === "PAY_PER_REQUEST";
  if (onDemand && throughput) {
    throw invalidParameter(
      "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    );
  }
  if (!onDemand && !throughput) {
    throw invalidParameter(
      "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
    );
  }
  checkKeySchema(schema!, definitions!);
  const names = new Set<string>();
  checkLocalIndexes(input.LocalSecondaryIndexes, schema!, definitions!, names);
  checkGlobalIndexes(input.GlobalSecondaryIndexes, definitions!, names, onDemand);
  checkAllUsed(input);
}

export const definitionConstraints = (definitions: readonly AttributeDefinition[]): Constraint[] =>
  definitions.flatMap(({ AttributeName, AttributeType }, index): Constraint[] => [
    [`attributeDefinitions.${index + 1}.member.attributeName`, AttributeName, required, length(1, 255)],
    [`attributeDefinitions.${index + 1}.member.attributeType`, AttributeType, required, oneOf("B", "N", "S")],
  ]);

/** Checks a global index that is made with its table or later. */
export function checkGlobalIndex(
  index: GlobalSecondaryIndex,
  definitions: readonly AttributeDefinition[],
  names: Set<string>,
  onDemand: boolean,
): void {
  checkName(index.IndexName, "indexName");
  constrain(
    ["keySchema", index.KeySchema, required, length(1, 2)],
    ["projection", index.Projection, required],
    ...throughputConstraints("provisionedThroughput", index.ProvisionedThroughput),
  );
  checkKeySchema(index.KeySchema!, definitions);
  checkProjection(index.Projection!);
  if (onDemand && index.ProvisionedThroughput) {
    throw invalidParameter(
      `ProvisionedThroughput should not be specified for index: ${index.IndexName} when BillingMode is PAY_PER_REQUEST`,
    );
  }
  if (!onDemand && !index.ProvisionedThroughput) {
    throw invalidParameter(`ProvisionedThroughput is not specified for index: ${index.IndexName}`);
  }
  checkUnique(index.IndexName, names);
}

function checkGlobalIndexes(
  indexes: readonly GlobalSecondaryIndex[] | undefined,
  definitions: readonly AttributeDefinition[],
  names: Set<string>,
  onDemand: boolean,
): void {
  if (!indexes) return;
  if (indexes.length === 0) throw invalidParameter("List of GlobalSecondaryIndexes is empty");
  for (const index of indexes) checkGlobalIndex(index, definitions, names, onDemand);
  checkGlobalCount(indexes.length);
}

export function checkGlobalCount(count: number): void {
  if (count > maxGlobalIndexes) {
    throw invalidParameter(`GlobalSecondaryIndex count exceeds the per-table limit of ${maxGlobalIndexes}`);
  }
}

function checkLocalIndexes(
  indexes: readonly LocalSecondaryIndex[] | undefined,
  schema: readonly KeySchemaElement[],
  definitions: readonly AttributeDefinition[],
  names: Set<string>,
): void {
  if (!indexes) return;
  if (indexes.length === 0) throw invalidParameter("List of LocalSecondaryIndexes is empty");
  if (schema.length !== 2) {
    throw invalidParameter(
      "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    );
  }
  const tableHash = schema[0]!.AttributeName;
  for (const index of indexes) {
    checkName(index.IndexName, "indexName");
    constrain(["keySchema", index.KeySchema, required, length(1, 2)], ["projection", index.Projection, required]);
    checkKeySchema(index.KeySchema!, definitions);
    if (index.KeySchema!.length !== 2) {
      throw invalidParameter(`Index KeySchema does not have a range key for index: ${index.IndexName}`);
    }
    const indexHash = index.KeySchema![0]!.AttributeName;
    if (indexHash !== tableHash) {
      throw invalidParameter(
        "Index KeySchema does not have the same leading hash key as table KeySchema for index: " +
          `${index.IndexName}. index hash key: ${indexHash}, table hash key: ${tableHash}`,
      );
    }
    checkProjection(index.Projection!);
    checkUnique(index.IndexName, names);
  }
  if (indexes.length > maxLocalIndexes) {
    throw invalidParameter(`Number of LocalSecondaryIndexes exceeds per-table limit of ${maxLocalIndexes}`);
  }
}

function checkUnique(name: string | undefined, names: Set<string>): void {
  if (names.has(name!)) throw invalidParameter(`Duplicate index name: ${name}`);
  names.add(name!);
}

function checkKeySchema(schema: readonly KeySchemaElement[], definitions: readonly AttributeDefinition[]): void {
  constrain(
    ...schema.flatMap(({ AttributeName, KeyType }, index): Constraint[] => [
      [`keySchema.${index + 1}.member.attributeName`, AttributeName, required, length(1, 255)],
      [`keySchema.${index + 1}.member.keyType`, KeyType, required, oneOf("HASH", "RANGE")],
    ]),
  );
  const keys = schema.map(({ AttributeName }) => AttributeName);
  const defined = definitions.map(({ AttributeName }) => AttributeName);
  if (keys.some((key) => !defined.includes(key))) {
    throw invalidParameter(
      "Some index key attributes are not defined in AttributeDefinitions. " +
        `Keys: [${keys.join(", ")}], AttributeDefinitions: [${defined.join(", ")}]`,
    );
  }
  if (schema.length === 2 && keys[0] === keys[1]) {
    throw validation("Both the Hash Key and the Range Key element in the KeySchema have the same name");
  }
  if (schema[0]!.KeyType !== "HASH") {
    throw validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  }
  if (schema[1] && schema[1].KeyType !== "RANGE") {
    throw validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  }
}

function checkProjection({ ProjectionType: type, NonKeyAttributes: attributes }: Projection): void {
  constrain(
    ["projection.projectionType", type, oneOf("ALL", "INCLUDE", "KEYS_ONLY")],
    ["projection.nonKeyAttributes", attributes, length(1)],
  );
  if (type === undefined) throw invalidParameter("Unknown ProjectionType: null");
  if (attributes && type !== "INCLUDE") {
    throw invalidParameter(`ProjectionType is ${type}, but NonKeyAttributes is specified`);
  }
  if (!attributes && type === "INCLUDE") {
    throw invalidParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  }
}

function checkAllUsed(input: CreateTableCommandInput): void {
  const indexes = [...(input.LocalSecondaryIndexes ?? []), ...(input.GlobalSecondaryIndexes ?? [])];
  const projected = indexes.reduce((sum, { Projection }) => sum + (Projection?.NonKeyAttributes?.length ?? 0), 0);
  if (projected > maxProjected) {
    throw invalidParameter(
      `NonKeyAttributes combined count across all local and global secondary indexes exceeds the limit of ${maxProjected}`,
    );
  }
  const used = new Set(
    [input, ...indexes].flatMap(({ KeySchema }) => KeySchema!.map(({ AttributeName }) => AttributeName)),
  );
  const definitions = input.AttributeDefinitions!.map(({ AttributeName }) => AttributeName);
  if (new Set(definitions).size < definitions.length) {
    throw invalidParameter("Cannot have two attributes with the same name");
  }
  if (definitions.every((name) => used.has(name))) return;
  throw invalidParameter(
    indexes.length === 0
      ? "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"
      : `Some AttributeDefinitions are not used. AttributeDefinitions: [${definitions.join(", ")}], keys used: [${[...used].join(", ")}]`,
  );
}

/** On-demand limits as a description shows them; -1 takes a limit away. */
export const onDemandLimits = (throughput: OnDemandThroughput | undefined): OnDemandThroughput | undefined =>
  throughput && {
    MaxReadRequestUnits: throughput.MaxReadRequestUnits ?? -1,
    MaxWriteRequestUnits: throughput.MaxWriteRequestUnits ?? -1,
  };
