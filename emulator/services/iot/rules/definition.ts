import type { Action, TopicRulePayload } from "@aws-sdk/client-iot";
import type { Bus } from "../../../core/bus";
import { AwsError } from "../../../core/errors";
import { limits } from "../../../core/limits";
import { check } from "../checks";
import { checkRole } from "../roles";
import { parseSql, parseTemplate, type Statement, type Template } from "../sql";
import type { Region } from "../state";
import { bindAction, roleOf } from "./actions";
import type { Surroundings } from "./actions/action";
import { functionsOf } from "./context";
import type { Rule } from "./rule";

/** The version that rules have which name none (API reference: TopicRulePayload). */
const defaultVersion = "2015-10-08";

/** Reads a substitution template; says which member is wrong. */
function readTemplate(text: string, { version, variables }: Statement, member: string): Template {
  try {
    return parseTemplate(text, version, variables);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(error.code, `${member}: ${error.message}`, error.status);
  }
}

/**
 * Reads what a request says of a rule.
 *
 * @throws SqlParseException with the place of the mistake, InvalidRequestException, NotImplemented for actions that are
 *   not emulated.
 */
export async function readRule(
  bus: Bus,
  region: Region,
  name: string,
  payload: TopicRulePayload,
): Promise<Omit<Rule, "createdAt" | "lanes">> {
  const { sql, actions, errorAction, description, ruleDisabled, awsIotSqlVersion } = payload;
  check({
    "topicRulePayload.sql": [sql, { required: true }],
    "topicRulePayload.actions": [actions, { required: true, length: [0, limits.iot.actions.value] }],
  });
  const version = awsIotSqlVersion ?? defaultVersion;
  const statement = parseSql(sql!, version);
  const rule = { name, arn: region.arn(`rule/${name}`) };
  const surroundings: Surroundings = {
    rule,
    scope: region.scope,
    bus,
    broker: region.broker,
    template: (text, member) => readTemplate(text, statement, member),
  };
  const bound = actions!.map((action, index) =>
    bindAction(action, `topicRulePayload.actions.${index + 1}.member`, surroundings),
  );
  const boundError = errorAction && bindAction(errorAction, "topicRulePayload.errorAction", surroundings);
  const roles = [...actions!, ...(errorAction ? [errorAction] : [])].flatMap((action: Action) => roleOf(action) ?? []);
  for (const role of new Set(roles)) checkRole(bus, region.scope, rule.arn, role);
  return {
    ...rule,
    payload: { sql, actions, errorAction, description, awsIotSqlVersion: version },
    disabled: ruleDisabled ?? false,
    statement,
    actions: bound,
    functions: functionsOf(region, bus, rule.arn),
    ...(boundError && { errorAction: boundError }),
  };
}
