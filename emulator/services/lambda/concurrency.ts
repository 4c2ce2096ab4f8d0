import { limits } from "../../core/limits";
import type { Host } from "../../core/service";
import { invalidParameter, noProvisionedConcurrency } from "./errors";
import { check, checkQualifier, findFunction, findUnqualified, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import { type FunctionRecord, type LambdaState, lambdaTime } from "./state";

/** Reserved and provisioned concurrency, and the account's limits. */
export const concurrencyOperations = ({ host, states }: Parts): LambdaOperations => ({
  PutFunctionConcurrency(input, context) {
    const state = states.of(context);
    check({
      reservedConcurrentExecutions: [input.ReservedConcurrentExecutions, { required: true, range: [0, 100_000] }],
    });
    const fn = findUnqualified(state, input.FunctionName);
    const wanted = input.ReservedConcurrentExecutions!;
    const { value: least } = limits.lambda.unreservedConcurrency;
    if (unreserved(host, state, fn) - wanted < least) {
      throw invalidParameter(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
      );
    }
    fn.reservedConcurrency = wanted;
    return { ReservedConcurrentExecutions: wanted };
  },

  GetFunctionConcurrency(input, context) {
    const fn = findUnqualified(states.of(context), input.FunctionName);
    return { ReservedConcurrentExecutions: fn.reservedConcurrency };
  },

  DeleteFunctionConcurrency(input, context) {
    findUnqualified(states.of(context), input.FunctionName).reservedConcurrency = undefined;
    return {};
  },

  // Kept for tools that read it back: environments are not started ahead of time.
  PutProvisionedConcurrencyConfig(input, context) {
    check({
      provisionedConcurrentExecutions: [input.ProvisionedConcurrentExecutions, { required: true, range: [1, 100_000] }],
    });
    const { fn, qualifier } = provisionable(states.of(context), input.FunctionName, input.Qualifier);
    const requested = input.ProvisionedConcurrentExecutions!;
    if (fn.reservedConcurrency !== undefined && requested > fn.reservedConcurrency) {
      throw invalidParameter(
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
      );
    }
    fn.provisioned.set(qualifier, { requested, lastModified: lambdaTime(host.clock.now()) });
    return provisioned(fn, qualifier);
  },

  GetProvisionedConcurrencyConfig(input, context) {
    const { fn, qualifier } = provisionable(states.of(context), input.FunctionName, input.Qualifier);
    return provisioned(fn, qualifier);
  },

  DeleteProvisionedConcurrencyConfig(input, context) {
    const { fn, qualifier } = provisionable(states.of(context), input.FunctionName, input.Qualifier);
    fn.provisioned.delete(qualifier);
    return {};
  },

  ListProvisionedConcurrencyConfigs(input, context) {
    const fn = findUnqualified(states.of(context), input.FunctionName);
    const all = [...fn.provisioned.keys()].map((qualifier) => ({
      FunctionArn: `${fn.arn}:${qualifier}`,
      ...provisioned(fn, qualifier),
    }));
    const { items, next } = page(all, input);
    return { ProvisionedConcurrencyConfigs: items, NextMarker: next };
  },

  GetAccountSettings(_input, context) {
    const state = states.of(context);
    const functions = [...state.functions.values()];
    const size = functions
      .flatMap((fn) => [fn.latest, ...fn.versions.values()])
      .reduce((sum, { runnable }) => sum + runnable.zip.length, 0);
    return {
      AccountLimit: {
        TotalCodeSize: 80_530_636_800,
        CodeSizeUnzipped: limits.lambda.unzipped.value,
        CodeSizeZipped: limits.lambda.zip.value,
        ConcurrentExecutions: host.quotas.concurrentExecutions,
        UnreservedConcurrentExecutions: unreserved(host, state),
      },
      AccountUsage: { TotalCodeSize: size, FunctionCount: functions.length },
    };
  },
});

/** What no function has reserved; `except` counts as having reserved nothing. */
const unreserved = ({ quotas }: Host, state: LambdaState, except?: FunctionRecord): number =>
  [...state.functions.values()].reduce(
    (left, fn) => left - (fn === except ? 0 : (fn.reservedConcurrency ?? 0)),
    quotas.concurrentExecutions,
  );

function provisionable(state: LambdaState, functionName?: string, qualifierParameter?: string) {
  check({ qualifier: [qualifierParameter, { required: true }] });
  const { fn, qualifier } = findFunction(state, functionName, qualifierParameter);
  if (!qualifier || qualifier === "$LATEST") {
    throw invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
  }
  checkQualifier(fn, qualifier);
  return { fn, qualifier };
}

function provisioned(fn: FunctionRecord, qualifier: string) {
  const config = fn.provisioned.get(qualifier);
  if (!config) throw noProvisionedConcurrency();
  return {
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: config.requested,
    AllocatedProvisionedConcurrentExecutions: config.requested,
    Status: "READY" as const,
    LastModified: config.lastModified,
  };
}
