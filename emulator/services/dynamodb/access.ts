import type { TransactWriteItem, WriteRequest } from "@aws-sdk/client-dynamodb";
import { type Access, type Accesses, type AccessTable, requestTags, resourceTags } from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import type { Context, Scope } from "../../core/service";
import { type ConditionInput, itemConditions } from "./access-conditions";
import type { DynamoSdk } from "./requests";
import type { Database } from "./state";
import type { Table } from "./table";

type Conditions = Record<string, readonly string[] | undefined>;
type TableInput = { readonly TableName: string | undefined };
type ArnInput = { readonly ResourceArn: string | undefined };

/** What DynamoDB wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html). */
export function access(database: Database): AccessTable<DynamoSdk> {
  const find = (nameOrArn: string | undefined, scope: Scope): { arn: string; table?: Table } => {
    const given = nameOrArn?.startsWith("arn:") ? parseArn(nameOrArn) : undefined;
    const name = given ? /^table\/([^/]+)/.exec(given.resource)?.[1] : nameOrArn;
    const { region, account } = given ?? scope;
    const table = name === undefined ? undefined : database.regions.of({ region, account }).tables.get(name);
    return table ? { arn: table.arn, table } : { arn: formatArn("dynamodb", region, account, `table/${name ?? "*"}`) };
  };
  const on = (
    action: string,
    { arn, table }: { arn: string; table?: Table },
    conditions?: (table?: Table) => Conditions,
    below = "",
  ): Access => ({
    action: `dynamodb:${action}`,
    resource: arn + below,
    policy: table?.policy?.text,
    get conditions() {
      return { ...resourceTags(table?.tags), ...conditions?.(table) };
    },
  });

  const named = (action: string) => (input: TableInput, context: Context) => on(action, find(input.TableName, context));
  const read = (action: string) => (input: ConditionInput & TableInput, context: Context) =>
    on(
      action,
      find(input.TableName, context),
      (table) => itemConditions(table, [input], true),
      input.IndexName === undefined ? "" : `/index/${input.IndexName}`,
    );
  const write = (action: string) => (input: ConditionInput & TableInput, context: Context) =>
    on(action, find(input.TableName, context), (table) => itemConditions(table, [input], false));
  /** Policies and tags are named by the ARN of the table, or that of its stream. */
  const byArn = (action: string) => (input: ArnInput & { Tags?: Tag[]; TagKeys?: string[] }, context: Context) => {
    const found = find(input.ResourceArn, context);
    const below = /^arn:[^/]+\/[^/]+(\/.*)$/.exec(input.ResourceArn ?? "")?.[1];
    return on(action, found, () => requestTags(tagsOf(input.Tags), input.TagKeys), below);
  };
  const within = (
    enclosing: string,
    action: string,
    input: ConditionInput & { TableName?: string },
    context: Context,
  ): Access =>
    on(action, find(input.TableName, context), (table) => ({
      ...itemConditions(table, [input], action === "GetItem"),
      "dynamodb:EnclosingOperation": [enclosing],
    }));
  const transactedWrite = ({ Put, Update, Delete, ConditionCheck }: TransactWriteItem, context: Context): Access[] => [
    ...(Put ? [within("TransactWriteItems", "PutItem", Put, context)] : []),
    ...(Update ? [within("TransactWriteItems", "UpdateItem", Update, context)] : []),
    ...(Delete ? [within("TransactWriteItems", "DeleteItem", Delete, context)] : []),
    ...(ConditionCheck ? [within("TransactWriteItems", "ConditionCheckItem", ConditionCheck, context)] : []),
  ];
  const everywhere = (action: string) => (): Accesses => ({ action: `dynamodb:${action}`, resource: "*" });

  return {
    CreateTable: (input, context) =>
      on("CreateTable", find(input.TableName, context), () => requestTags(tagsOf(input.Tags))),
    DescribeTable: named("DescribeTable"),
    UpdateTable: named("UpdateTable"),
    DeleteTable: named("DeleteTable"),
    ListTables: (_, { account, region }) => ({
      action: "dynamodb:ListTables",
      resource: formatArn("dynamodb", region, account, "table/*"),
    }),
    UpdateTimeToLive: named("UpdateTimeToLive"),
    DescribeTimeToLive: named("DescribeTimeToLive"),
    UpdateContinuousBackups: named("UpdateContinuousBackups"),
    DescribeContinuousBackups: named("DescribeContinuousBackups"),
    DescribeKinesisStreamingDestination: named("DescribeKinesisStreamingDestination"),
    DescribeContributorInsights: (input, context) =>
      on(
        "DescribeContributorInsights",
        find(input.TableName, context),
        undefined,
        input.IndexName === undefined ? "" : `/index/${input.IndexName}`,
      ),
    DescribeLimits: everywhere("DescribeLimits"),
    DescribeEndpoints: everywhere("DescribeEndpoints"),
    PutResourcePolicy: byArn("PutResourcePolicy"),
    GetResourcePolicy: byArn("GetResourcePolicy"),
    DeleteResourcePolicy: byArn("DeleteResourcePolicy"),
    TagResource: byArn("TagResource"),
    UntagResource: byArn("UntagResource"),
    ListTagsOfResource: byArn("ListTagsOfResource"),

    GetItem: read("GetItem"),
    Query: read("Query"),
    Scan: read("Scan"),
    PutItem: write("PutItem"),
    UpdateItem: write("UpdateItem"),
    DeleteItem: write("DeleteItem"),
    BatchGetItem: ({ RequestItems, ReturnConsumedCapacity }, context) =>
      Object.entries(RequestItems ?? {}).map(([name, request]) =>
        on("BatchGetItem", find(name, context), (table) =>
          itemConditions(table, [{ ...request, ReturnConsumedCapacity }], true),
        ),
      ),
    BatchWriteItem: ({ RequestItems, ReturnConsumedCapacity }, context) =>
      Object.entries(RequestItems ?? {}).map(([name, requests]) =>
        on("BatchWriteItem", find(name, context), (table) =>
          itemConditions(
            table,
            (requests ?? []).map((request) => ({ ...writtenBy(request), ReturnConsumedCapacity })),
            false,
          ),
        ),
      ),
    TransactGetItems: ({ TransactItems }, context) =>
      (TransactItems ?? []).flatMap(({ Get }) => (Get ? within("TransactGetItems", "GetItem", Get, context) : [])),
    TransactWriteItems: ({ TransactItems }, context) =>
      (TransactItems ?? []).flatMap((item) => transactedWrite(item, context)),
  };
}

type Tag = { readonly Key: string | undefined; readonly Value: string | undefined };

const tagsOf = (tags: readonly Tag[] | undefined) =>
  tags && Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));

const writtenBy = ({ PutRequest, DeleteRequest }: WriteRequest): ConditionInput => ({
  Item: PutRequest?.Item,
  Key: DeleteRequest?.Key,
});
