import { randomBytes } from "node:crypto";
import type {
  CreateEventSourceMappingCommandInput,
  EventSourceMappingConfiguration,
  FunctionUrlAuthType,
  Runtime,
  UpdateEventSourceMappingCommandInput,
} from "@aws-sdk/client-lambda";
import type {
  EventSourceMapping,
  EventSourceMappingArgs,
  FunctionEventInvokeConfig,
  FunctionEventInvokeConfigArgs,
  FunctionUrl,
  FunctionUrlArgs,
  LayerVersion,
  LayerVersionArgs,
  Permission,
  PermissionArgs,
} from "@pulumi/aws/lambda";
import type { Archive } from "../assets";
import { tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { retryWhile, unlessGone, waitFor } from "./wait";

const permission = resourceType<PermissionArgs, Permission>({
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    const generated = `${args.statementIdPrefix ?? "terraform-"}${randomBytes(13).toString("hex")}`;
    const StatementId = args.statementId ?? generated;
    await clients.lambda.addPermission({
      FunctionName: args.function,
      StatementId,
      Action: args.action,
      Principal: args.principal,
      SourceArn: args.sourceArn,
      SourceAccount: args.sourceAccount,
      Qualifier: args.qualifier,
      EventSourceToken: args.eventSourceToken,
      PrincipalOrgID: args.principalOrgId,
      FunctionUrlAuthType: args.functionUrlAuthType as FunctionUrlAuthType | undefined,
    });
    return { id: StatementId, outputs: { statementId: StatementId } };
  },
  async read(id, { clients }, known) {
    const { function: FunctionName, qualifier: Qualifier } = known?.inputs ?? {};
    const found = await unlessGone(clients.lambda.getPolicy({ FunctionName, Qualifier }));
    const { Statement = [] } = JSON.parse(found?.Policy ?? "{}") as { Statement?: { Sid?: string }[] };
    return Statement.some(({ Sid }) => Sid === id) ? { statementId: id } : undefined;
  },
  async delete(id, { inputs }, { clients }) {
    const { function: FunctionName, qualifier: Qualifier } = inputs;
    await clients.lambda.removePermission({ FunctionName, StatementId: id, Qualifier });
  },
});

type MappingArgs = PlainArgs<EventSourceMappingArgs>;

/** What can be given at creation and changed later. */
const mappingSettings = (args: MappingArgs) => ({
  FunctionName: args.functionName,
  Enabled: args.enabled,
  BatchSize: args.batchSize,
  MaximumBatchingWindowInSeconds: args.maximumBatchingWindowInSeconds,
  BisectBatchOnFunctionError: args.bisectBatchOnFunctionError,
  MaximumRecordAgeInSeconds: args.maximumRecordAgeInSeconds,
  MaximumRetryAttempts: args.maximumRetryAttempts,
  ParallelizationFactor: args.parallelizationFactor,
  TumblingWindowInSeconds: args.tumblingWindowInSeconds,
  FunctionResponseTypes: args.functionResponseTypes as CreateEventSourceMappingCommandInput["FunctionResponseTypes"],
  FilterCriteria: args.filterCriteria && {
    Filters: args.filterCriteria.filters?.map(({ pattern }) => ({ Pattern: pattern })),
  },
  DestinationConfig: args.destinationConfig && {
    OnFailure: args.destinationConfig.onFailure && { Destination: args.destinationConfig.onFailure.destinationArn },
  },
  ScalingConfig: args.scalingConfig && { MaximumConcurrency: args.scalingConfig.maximumConcurrency },
});

/** What options of streams go back to when the program leaves them out: unsaid, they would stay. */
const streamDefaults: [keyof MappingArgs & string, keyof UpdateEventSourceMappingCommandInput, unknown][] = [
  ["maximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds", 0],
  ["bisectBatchOnFunctionError", "BisectBatchOnFunctionError", false],
  ["maximumRecordAgeInSeconds", "MaximumRecordAgeInSeconds", -1],
  ["maximumRetryAttempts", "MaximumRetryAttempts", -1],
  ["parallelizationFactor", "ParallelizationFactor", 1],
  ["destinationConfig", "DestinationConfig", { OnFailure: {} }],
];

const mappingOutputs = (mapping: EventSourceMappingConfiguration) => ({
  uuid: mapping.UUID,
  arn: mapping.EventSourceMappingArn,
  functionArn: mapping.FunctionArn,
  state: mapping.State,
  stateTransitionReason: mapping.StateTransitionReason,
  lastModified: mapping.LastModified?.toISOString(),
  lastProcessingResult: mapping.LastProcessingResult ?? "",
  batchSize: mapping.BatchSize,
});

const mappingReady = (UUID: string, { clients, timeout }: ProviderContext) =>
  waitFor(`event source mapping ${UUID}`, timeout, async () => {
    const mapping = await clients.lambda.getEventSourceMapping({ UUID });
    return !/^(Creating|Updating|Enabling|Disabling)$/.test(mapping.State ?? "") && mapping;
  });

