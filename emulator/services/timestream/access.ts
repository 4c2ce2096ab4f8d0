import { type AccessTable, type RequestTags, requestTags, resourceTags } from "../../core/access/access";
import { formatArn } from "../../core/arn";
import type { Context } from "../../core/service";
import type { Sdk, Store } from "./store";

/**
 * What Timestream wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazontimestream.html).
 * SDKs ask for the endpoints before their first call, so that whoever does anything has to be allowed that, too.
 */
export function access(store: Store): AccessTable<Sdk> {
  type Names = { DatabaseName?: string; TableName?: string; Tags?: RequestTags };
  const at = (action: string, context: Context, { DatabaseName = "*", TableName, Tags }: Names) => {
    const database = store.databases(context).get(DatabaseName);
    const found = TableName === undefined ? database : database?.tables.get(TableName);
    const path = `database/${DatabaseName}${TableName === undefined ? "" : `/table/${TableName}`}`;
    return {
      action: `timestream:${action}`,
      resource: found?.arn ?? formatArn("timestream", context.region, context.account, path),
      conditions: { ...resourceTags(found?.tags), ...requestTags(Tags) },
    };
  };
  const database =
    (action: string) =>
    ({ DatabaseName, Tags }: Names, context: Context) =>
      at(action, context, { DatabaseName, Tags });
  const table = (action: string) => (input: Names, context: Context) =>
    at(action, context, { TableName: "*", ...input });
  const tagged =
    (action: string) =>
    (input: { ResourceARN: string | undefined; Tags?: RequestTags; TagKeys?: string[] }, context: Context) => {
      const arn = input.ResourceARN ?? "*";
      const [, DatabaseName, TableName] = /:database\/([^/]+)(?:\/table\/([^/]+))?$/.exec(arn) ?? [];
      const { conditions } = at(action, context, { DatabaseName, TableName });
      const more = requestTags(input.Tags, input.TagKeys);
      return { action: `timestream:${action}`, resource: arn, conditions: { ...conditions, ...more } };
    };
  const all = (action: string) => () => ({ action: `timestream:${action}`, resource: "*" });

  return {
    CreateDatabase: database("CreateDatabase"),
    CreateTable: table("CreateTable"),
    DeleteDatabase: database("DeleteDatabase"),
    DeleteTable: table("DeleteTable"),
    DescribeDatabase: database("DescribeDatabase"),
    DescribeEndpoints: all("DescribeEndpoints"),
    DescribeTable: table("DescribeTable"),
    ListDatabases: all("ListDatabases"),
    ListTables: database("ListTables"),
    ListTagsForResource: tagged("ListTagsForResource"),
    TagResource: tagged("TagResource"),
    UntagResource: tagged("UntagResource"),
    UpdateDatabase: database("UpdateDatabase"),
    UpdateTable: table("UpdateTable"),
    WriteRecords: table("WriteRecords"),
  };
}
