import type { AccessTable } from "../../core/access/access";
import { formatArn } from "../../core/arn";
import { AwsError } from "../../core/errors";
import type { Select } from "./ast";
import { parse } from "./parser";

/**
 * What a query wants allowed: `timestream:Select` on its table
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazontimestream.html). Not emulated: the tags
 * of tables as condition keys of queries.
 */
export const access: AccessTable<typeof import("@aws-sdk/client-timestream-query")> = {
  Query: ({ QueryString = "" }, { account, region }) => {
    const select = read(QueryString);
    if (!select) return [];
    const path = `database/${select.database}/table/${select.table}`;
    return { action: "timestream:Select", resource: formatArn("timestream", region, account, path) };
  },
};

/** The statement, if it is one; the operation says what is wrong with any other. */
function read(query: string): Select | undefined {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
