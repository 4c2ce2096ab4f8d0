import type {
  Architecture,
  CreateFunctionCommandInput,
  FunctionCode,
  FunctionConfiguration,
  LoggingConfig,
  Runtime,
} from "@aws-sdk/client-lambda";
import type { Alias, AliasArgs, FunctionArgs, Function as LambdaFunction } from "@pulumi/aws/lambda";
import type { Archive } from "../assets";
import { InvalidInput, PartlyCreated } from "../errors";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { retryWhile, unlessGone, waitFor } from "./wait";

type Args = PlainArgs<FunctionArgs>;

/** Larger packages cannot be sent in the request itself (Lambda quotas: 50 MB zipped). */
const directUploadLimit = 50 * 1024 * 1024;

/** What integrations and authorizers of API Gateway take to call the function. */
const invokeArn = (arn: string, region: string) =>
  `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;

async function codeOf(args: Args): Promise<FunctionCode> {
  if (args.imageUri) return { ImageUri: args.imageUri };
  if (args.s3Bucket) return { S3Bucket: args.s3Bucket, S3Key: args.s3Key, S3ObjectVersion: args.s3ObjectVersion };
  const archive = args.code as Archive | undefined;
  if (!archive) throw new InvalidInput("it has no code: give `code` (an archive), or s3Bucket and s3Key, or imageUri");
  const zip = await archive.zip();
  if (zip.length > directUploadLimit) {
    const size = (zip.length / 1024 / 1024).toFixed(1);
    throw new InvalidInput(
      `its code is ${size} MB zipped; above 50 MB put the zip into S3 and give s3Bucket and s3Key`,
    );
  }
  return { ZipFile: zip };
}

const settings = (args: Args) => ({
  Role: args.role,
  Handler: args.handler,
  Runtime: args.runtime as Runtime | undefined,
  Description: args.description ?? "",
  Timeout: args.timeout ?? 3,
  MemorySize: args.memorySize ?? 128,
  Environment: { Variables: args.environment?.variables ?? {} },
  KMSKeyArn: args.kmsKeyArn,
  Layers: args.layers ?? [],
  DeadLetterConfig: { TargetArn: args.deadLetterConfig?.targetArn ?? "" },
  TracingConfig: { Mode: (args.tracingConfig?.mode ?? "PassThrough") as "Active" },
  EphemeralStorage: { Size: args.ephemeralStorage?.size ?? 512 },
  LoggingConfig: args.loggingConfig && {
    LogFormat: args.loggingConfig.logFormat as LoggingConfig["LogFormat"],
    LogGroup: args.loggingConfig.logGroup,
    ApplicationLogLevel: args.loggingConfig.applicationLogLevel as LoggingConfig["ApplicationLogLevel"],
    SystemLogLevel: args.loggingConfig.systemLogLevel as LoggingConfig["SystemLogLevel"],
  },
  // Empty lists take the function out of its VPC (API reference: VpcConfig).
  VpcConfig: {
    SubnetIds: args.vpcConfig?.subnetIds ?? [],
    SecurityGroupIds: args.vpcConfig?.securityGroupIds ?? [],
    Ipv6AllowedForDualStack: args.vpcConfig?.ipv6AllowedForDualStack,
  },
  FileSystemConfigs: args.fileSystemConfig && [
    { Arn: args.fileSystemConfig.arn, LocalMountPath: args.fileSystemConfig.localMountPath },
  ],
});

/** Members that say "none" must be left out when a function is created. */
const withoutEmpty = (input: CreateFunctionCommandInput): CreateFunctionCommandInput => ({
  ...input,
  DeadLetterConfig: input.DeadLetterConfig?.TargetArn ? input.DeadLetterConfig : undefined,
  Description: input.Description || undefined,
  Layers: input.Layers?.length ? input.Layers : undefined,
  VpcConfig: input.VpcConfig?.SubnetIds?.length ? input.VpcConfig : undefined,
});

/** A new function is "Pending", and a changed one "InProgress", until it can be called. */
const ready = (name: string, { clients, timeout }: ProviderContext) =>
  waitFor(`function ${name}`, timeout, async () => {
    const configuration = await clients.lambda.getFunctionConfiguration({ FunctionName: name });
    const { State = "Active", StateReason, LastUpdateStatus = "Successful", LastUpdateStatusReason } = configuration;
    if (State === "Failed") throw new Error(`the function cannot start: ${StateReason}`);
    if (LastUpdateStatus === "Failed") throw new Error(`the function cannot be updated: ${LastUpdateStatusReason}`);
    return State === "Active" && LastUpdateStatus === "Successful" && configuration;
  });

function outputs(configuration: FunctionConfiguration, published: string | undefined, { region }: ProviderContext) {
  const arn = configuration.FunctionArn ?? "";
  const version = published ?? configuration.Version ?? "$LATEST";
  const qualifiedArn = `${arn}:${version}`;
  return {
    arn,
    name: configuration.FunctionName,
    version,
    qualifiedArn,
    invokeArn: invokeArn(arn, region),
    qualifiedInvokeArn: invokeArn(qualifiedArn, region),
    responseStreamingInvokeArn: `arn:aws:apigateway:${region}:lambda:path/2021-11-15/functions/${arn}/response-streaming-invocations`,
    lastModified: configuration.LastModified,
    codeSha256: configuration.CodeSha256,
    sourceCodeHash: configuration.CodeSha256,
    sourceCodeSize: configuration.CodeSize,
    architectures: configuration.Architectures,
    vpcConfig: configuration.VpcConfig?.VpcId
      ? {
          vpcId: configuration.VpcConfig.VpcId,
          subnetIds: configuration.VpcConfig.SubnetIds ?? [],
          securityGroupIds: configuration.VpcConfig.SecurityGroupIds ?? [],
          ipv6AllowedForDualStack: configuration.VpcConfig.Ipv6AllowedForDualStack,
        }
      : undefined,
    loggingConfig: configuration.LoggingConfig && {
      logFormat: configuration.LoggingConfig.LogFormat ?? "Text",
      logGroup: configuration.LoggingConfig.LogGroup ?? `/aws/lambda/${configuration.FunctionName}`,
      applicationLogLevel: configuration.LoggingConfig.ApplicationLogLevel,
      systemLogLevel: configuration.LoggingConfig.SystemLogLevel,
    },
  };
}

async function applyConcurrency(name: string, reserved: number | undefined, { clients }: ProviderContext) {
  // -1 is the provider's way to say "not reserved".
  if (reserved === undefined || reserved < 0) await clients.lambda.deleteFunctionConcurrency({ FunctionName: name });
  else await clients.lambda.putFunctionConcurrency({ FunctionName: name, ReservedConcurrentExecutions: reserved });
}

const publish = async (name: string, args: Args, { clients }: ProviderContext) =>
  args.publish ? (await clients.lambda.publishVersion({ FunctionName: name })).Version : undefined;

const lambdaFunction = resourceType<FunctionArgs, LambdaFunction>({
  autoname: { property: "name", max: 64 },
  replaceOn: ["name", "packageType"],
  async create(args, context) {
    const FunctionName = args.name!;
    const { clients, tags } = context;
    const input = withoutEmpty({
      ...settings(args),
      FunctionName,
      Code: await codeOf(args),
      Architectures: args.architectures as Architecture[] | undefined,
      PackageType: args.packageType as "Zip" | undefined,
      Tags: tagMap(tags(args.tags)),
    });
    // A role that was made a moment ago is not known to Lambda at once.
    const roleIsNew = (error: Error) => /cannot be assumed by Lambda/.test(error.message);
    await retryWhile(context, roleIsNew, () => clients.lambda.createFunction(input));
    try {
      const configuration = await ready(FunctionName, context);
      if ((args.reservedConcurrentExecutions ?? -1) >= 0) {
        await applyConcurrency(FunctionName, args.reservedConcurrentExecutions, context);
      }
      return { id: FunctionName, outputs: outputs(configuration, await publish(FunctionName, args, context), context) };
    } catch (error) {
      throw new PartlyCreated(FunctionName, error);
    }
  },
  async read(id, context) {
    const found = await unlessGone(context.clients.lambda.getFunctionConfiguration({ FunctionName: id }));
    return found && outputs(found, undefined, context);
  },
  async update(id, args, old, context) {
    const { lambda } = context.clients;
    const codeChanged = old.changed(
      "code",
      "s3Bucket",
      "s3Key",
      "s3ObjectVersion",
      "imageUri",
      "sourceCodeHash",
      "architectures",
    );
    if (codeChanged) {
      await lambda.updateFunctionCode({
        FunctionName: id,
        Architectures: args.architectures as Architecture[] | undefined,
        ...(await codeOf(args)),
      });
      await ready(id, context);
    }
    const configured = Object.keys({ ...args, ...old.inputs }).some((property) => {
      const elsewhere = ["code", "s3Bucket", "s3Key", "tags", "publish", "reservedConcurrentExecutions"];
      return !elsewhere.includes(property) && old.changed(property as keyof Args & string);
    });
    if (configured) await lambda.updateFunctionConfiguration({ FunctionName: id, ...settings(args) });
    if (old.changed("reservedConcurrentExecutions")) {
      await applyConcurrency(id, args.reservedConcurrentExecutions, context);
    }
    const configuration = await ready(id, context);
    const Resource = configuration.FunctionArn;
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await lambda.tagResource({ Resource, Tags: set });
    if (remove.length > 0) await lambda.untagResource({ Resource, TagKeys: remove });
    return outputs(configuration, await publish(id, args, context), context);
  },
  async delete(id, { inputs }, { clients }) {
    if (!inputs.skipDestroy) await clients.lambda.deleteFunction({ FunctionName: id });
  },
});

const routing = (args: PlainArgs<AliasArgs>) =>
  args.routingConfig && { AdditionalVersionWeights: args.routingConfig.additionalVersionWeights };

const alias = resourceType<AliasArgs, Alias>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "functionName"],
  async create(args, { clients, region }) {
    const { AliasArn = "" } = await clients.lambda.createAlias({
      FunctionName: args.functionName,
      FunctionVersion: args.functionVersion,
      Name: args.name!,
      Description: args.description,
      RoutingConfig: routing(args),
    });
    return { id: AliasArn, outputs: { arn: AliasArn, invokeArn: invokeArn(AliasArn, region) } };
  },
  async update(_id, args, old, { clients }) {
    await clients.lambda.updateAlias({
      FunctionName: args.functionName,
      FunctionVersion: args.functionVersion,
      Name: args.name!,
      Description: args.description ?? "",
      RoutingConfig: routing(args) ?? { AdditionalVersionWeights: {} },
    });
    return old.outputs;
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.lambda.deleteAlias({ FunctionName: inputs.functionName, Name: inputs.name });
  },
});

export const types = { "aws:lambda/function:Function": lambdaFunction, "aws:lambda/alias:Alias": alias };
