import { notEmulated } from "../../../../core/errors";
import type { Scope } from "../scope";
import { toText, type Value } from "../values";
import type { SqlFunction, SqlFunctions } from "./definition";

const refused = (name: string): SqlFunction => ({
  arity: [0, Number.POSITIVE_INFINITY],
  check: () => {
    throw notEmulated("iot", "SQL function", name);
  },
  call: () => undefined,
});

/** Asks another service through the context. */
function ask(scope: Scope, name: string, call: (() => unknown) | undefined): Value {
  if (!call) throw notEmulated("iot", "SQL function", name);
  const answer = scope.run.once(call);
  return answer === undefined ? undefined : (answer as Value);
}

const text = (value: Value): string | undefined => (typeof value === "string" ? value : undefined);

/** Functions that call another service. A failed call fails the evaluation; a name of the wrong type is Undefined. */
export const external: SqlFunctions = {
  aws_lambda: {
    arity: [2],
    call: ([arn, input], scope) => {
      const { invokeLambda } = scope.run.context;
      const functionArn = text(arn);
      if (!functionArn) return undefined;
      return ask(scope, "aws_lambda", invokeLambda && (() => invokeLambda(functionArn, input)));
    },
  },
  get_dynamodb: {
    arity: [4, 6],
    newer: true,
    call: (args, scope) => {
      if (args.length === 5) return undefined;
      const { getDynamoDbItem } = scope.run.context;
      const [table, role] = [text(args[0]), text(args.at(-1))];
      const key: Record<string, unknown> = {};
      for (let i = 1; i < args.length - 1; i += 2) {
        const name = text(args[i]);
        if (!name || args[i + 1] === undefined || args[i + 1] === null) return undefined;
        key[name] = args[i + 1];
      }
      if (!table || !role) return undefined;
      return ask(scope, "get_dynamodb", getDynamoDbItem && (() => getDynamoDbItem(table, key, role)));
    },
  },
  get_registry_data: {
    arity: [3],
    newer: true,
    call: ([api, thing, role], scope) => {
      const { getRegistryData } = scope.run.context;
      const [operation, thingName, roleArn] = [text(api), toText(thing), text(role)];
      if (!operation || !thingName || !roleArn) return undefined;
      return ask(scope, "get_registry_data", getRegistryData && (() => getRegistryData(operation, thingName, roleArn)));
    },
  },
  // There is no Secrets Manager to ask.
  get_secret: refused("get_secret"),
  get_thing_shadow: {
    arity: [2, 3],
    newer: true,
    call: (args, scope) => {
      const { getThingShadow } = scope.run.context;
      const [thing, role] = [toText(args[0]), text(args.at(-1))];
      const shadow = args.length === 3 ? toText(args[1]) : undefined;
      if (!thing || !role || (args.length === 3 && !shadow)) return undefined;
      return ask(scope, "get_thing_shadow", getThingShadow && (() => getThingShadow(thing, shadow, role)));
    },
  },
  machinelearning_predict: refused("machinelearning_predict"),
};
