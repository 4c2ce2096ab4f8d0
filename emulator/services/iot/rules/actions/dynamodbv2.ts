import { AwsError } from "../../../../core/errors";
import { invalidRequest } from "../../errors";
import { toAttribute } from "../attributes";
import { defineAction, required } from "./action";

const noObject = () =>
  new AwsError(
    "ValidationException",
    "Each member of the payload is an attribute of the item: it must be a JSON object",
  );

/** https://docs.aws.amazon.com/iot/latest/developerguide/dynamodb-v2-rule-action.html */
export const dynamoDBv2 = defineAction("dynamoDBv2", {
  title: "DynamoDBv2Action",
  attempt: "put the item",
  service: "AmazonDynamoDBv2",
  members: { roleArn: required, putItem: required },
  compile({ putItem }, { scope, bus, template }) {
    const tableName = putItem?.tableName;
    if (!tableName) throw invalidRequest("The action dynamoDBv2 needs putItem.tableName");
    const table = template(tableName, "putItem.tableName");
    return {
      resource: tableName,
      async prepare({ message, fill, payload, isJson }) {
        const name = await fill(table);
        return {
          lane: `${name} ${message.topic}`,
          resource: name,
          detail: `Table: ${name}`,
          async send(by) {
            const item = isJson ? toAttribute(payload.toString("utf8")).M : undefined;
            if (!item) throw noObject();
            const port = bus.ready("dynamodb") ?? (await bus.to("dynamodb"));
            await port.putItem(scope, name, item, by);
          },
        };
      },
    };
  },
});
