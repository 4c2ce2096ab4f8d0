import type { Action } from "@aws-sdk/client-iot";
import type { Constraint } from "../../../../core/constraint";
import { notEmulated } from "../../../../core/errors";
import { check } from "../../checks";
import { invalidRequest } from "../../errors";
import { AssumedRole, serviceOf } from "../../roles";
import type { ActionKind, ActionName, Call, CompiledAction, Surroundings } from "./action";
import { cloudwatchLogs } from "./cloudwatch-logs";
import { dynamoDB } from "./dynamodb";
import { dynamoDBv2 } from "./dynamodbv2";
import { kinesis } from "./kinesis";
import { lambda } from "./lambda";
import { republish } from "./republish";
import { s3 } from "./s3";
import { sns } from "./sns";
import { sqs } from "./sqs";
import { timestream } from "./timestream";

/** What is emulated. All other actions are refused with 501 and their name. */
const kinds: { readonly [Name in ActionName]?: ActionKind<Name> } = {
  cloudwatchLogs,
  dynamoDB,
  dynamoDBv2,
  kinesis,
  lambda,
  republish,
  s3,
  sns,
  sqs,
  timestream,
};

/** An action of a rule, ready to run. */
export interface BoundAction extends CompiledAction, Pick<ActionKind<ActionName>, "title" | "attempt" | "service"> {
  readonly name: ActionName;
  /** Makes a prepared call: as the action's role, if it has one. */
  run(call: Call): Promise<void>;
}

/** The role that an action names; functions have none. */
export const roleOf = (action: Action): string | undefined =>
  Object.values(action).find((config) => config !== undefined && "roleArn" in config)?.roleArn;

/**
 * Reads an action of a rule.
 *
 * @param at where it is in the request, such as `topicRulePayload.actions.1.member`.
 * @throws InvalidRequestException for an action that lacks something, NotImplemented for one that is not emulated.
 */
export function bindAction(action: Action, at: string, surroundings: Surroundings): BoundAction {
  const given = Object.entries(action).filter(([, config]) => config !== undefined);
  const [first] = given;
  if (!first || given.length > 1) {
    throw invalidRequest(
      `${at} must have exactly one action, and has ${given.map(([name]) => name).join(", ") || "none"}`,
    );
  }
  const [name] = first as [ActionName, unknown];
  const kind = kinds[name] as ActionKind<ActionName> | undefined;
  if (!kind) throw notEmulated("iot", `TopicRule: the action "${name}"`);
  const config = first[1] as Parameters<typeof kind.compile>[0];
  const values = new Map<string, unknown>(Object.entries(config));
  for (const [member, rule] of Object.entries<Constraint>(kind.members)) {
    check({ [`${at}.${name}.${member}`]: [values.get(member), rule] });
  }
  const compiled = kind.compile(config, {
    ...surroundings,
    template: (text, member) => surroundings.template(text, `${at}.${name}.${member}`),
  });
  const { rule, scope, bus } = surroundings;
  const roleArn = roleOf(action);
  const role = roleArn === undefined ? undefined : new AssumedRole(bus, scope, rule.arn, roleArn);
  const itself = serviceOf(rule, scope);
  return {
    ...compiled,
    ...{ name, title: kind.title, attempt: kind.attempt, service: kind.service },
    async run(call) {
      await call.send(role?.assume() ?? itself);
    },
  };
}
