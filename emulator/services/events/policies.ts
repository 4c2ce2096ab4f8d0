import type { PutPermissionCommandInput } from "@aws-sdk/client-eventbridge";
import type { Access } from "../../core/access/access";
import type { Authorizer } from "../../core/access/authorizer";
import type { Identity } from "../../core/access/identity";
import { limits } from "../../core/limits";
import { PolicySyntaxError, readPolicy } from "../../core/policy";
import { check } from "./checks";
import { invalid, invalidParameter, noPolicy, noSuchStatement, policyTooLong } from "./errors";
import type { EventBus, EventsOperations, Statement, Store } from "./store";

/** Characters of an event bus's policy (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const longestPolicy = limits.events.busPolicy.value;

const messages = {
  ...{ json: "it is no JSON", syntax: "it is no policy", version: "its version is none that policies have" },
  ...{ noStatement: "it has no statement", noEffect: "a statement has no effect", duplicateSid: "a Sid comes twice" },
  effect: () => "an effect has to be Allow or Deny",
};

/** The policy of a bus as text; undefined without statements. */
export const policyOf = ({ statements }: EventBus): string | undefined =>
  statements.length > 0 ? JSON.stringify({ Version: "2012-10-17", Statement: statements }) : undefined;

/** What policies see of an event that is put on a bus. */
export const eventKeys = (source: string | undefined, detailType: string | undefined, isForwarded = false) => ({
  "events:source": source === undefined ? undefined : [source],
  "events:detail-type": detailType === undefined ? undefined : [detailType],
  "events:eventBusInvocation": [String(isForwarded)],
});

/** Why somebody may not put events on a bus of another account, if the policy of the bus does not allow it. */
export function refusalOf(
  access: Authorizer,
  bus: EventBus,
  identity: Identity,
  conditions: Access["conditions"],
): string | undefined {
  if (bus.account === identity.account) return undefined;
  const asked = { action: "events:PutEvents", resource: bus.arn, policy: policyOf(bus), conditions };
  return access.check(identity, asked, {})?.message;
}

function readStatements(policy: string): Statement[] {
  try {
    readPolicy(policy, messages);
  } catch (error) {
    if (error instanceof PolicySyntaxError) throw invalidParameter("Policy", `${error.message}.`);
    throw error;
  }
  const { Statement: found } = JSON.parse(policy) as { Statement: Statement | Statement[] };
  return Array.isArray(found) ? found : [found];
}

function makeStatement(input: PutPermissionCommandInput, bus: EventBus): Statement {
  check({
    action: [input.Action, { required: true, length: [1, 64], pattern: /^events:[a-zA-Z]+$/ }],
    principal: [input.Principal, { required: true, length: [1, 12], pattern: /^(\d{12}|\*)$/ }],
    statementId: [input.StatementId, { required: true, length: [1, 64], pattern: /^[a-zA-Z0-9-_]+$/ }],
  });
  const { Action, Principal, StatementId, Condition } = input;
  if (Condition) {
    check({
      "condition.type": [Condition.Type, { required: true }],
      "condition.key": [Condition.Key, { required: true }],
      "condition.value": [Condition.Value, { required: true }],
    });
  }
  return {
    Sid: StatementId,
    Effect: "Allow",
    Principal: Principal === "*" ? "*" : { AWS: `arn:aws:iam::${Principal}:root` },
    Action,
    Resource: bus.arn,
    ...(Condition && { Condition: { [Condition.Type!]: { [Condition.Key!]: Condition.Value } } }),
  };
}

/** Who else may put events on a bus. */
export const policyOperations = (store: Store): EventsOperations => ({
  PutPermission(input, context) {
    const bus = store.bus(input.EventBusName, context);
    if (input.Policy !== undefined && input.StatementId !== undefined) {
      throw invalid("Parameter(s) Policy and StatementId cannot be specified together.");
    }
    const made = input.Policy === undefined ? makeStatement(input, bus) : undefined;
    const statements = made
      ? [...bus.statements.filter(({ Sid }) => Sid !== made.Sid), made]
      : readStatements(input.Policy ?? "");
    if (JSON.stringify(statements).length > longestPolicy) throw policyTooLong();
    bus.statements = statements;
    return {};
  },

  RemovePermission(input, context) {
    const bus = store.bus(input.EventBusName, context);
    if (input.RemoveAllPermissions) {
      bus.statements = [];
      return {};
    }
    if (input.StatementId === undefined) throw invalid("Parameter StatementId is required.");
    if (bus.statements.length === 0) throw noPolicy();
    const left = bus.statements.filter(({ Sid }) => Sid !== input.StatementId);
    if (left.length === bus.statements.length) throw noSuchStatement();
    bus.statements = left;
    return {};
  },
});