const eventSourceMapping = resourceType<EventSourceMappingArgs, EventSourceMapping>({
  replaceOn: ["eventSourceArn", "startingPosition", "startingPositionTimestamp"],
  // Two mappings of one source to one function are refused.
  deleteBeforeReplace: true,
  async create(args, context) {
    const { startingPositionTimestamp: timestamp } = args;
    const input: CreateEventSourceMappingCommandInput = {
      ...mappingSettings(args),
      EventSourceArn: args.eventSourceArn,
      StartingPosition: args.startingPosition as CreateEventSourceMappingCommandInput["StartingPosition"],
      StartingPositionTimestamp: timestamp ? new Date(timestamp) : undefined,
      Tags: tagMap(context.tags(args.tags)),
    };
    // The function's role may get the permission to read the source only a moment from now.
    const { UUID = "" } = await retryWhile(
      context,
      (error) => /does not have permissions|cannot be assumed/.test(error.message),
      () => context.clients.lambda.createEventSourceMapping(input),
    );
    return { id: UUID, outputs: mappingOutputs(await mappingReady(UUID, context)) };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.lambda.getEventSourceMapping({ UUID: id }));
    return found && mappingOutputs(found);
  },
  async update(id, args, old, context) {
    await context.clients.lambda.updateEventSourceMapping({
      UUID: id,
      ...mappingSettings(args),
      Enabled: args.enabled ?? true,
      ...Object.fromEntries(
        streamDefaults
          .filter(([property]) => old.changed(property) && args[property] === undefined)
          .map(([, member, initial]) => [member, initial]),
      ),
      // Emptied lists must be said, or the old ones stay.
      ...(old.changed("filterCriteria") && !args.filterCriteria && { FilterCriteria: { Filters: [] } }),
      ...(old.changed("functionResponseTypes") && !args.functionResponseTypes && { FunctionResponseTypes: [] }),
    });
    return mappingOutputs(await mappingReady(id, context));
  },
  async delete(id, _known, { clients, timeout }) {
    await clients.lambda.deleteEventSourceMapping({ UUID: id });
    await waitFor(`the deletion of event source mapping ${id}`, timeout, async () => {
      return (await unlessGone(clients.lambda.getEventSourceMapping({ UUID: id }))) === undefined;
    });
  },
});

const putInvokeConfig = (args: PlainArgs<FunctionEventInvokeConfigArgs>, { clients }: ProviderContext) => {
  const { onFailure, onSuccess } = args.destinationConfig ?? {};
  return clients.lambda.putFunctionEventInvokeConfig({
    FunctionName: args.functionName,
    Qualifier: args.qualifier,
    MaximumEventAgeInSeconds: args.maximumEventAgeInSeconds,
    MaximumRetryAttempts: args.maximumRetryAttempts ?? 2,
    DestinationConfig: {
      OnFailure: onFailure && { Destination: onFailure.destination },
      OnSuccess: onSuccess && { Destination: onSuccess.destination },
    },
  });
};

const functionEventInvokeConfig = resourceType<FunctionEventInvokeConfigArgs, FunctionEventInvokeConfig>({
  replaceOn: ["functionName", "qualifier"],
  deleteBeforeReplace: true,
  async create(args, context) {
    await putInvokeConfig(args, context);
    return { id: args.qualifier ? `${args.functionName}:${args.qualifier}` : args.functionName, outputs: {} };
  },
  async update(_id, args, _old, context) {
    await putInvokeConfig(args, context);
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    const { functionName: FunctionName, qualifier: Qualifier } = inputs;
    await clients.lambda.deleteFunctionEventInvokeConfig({ FunctionName, Qualifier });
  },
});

const urlSettings = (args: PlainArgs<FunctionUrlArgs>) => ({
  FunctionName: args.functionName,
  Qualifier: args.qualifier,
  AuthType: args.authorizationType as FunctionUrlAuthType,
  InvokeMode: args.invokeMode as "BUFFERED" | undefined,
  Cors: args.cors && {
    AllowCredentials: args.cors.allowCredentials,
    AllowHeaders: args.cors.allowHeaders,
    AllowMethods: args.cors.allowMethods,
    AllowOrigins: args.cors.allowOrigins,
    ExposeHeaders: args.cors.exposeHeaders,
    MaxAge: args.cors.maxAge,
  },
});

const functionUrl = resourceType<FunctionUrlArgs, FunctionUrl>({
  replaceOn: ["functionName", "qualifier"],
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    const made = await clients.lambda.createFunctionUrlConfig(urlSettings(args));
    const urlId = new URL(made.FunctionUrl ?? "http://none").hostname.split(".")[0];
    return { id: args.functionName, outputs: { functionUrl: made.FunctionUrl, functionArn: made.FunctionArn, urlId } };
  },
  async update(_id, args, old, { clients }) {
    await clients.lambda.updateFunctionUrlConfig(urlSettings(args));
    return old.outputs;
  },
  async delete(_id, { inputs }, { clients }) {
    const { functionName: FunctionName, qualifier: Qualifier } = inputs;
    await clients.lambda.deleteFunctionUrlConfig({ FunctionName, Qualifier });
  },
});

const layerVersion = resourceType<LayerVersionArgs, LayerVersion>({
  async create(args, { clients }) {
    const archive = args.code as Archive | undefined;
    const made = await clients.lambda.publishLayerVersion({
      LayerName: args.layerName,
      Description: args.description,
      CompatibleRuntimes: args.compatibleRuntimes as Runtime[] | undefined,
      Content: archive
        ? { ZipFile: await archive.zip() }
        : { S3Bucket: args.s3Bucket, S3Key: args.s3Key, S3ObjectVersion: args.s3ObjectVersion },
    });
    const version = String(made.Version);
    const outputs = { arn: made.LayerVersionArn, layerArn: made.LayerArn, version, createdDate: made.CreatedDate };
    return { id: made.LayerVersionArn ?? "", outputs };
  },
  async delete(_id, { inputs, outputs }, { clients }) {
    const { layerName: LayerName } = inputs;
    if (!inputs.skipDestroy)
      await clients.lambda.deleteLayerVersion({ LayerName, VersionNumber: Number(outputs.version) });
  },
});

export const types = {
  "aws:lambda/permission:Permission": permission,
  "aws:lambda/eventSourceMapping:EventSourceMapping": eventSourceMapping,
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": functionEventInvokeConfig,
  "aws:lambda/functionUrl:FunctionUrl": functionUrl,
  "aws:lambda/layerVersion:LayerVersion": layerVersion,
};
