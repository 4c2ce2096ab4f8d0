import { randomUUID } from "node:crypto";
import type { AliasConfiguration, AliasRoutingConfiguration } from "@aws-sdk/client-lambda";
import { aliasNotFound, conflict, functionNotFound, invalidParameter, revisionMismatch } from "./errors";
import { check, findFunction, findUnqualified, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { FunctionRecord } from "./state";

const aliasName = { required: true, length: [1, 128], pattern: /^(?!^[0-9]+$)([a-zA-Z0-9-_]+)$/ } as const;
const versionNumber = { length: [1, 1024], pattern: /^(\$LATEST|[0-9]+)$/ } as const;

/** Aliases: names for versions, with weights to share traffic between two of them. */
export const aliasOperations = ({ states }: Parts): LambdaOperations => ({
  CreateAlias(input, context) {
    check({
      name: [input.Name, aliasName],
      functionVersion: [input.FunctionVersion, { required: true, ...versionNumber }],
      description: [input.Description, { length: [0, 256] }],
    });
    const fn = findUnqualified(states.of(context), input.FunctionName);
    const AliasArn = `${fn.arn}:${input.Name}`;
    if (fn.aliases.has(input.Name!)) throw conflict(`Alias already exists: ${AliasArn}`);
    checkTarget(fn, input.FunctionVersion!, input.RoutingConfig);
    const alias: AliasConfiguration = {
      AliasArn,
      Name: input.Name,
      FunctionVersion: input.FunctionVersion,
      Description: input.Description ?? "",
      RoutingConfig: weights(input.RoutingConfig),
      RevisionId: randomUUID(),
    };
    fn.aliases.set(input.Name!, alias);
    return alias;
  },

  GetAlias: (input, context) => find(findUnqualified(states.of(context), input.FunctionName), input.Name),

  UpdateAlias(input, context) {
    check({
      functionVersion: [input.FunctionVersion, versionNumber],
      description: [input.Description, { length: [0, 256] }],
    });
    const fn = findUnqualified(states.of(context), input.FunctionName);
    const before = find(fn, input.Name);
    if (input.RevisionId && input.RevisionId !== before.RevisionId) throw revisionMismatch();
    const FunctionVersion = input.FunctionVersion ?? before.FunctionVersion;
    const RoutingConfig = input.RoutingConfig ?? before.RoutingConfig;
    checkTarget(fn, FunctionVersion!, RoutingConfig);
    const alias: AliasConfiguration = {
      ...before,
      FunctionVersion,
      Description: input.Description ?? before.Description,
      RoutingConfig: weights(RoutingConfig),
      RevisionId: randomUUID(),
    };
    fn.aliases.set(before.Name!, alias);
    return alias;
  },

  DeleteAlias(input, context) {
    check({ name: [input.Name, aliasName] });
    const fn = findUnqualified(states.of(context), input.FunctionName);
    fn.aliases.delete(input.Name!);
    for (const map of [fn.policies, fn.provisioned, fn.asyncConfigs, fn.urls]) map.delete(input.Name!);
    return {};
  },

  ListAliases(input, context) {
    check({ functionVersion: [input.FunctionVersion, versionNumber] });
    const { fn } = findFunction(states.of(context), input.FunctionName);
    const wanted = [...fn.aliases.values()].filter(
      (alias) => !input.FunctionVersion || alias.FunctionVersion === input.FunctionVersion,
    );
    const { items, next } = page(wanted, input);
    return { Aliases: items, NextMarker: next };
  },
});

function find(fn: FunctionRecord, name: string | undefined): AliasConfiguration {
  check({ name: [name, aliasName] });
  const alias = fn.aliases.get(name!);
  if (!alias) throw aliasNotFound(`${fn.arn}:${name}`);
  return alias;
}

const weights = (routing: AliasRoutingConfiguration | undefined): AliasRoutingConfiguration | undefined =>
  Object.keys(routing?.AdditionalVersionWeights ?? {}).length ? routing : undefined;

function checkTarget(fn: FunctionRecord, version: string, routing: AliasRoutingConfiguration | undefined): void {
  const exists = (number: string) => number === "$LATEST" || fn.versions.has(number);
  if (!exists(version)) throw functionNotFound(`${fn.arn}:${version}`);
  const others = Object.entries(routing?.AdditionalVersionWeights ?? {});
  if (others.length > 1) {
    throw invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
  }
  for (const [number, weight] of others) {
    if (version === "$LATEST" || number === "$LATEST") {
      throw invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version");
    }
    if (number === version) {
      throw invalidParameter(
        `Invalid function version ${number}. Function version ${number} is already included in routing configuration.`,
      );
    }
    if (!exists(number)) throw functionNotFound(`${fn.arn}:${number}`);
    check({ "routingConfig.additionalVersionWeights": [weight, { range: [0, 1] }] });
  }
}
