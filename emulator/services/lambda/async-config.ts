import type {
  DestinationConfig,
  FunctionEventInvokeConfig,
  PutFunctionEventInvokeConfigRequest,
} from "@aws-sdk/client-lambda";
import { notEmulated } from "../../core/errors";
import { endsOf, limits } from "../../core/limits";
import type { Context } from "../../core/service";
import { invalidParameter, notFound } from "./errors";
import { checkDestinationAccess } from "./execution-role";
import { check, checkQualifier, findFunction, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { FunctionRecord, LambdaState } from "./state";

/** How asynchronous invocations of one qualifier are retried, and where their outcome goes. */
export interface AsyncConfig {
  readonly lastModified: number;
  /** @default 2 */
  readonly retries?: number;
  /** Seconds. @default 21600 */
  readonly maxAge?: number;
  readonly destinations: DestinationConfig;
}

/** PutFunctionEventInvokeConfig and its family. */
export const asyncConfigOperations = ({ host, states }: Parts): LambdaOperations => {
  const store = async (input: PutFunctionEventInvokeConfigRequest, context: Context, merge: boolean) => {
    check({
      maximumRetryAttempts: [input.MaximumRetryAttempts, { range: endsOf(limits.lambda.asyncRetries) }],
      maximumEventAgeInSeconds: [input.MaximumEventAgeInSeconds, { range: endsOf(limits.lambda.asyncAge) }],
    });
    const target = locate(states.of(context), input.FunctionName, input.Qualifier);
    const before = merge ? existing(target) : undefined;
    const destinations = merge
      ? { ...before?.destinations, ...input.DestinationConfig }
      : { OnSuccess: {}, OnFailure: {}, ...input.DestinationConfig };
    for (const side of [destinations.OnSuccess, destinations.OnFailure]) {
      if (!side?.Destination) continue;
      checkDestination(target.fn, side.Destination);
      await checkDestinationAccess(host, target.fn, side.Destination);
    }
    const config: AsyncConfig = {
      lastModified: host.clock.now(),
      retries: input.MaximumRetryAttempts ?? before?.retries,
      maxAge: input.MaximumEventAgeInSeconds ?? before?.maxAge,
      destinations,
    };
    target.fn.asyncConfigs.set(target.qualifier, config);
    return shown(target, config);
  };
  return {
    PutFunctionEventInvokeConfig: (input, context) => store(input, context, false),
    UpdateFunctionEventInvokeConfig: (input, context) => store(input, context, true),

    GetFunctionEventInvokeConfig(input, context) {
      const target = locate(states.of(context), input.FunctionName, input.Qualifier);
      return shown(target, existing(target));
    },

    DeleteFunctionEventInvokeConfig(input, context) {
      const target = locate(states.of(context), input.FunctionName, input.Qualifier);
      existing(target);
      target.fn.asyncConfigs.delete(target.qualifier);
      return {};
    },

    ListFunctionEventInvokeConfigs(input, context) {
      const { fn } = findFunction(states.of(context), input.FunctionName);
      const all = [...fn.asyncConfigs].map(([qualifier, config]) => shown({ fn, qualifier }, config));
      const { items, next } = page(all, input);
      return { FunctionEventInvokeConfigs: items, NextMarker: next };
    },
  };
};

interface Target {
  readonly fn: FunctionRecord;
  readonly qualifier: string;
}

function locate(state: LambdaState, functionName?: string, qualifierParameter?: string): Target {
  const { fn, qualifier = "$LATEST" } = findFunction(state, functionName, qualifierParameter);
  checkQualifier(fn, qualifier);
  return { fn, qualifier };
}

function existing({ fn, qualifier }: Target): AsyncConfig {
  const config = fn.asyncConfigs.get(qualifier);
  if (!config) throw notFound(`The function ${fn.arn}:${qualifier} doesn't have an EventInvokeConfig`);
  return config;
}

const shown = ({ fn, qualifier }: Target, config: AsyncConfig): FunctionEventInvokeConfig => ({
  FunctionArn: `${fn.arn}:${qualifier}`,
  LastModified: new Date(config.lastModified),
  MaximumRetryAttempts: config.retries,
  MaximumEventAgeInSeconds: config.maxAge,
  DestinationConfig: config.destinations,
});

/** Destinations are checked when they are set, so that no event is lost on the way to one that is not there to serve. */
function checkDestination(fn: FunctionRecord, destination: string): void {
  check({
    "destinationConfig.destination": [
      destination,
      { length: [0, 350], pattern: /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:([a-z0-9-]*)?:(\d{12})?:(.*)$/ },
    ],
  });
  const service = destination.split(":")[2];
  if (service !== "sqs" && service !== "lambda") {
    throw notEmulated("lambda", "PutFunctionEventInvokeConfig", `a destination in ${service}; it has sqs and lambda`);
  }
  if (destination === fn.arn || destination.startsWith(`${fn.arn}:`)) {
    throw invalidParameter("You can't specify the function as a destination for itself.");
  }
}
