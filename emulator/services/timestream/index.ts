import type { WriteRecordsRequest } from "@aws-sdk/client-timestream-write";
import { formatArn } from "../../core/arn";
import { defineService, type Host, type Scope } from "../../core/service";
import type { PortCaller } from "../../core/service-caller";
import { access } from "./access";
import { databaseOperations } from "./databases";
import { accessDenied } from "./errors";
import { type Sdk, Store } from "./store";
import { tableOperations } from "./tables";
import { tagOperations } from "./tags";
import { writeRecords } from "./write";

/**
 * Amazon Timestream for LiveAnalytics, the Write API
 * (https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Write.html).
 *
 * What is written can be read at once. Not emulated: batch load, answered with 501, and the reports about late records
 * that AWS writes to S3, because every record is judged in its call.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-timestream-write"),
  client: "TimestreamWriteClient",
  create(host) {
    const store = new Store(host);
    return {
      operations: {
        ...databaseOperations(store),
        ...tableOperations(store),
        ...tagOperations(store),
        WriteRecords: (input, context) => ({ RecordsIngested: writeRecords(store, context, input) }),
        // SDKs put the address in the place of their host name and keep the port, so it is the name that they came by.
        DescribeEndpoints: (_input, { http }) => ({
          Endpoints: [
            { Address: (http.headers.host ?? host.publicHost()).replace(/:\d+$/, ""), CachePeriodInMinutes: 1440 },
          ],
        }),
      },
      access: access(store),
      ports: {
        timestream: {
          writeRecords(scope, request, by) {
            if (by) demandWriting(host, scope, request, by);
            writeRecords(store, scope, request);
          },
          table(scope, database, name) {
            const table = store.table(scope, database, name);
            const rows = table.scan();
            return { columns: table.columns(), rows };
          },
        },
      },
      reset: () => store.clear(),
    };
  },
});

/** Who writes has to ask for the address to write to first (https://docs.aws.amazon.com/timestream/latest/developerguide/security_iam_id-based-policy-examples.html). */
function demandWriting({ bus }: Host, { account, region }: Scope, request: WriteRecordsRequest, by: PortCaller): void {
  const { DatabaseName = "", TableName = "" } = request;
  const table = formatArn("timestream", region, account, `database/${DatabaseName}/table/${TableName}`);
  bus.access.demand(by, { action: "timestream:DescribeEndpoints", resource: "*" }, accessDenied);
  bus.access.demand(by, { action: "timestream:WriteRecords", resource: table }, accessDenied);
}
