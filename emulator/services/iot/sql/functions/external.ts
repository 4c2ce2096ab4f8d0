import { notEmulated } from "../../../../core/errors";
import { sqlEvaluationFailed } from "../errors";
import type { Scope } from "../scope";
import { isObject, member, parseJson, toText, type Value } from "../values";
import { literalText, type SqlFunction, type SqlFunctions } from "./definition";

const refused = (name: string): SqlFunction => ({
  arity: [0, Number.POSITIVE_INFINITY],
  check: () => {
    throw notEmulated("iot", "SQL function", name);
  },
  call: () => undefined,
});

/** Asks another service through the context; its answer becomes a value with every digit of its numbers. */
function ask(scope: Scope, name: string, call: (() => unknown) | undefined): Value {
  if (!call) throw notEmulated("iot", "SQL function", name);
  const answer = scope.run.once(call);
  return answer === undefined ? undefined : (answer as Value);
}

const text = (value: Value): string | undefined => (typeof value === "string" ? value : undefined);

function secretValue(secret: string | undefined, type: string, key: string | undefined, scope: Scope): Value {
  if (secret === undefined) return undefined;
  const document = type === "SecretString" ? parseJson(secret, scope.run.version) : undefined;
  if (key === undefined) return isObject(document) ? document : secret;
  if (!isObject(document)) throw sqlEvaluationFailed("get_secret was given a key, but the secret is no JSON object");
  return member(document, key);
}

/** Functions that call another service. A failed call fails the evaluation; a name of the wrong type is Undefined. */
export const external: SqlFunctions = {
  aws_lambda: {
    arity: [2],
    call: ([arn, input], scope) => {
      const { invokeLambda } = scope.run.context;
      const functionArn = text(arn);
      return functionArn && ask(scope, "aws_lambda", invokeLambda && (() => invokeLambda(functionArn, input)));
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
  get_secret: {
    arity: [3, 4],
    newer: true,
    check: ([, type]) => {
      const name = literalText(type);
      if (name === undefined || name === "SecretString" || name === "SecretBinary") return undefined;
      return `Function get_secret expects SecretString or SecretBinary as its second argument, found: ${name}`;
    },
    call: (args, scope) => {
      const { getSecret } = scope.run.context;
      const [id, type, role] = [text(args[0]), text(args[1]), text(args.at(-1))];
      if (!id || !role || (type !== "SecretString" && type !== "SecretBinary")) return undefined;
      const secret = ask(scope, "get_secret", getSecret && (() => getSecret(id, type, role)));
      return secretValue(text(secret), type, args.length === 4 ? text(args[2]) : undefined, scope);
    },
  },
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
