import * as Iot from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand, type PublishCommandInput } from "@aws-sdk/client-iot-data-plane";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll } from "vitest";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";
import { adminRole } from "./permissions";
import { takeUntil } from "./topics";

/** A role's trust policy for a service. */
export const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

/** A substitution template of one expression. */
export const template = (expression: string) => `$\{${expression}}`;

/** What an error action gets. */
export interface FailureReport {
  ruleName: string;
  topic: string;
  cloudwatchTraceId: string;
  clientId: string;
  base64OriginalPayload: string;
  failures: { failedAction: string; failedResource: string; errorMessage: string }[];
}

/** Topic rules of one test file: a role for them that may do everything, and short ways to make and feed them. Read it inside tests only. */
export function useRules(emulator: { readonly current: Emulator }) {
  let made: { iot: Iot.IoTClient; data: IoTDataPlaneClient; sqs: SQSClient } | undefined;
  let count = 0;
  const roleArn = "arn:aws:iam::000000000000:role/rules";
  const clients = () => {
    if (!made) throw new Error("clients are made before the first test; use them inside a test");
    return made;
  };
  beforeAll(async () => {
    const options = settings(emulator.current);
    made = { iot: new Iot.IoTClient(options), data: new IoTDataPlaneClient(options), sqs: new SQSClient(options) };
    await adminRole(made.iot, "rules");
  });
  afterAll(() => {
    for (const client of Object.values(made ?? {})) client.destroy();
  });
  const rules = {
    roleArn,
    get iot() {
      return clients().iot;
    },
    get sqs() {
      return clients().sqs;
    },
    payload: (actions: Iot.Action[], more: Partial<Iot.TopicRulePayload> = {}): Iot.TopicRulePayload => ({
      sql: "SELECT * FROM 'devices/+/up'",
      awsIotSqlVersion: "2016-03-23",
      actions,
      ...more,
    }),
    /** Makes a rule and gives its name and ARN. */
    async create(actions: Iot.Action[], more: Partial<Iot.TopicRulePayload> & { ruleName?: string } = {}) {
      const { ruleName = `rule_${++count}`, ...rest } = more;
      const topicRulePayload = rules.payload(actions, rest);
      await clients().iot.send(new Iot.CreateTopicRuleCommand({ ruleName, topicRulePayload }));
      return { ruleName, arn: `arn:aws:iot:eu-west-1:000000000000:rule/${ruleName}` };
    },
    delete: (ruleName: string) => clients().iot.send(new Iot.DeleteTopicRuleCommand({ ruleName })),
    publish: (topic: string, payload: object | string | Buffer, more: Partial<PublishCommandInput> = {}) =>
      clients().data.send(
        new PublishCommand({
          topic,
          payload: Buffer.isBuffer(payload)
            ? payload
            : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
          ...more,
        }),
      ),
    /** A queue, and the action that sends to it. */
    async queue() {
      const { QueueUrl: url = "" } = await clients().sqs.send(
        new CreateQueueCommand({ QueueName: `rules-${++count}` }),
      );
      return {
        url,
        action: { sqs: { roleArn, queueUrl: url } },
        /** The bodies of the next messages. */
        take: async (messages: number) => (await takeUntil(clients().sqs, url, messages)).map(({ Body }) => Body),
        /** The next report of failures. */
        report: async (): Promise<FailureReport> => JSON.parse((await takeUntil(clients().sqs, url, 1))[0]!.Body!),
      };
    },
  };
  return rules;
}
