import { checkConstraints } from "../../../../core/constraint";
import { AwsError } from "../../../../core/errors";
import { defineAction, required } from "./action";

const noBatch = () =>
  new AwsError(
    "InvalidParameterException",
    'With batchMode the payload must be an array of records such as {"timestamp": 1673520691093, "message": "text"}',
  );

/** The records of a payload of a device that collects them. */
function recordsOf(payload: Buffer, isJson: boolean): { timestamp: number; message: string }[] {
  const list: unknown = isJson ? JSON.parse(payload.toString("utf8")) : undefined;
  if (!Array.isArray(list)) throw noBatch();
  return list.map((record: { timestamp?: unknown; message?: unknown } | null) => {
    const { timestamp, message } = record ?? {};
    if (!Number.isSafeInteger(timestamp) || typeof message !== "string") throw noBatch();
    return { timestamp: timestamp as number, message };
  });
}

/** The last moment that a date can show, in milliseconds since the epoch. */
const latest = 8.64e15;

/** PutLogEvents takes no such event (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_InputLogEvent.html). */
function checkEvent({ timestamp, message }: { timestamp: number; message: string }, index: number): void {
  const at = `logEvents.${index + 1}.member`;
  checkConstraints("InvalidParameterException", {
    [`${at}.timestamp`]: [timestamp, { range: [0, latest] }],
    [`${at}.message`]: [message, { length: [1, Number.POSITIVE_INFINITY] }],
  });
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/cloudwatch-logs-rule-action.html */
export const cloudwatchLogs = defineAction("cloudwatchLogs", {
  title: "CloudwatchLogsAction",
  attempt: "put the log events",
  service: "AWSLogs",
  members: { roleArn: required, logGroupName: required, batchMode: {} },
  compile({ logGroupName = "", batchMode }, { rule, scope, bus, template }) {
    const group = template(logGroupName, "logGroupName");
    return {
      resource: logGroupName,
      async prepare({ message, fill, payload, isJson }) {
        const name = await fill(group);
        return {
          lane: name,
          resource: name,
          detail: `LogGroup: ${name}`,
          async send(by) {
            const events = batchMode
              ? recordsOf(payload, isJson)
              : [{ timestamp: message.timestamp, message: payload.toString("utf8") }];
            const port = bus.ready("logs") ?? (await bus.to("logs"));
            // Rules make log streams and no log groups.
            if (!port.hasGroup(scope, name)) {
              throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
            }
            events.forEach(checkEvent);
            port.write(scope, name, rule.name, events, by);
          },
        };
      },
    };
  },
});
