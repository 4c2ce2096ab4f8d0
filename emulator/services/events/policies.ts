import type { PutPermissionCommandInput } from "@aws-sdk/client-eventbridge";
import { PolicySyntaxError, readPolicy } from "../../core/policy";
import { allowsAccount } from "../../core/service-caller";
import { check } from "./checks";
import { invalid, invalidParameter, noPolicy, noSuchStatement, policyTooLong } from "./errors";
import type { EventBus, EventsOperations, Statement, Store } from "./store";

/** Characters of an event bus's policy (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const longestPolicy = 10_240;

const messages = {
  ...{ json: "it is no JSON", syntax: "it is no policy", version: "its version is none that policies have" },
  ...{ noStatement: "it has no statement", noEffect: "a statement has no effect", duplicateSid: "a Sid comes twice" },
  effect: () => "an effect has to be Allow or Deny",
};

/** The policy of a bus as text; undefined without statements. */
export const policyOf = ({ statements }: EventBus): string | undefined =>
  statements.length > 0 ? JSON.stringify({ Version: "2012-10-17", Statement: statements }) : undefined;

/** Whether an account may put events on a bus: its own one, or one that the policy allows. */
export function mayPut(bus: EventBus, account: string): boolean {
  return bus.account === account || allowsAccount(policyOf(bus), account, "events:PutEvents", bus.arn);
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
