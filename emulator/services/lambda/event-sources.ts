import { randomUUID } from "node:crypto";
import type { EventSourceMappingConfiguration, FilterCriteria } from "@aws-sdk/client-lambda";
import { parseArn } from "../../core/arn";
import { notEmulated } from "../../core/errors";
import { BadPattern, compilePattern } from "../../core/event-pattern";
import { limits } from "../../core/limits";
import { conflict, invalidParameter, noSuchResource, roleLacks } from "./errors";
import { assume, destinationAccess } from "./execution-role";
import { check, checkQualifier, findFunction, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { Mapping, MappingSettings } from "./sources/mapping";
import { sourceKinds } from "./sources/pollers";
import type { FunctionRecord, LambdaState } from "./state";
import { checkTags } from "./tags";

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html: 5, and up to 10 on request. */
const filterLimit = limits.lambda.filters.value;

/** Event source mappings: what a function reads from. */
export const eventSourceOperations = ({ host, states, pollers }: Parts): LambdaOperations => {
  const settle = async (
    fn: FunctionRecord,
    qualifier: string | undefined,
    source: string,
    settings: MappingSettings,
  ) => {
    const arn = parseArn(source);
    const kind = arn && Object.hasOwn(sourceKinds, arn.service) ? sourceKinds[arn.service] : undefined;
    if (!arn || !kind) {
      throw notEmulated(
        "lambda",
        "CreateEventSourceMapping",
        `a source in ${arn?.service}; it has ${Object.keys(sourceKinds).join(", ")}`,
      );
    }
    check({ functionResponseTypes: [settings.FunctionResponseTypes?.[0], { oneOf: ["ReportBatchItemFailures"] }] });
    checkFilters(settings.FilterCriteria);
    const config: EventSourceMappingConfiguration = {
      ...(await kind.check(host, { ...arn, text: source }, fn, settings)),
      EventSourceArn: source,
      FunctionArn: qualifier ? `${fn.arn}:${qualifier}` : fn.arn,
      FilterCriteria: settings.FilterCriteria?.Filters?.length ? settings.FilterCriteria : undefined,
      FunctionResponseTypes: settings.FunctionResponseTypes ?? [],
      KMSKeyArn: settings.KMSKeyArn,
      MetricsConfig: settings.MetricsConfig,
      LastModified: new Date(host.clock.now()),
    };
    return config;
  };

  /** The role has to be able to read the source, and to send to the destination of what is given up. */
  const checkAccess = async (fn: FunctionRecord, config: EventSourceMappingConfiguration) => {
    const source = config.EventSourceArn!;
    const reader = assume(host, fn, fn.latest.config.Role!);
    await sourceKinds[source.split(":")[2]!]!.checkAccess(host, source, reader);
    const destination = config.DestinationConfig?.OnFailure?.Destination;
    const needed = destination ? await destinationAccess(host, destination) : undefined;
    if (needed && host.bus.access.checkCaller(reader, needed)) throw roleLacks("function", needed.action);
  };

  return {
    async CreateEventSourceMapping(input, context) {
      const state = states.of(context);
      const { fn, qualifier } = findFunction(state, input.FunctionName);
      if (qualifier) checkQualifier(fn, qualifier);
      check({
        eventSourceArn: [
          input.EventSourceArn,
          { pattern: /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:([a-z0-9-]*)?:(\d{12})?:(.*)$/ },
        ],
      });
      if (!input.EventSourceArn) {
        if (input.SelfManagedEventSource)
          throw notEmulated("lambda", "CreateEventSourceMapping", "SelfManagedEventSource");
        throw invalidParameter("Unrecognized event source.");
      }
      checkTags(input.Tags);
      const config = await settle(fn, qualifier, input.EventSourceArn, input);
      await checkAccess(fn, config);
      for (const { uuid, config: other } of state.mappings.values()) {
        if (other.EventSourceArn !== config.EventSourceArn || other.FunctionArn !== config.FunctionArn) continue;
        const cure = `Please update or delete the existing mapping with UUID ${uuid}`;
        throw conflict(
          config.EventSourceArn!.split(":")[2] === "sqs"
            ? `An event source mapping with SQS arn (" ${config.EventSourceArn} ") and function (" ${fn.name} ") already exists. ${cure}`
            : `The event source arn (" ${config.EventSourceArn} ") and function (" ${fn.name} ") provided mapping already exists. ${cure}`,
        );
      }
      const mapping: Mapping = {
        uuid: randomUUID(),
        config,
        enabled: input.Enabled ?? true,
        lastResult: "No records processed",
        tags: { ...input.Tags },
      };
      state.mappings.set(mapping.uuid, mapping);
      pollers.refresh(mapping);
      // It works at once; the answer names the step that AWS is in, and the next look finds it done.
      return shown(state, mapping, "Creating");
    },

    GetEventSourceMapping(input, context) {
      const state = states.of(context);
      return shown(state, find(state, input.UUID));
    },

    async UpdateEventSourceMapping(input, context) {
      const state = states.of(context);
      const mapping = find(state, input.UUID);
      const before = mapping.config;
      const target = findFunction(state, input.FunctionName ?? before.FunctionArn);
      if (target.qualifier) checkQualifier(target.fn, target.qualifier);
      const { FunctionName, UUID, Enabled, ...change } = input;
      const settings = { ...keptSettings(before), ...defined(change) } as MappingSettings;
      const config = await settle(target.fn, target.qualifier, before.EventSourceArn!, settings);
      const was = mapping.enabled;
      // What is switched off may have lost its permissions.
      if (Enabled ?? was) await checkAccess(target.fn, config);
      mapping.config = config;
      mapping.enabled = Enabled ?? was;
      pollers.refresh(mapping);
      return shown(state, mapping, was === mapping.enabled ? "Updating" : mapping.enabled ? "Enabling" : "Disabling");
    },

    DeleteEventSourceMapping(input, context) {
      const state = states.of(context);
      const mapping = find(state, input.UUID);
      pollers.stop(mapping);
      state.mappings.delete(mapping.uuid);
      return shown(state, mapping, "Deleting");
    },

    ListEventSourceMappings(input, context) {
      const state = states.of(context);
      const wanted = input.FunctionName ? findFunction(state, input.FunctionName) : undefined;
      const arn = wanted && (wanted.qualifier ? `${wanted.fn.arn}:${wanted.qualifier}` : wanted.fn.arn);
      const mappings = [...state.mappings.values()].filter(
        ({ config }) =>
          (!arn || config.FunctionArn === arn) &&
          (!input.EventSourceArn || config.EventSourceArn === input.EventSourceArn),
      );
      const { items, next } = page(mappings, input, 100);
      return { EventSourceMappings: items.map((mapping) => shown(state, mapping)), NextMarker: next };
    },
  };
};

function find(state: LambdaState, uuid: string | undefined): Mapping {
  check({ uUID: [uuid, { required: true }] });
  const mapping = state.mappings.get(uuid!);
  if (!mapping) throw noSuchResource();
  return mapping;
}

const shown = (state: LambdaState, mapping: Mapping, step?: string): EventSourceMappingConfiguration => ({
  UUID: mapping.uuid,
  EventSourceMappingArn: state.arn(`event-source-mapping:${mapping.uuid}`),
  ...mapping.config,
  State: step ?? (mapping.enabled ? "Enabled" : "Disabled"),
  StateTransitionReason: "USER_INITIATED",
  LastProcessingResult: mapping.lastResult,
});

/** What an update leaves as it is when the request says nothing of it. */
const keptSettings = (config: EventSourceMappingConfiguration): MappingSettings => ({
  BatchSize: config.BatchSize,
  MaximumBatchingWindowInSeconds: config.MaximumBatchingWindowInSeconds,
  ScalingConfig: config.ScalingConfig,
  FilterCriteria: config.FilterCriteria,
  FunctionResponseTypes: config.FunctionResponseTypes,
  KMSKeyArn: config.KMSKeyArn,
  MetricsConfig: config.MetricsConfig,
  StartingPosition: config.StartingPosition,
  StartingPositionTimestamp: config.StartingPositionTimestamp,
  ParallelizationFactor: config.ParallelizationFactor,
  BisectBatchOnFunctionError: config.BisectBatchOnFunctionError,
  MaximumRetryAttempts: config.MaximumRetryAttempts,
  MaximumRecordAgeInSeconds: config.MaximumRecordAgeInSeconds,
  DestinationConfig: config.DestinationConfig,
});

const defined = (input: object) => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

function checkFilters(criteria: FilterCriteria | undefined): void {
  const filters = criteria?.Filters ?? [];
  if (filters.length > filterLimit) throw invalidParameter(`Filter criteria can have at most ${filterLimit} filters.`);
  for (const { Pattern } of filters) {
    check({
      "filterCriteria.filters.pattern": [Pattern, { required: true, length: [0, limits.lambda.filterPattern.value] }],
    });
    try {
      compilePattern(JSON.parse(Pattern!));
    } catch (error) {
      const why = error instanceof BadPattern ? ` ${error.message}` : "";
      throw invalidParameter(`Invalid filter pattern definition.${why}`);
    }
  }
}
