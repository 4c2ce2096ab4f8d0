import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  LoggingConfig,
  UpdateFunctionConfigurationCommandInput,
} from "@aws-sdk/client-lambda";
import { notEmulated } from "../../core/errors";
import { endsOf, limits } from "../../core/limits";
import { invalidParameter } from "./errors";
import { check } from "./names";

type Settings = Omit<UpdateFunctionConfigurationCommandInput, "FunctionName" | "RevisionId">;

/** Node.js runtimes that may be created; all run on the Node that runs the emulator. */
const nodeRuntimes = ["nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"];

/** Runtimes that AWS has and the emulator does not run. */
const otherRuntimes =
  /^(dotnet(6|8|10)|java(8\.al2|8\.al2023|11|11\.al2023|17|17\.al2023|21|25)|provided\.al20?2?3?|python3\.(9|1[0-5])|ruby(3\.[2-4]|4\.0)|nodejs26\.x)$/;

/** Runtimes that AWS no longer takes. */
const retiredRuntimes =
  /^(nodejs|nodejs(4\.3|4\.3-edge|6\.10|8\.10|10\.x|12\.x|14\.x|16\.x)|python(2\.7|3\.[678])|dotnetcore.*|go1\.x|java8|provided|ruby2\.[57])$/;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const reservedVariables = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_LAMBDA_RUNTIME_API",
  "LAMBDA_TASK_ROOT",
  "LAMBDA_RUNTIME_DIR",
]);

const roleArn = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;

/** Checks the settings that creating and updating have in common. Nothing is changed. */
export function checkSettings(
  operation: string,
  input: Settings & { Architectures?: string[]; PackageType?: string },
): void {
  check({
    role: [input.Role, { pattern: roleArn }],
    handler: [input.Handler, { length: [0, 128], pattern: /^[^\s]*$/ }],
    description: [input.Description, { length: [0, 256] }],
    timeout: [input.Timeout, { range: endsOf(limits.lambda.timeout) }],
    memorySize: [input.MemorySize, { range: endsOf(limits.lambda.memory) }],
    packageType: [input.PackageType, { oneOf: ["Zip", "Image"] }],
    architectures: [input.Architectures, { length: [1, 1] }],
    "architectures.1.member": [input.Architectures?.[0], { oneOf: ["x86_64", "arm64"] }],
    "ephemeralStorage.size": [input.EphemeralStorage?.Size, { range: endsOf(limits.lambda.ephemeralStorage) }],
    "tracingConfig.mode": [input.TracingConfig?.Mode, { oneOf: ["Active", "PassThrough"] }],
    "deadLetterConfig.targetArn": [
      input.DeadLetterConfig?.TargetArn,
      { pattern: /^$|^arn:(aws[a-zA-Z0-9-]*):(sqs|sns):[a-z0-9-]*:\d{12}:.+$/ },
    ],
    "loggingConfig.logFormat": [input.LoggingConfig?.LogFormat, { oneOf: ["Text", "JSON"] }],
    "loggingConfig.applicationLogLevel": [
      input.LoggingConfig?.ApplicationLogLevel,
      { oneOf: ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] },
    ],
    "loggingConfig.systemLogLevel": [input.LoggingConfig?.SystemLogLevel, { oneOf: ["DEBUG", "INFO", "WARN"] }],
    "loggingConfig.logGroup": [input.LoggingConfig?.LogGroup, { length: [1, 512], pattern: /^[.\-_/#A-Za-z0-9]+$/ }],
    "vpcConfig.subnetIds": [input.VpcConfig?.SubnetIds, { length: [0, 16] }],
    "vpcConfig.securityGroupIds": [input.VpcConfig?.SecurityGroupIds, { length: [0, 5] }],
    "snapStart.applyOn": [input.SnapStart?.ApplyOn, { oneOf: ["PublishedVersions", "None"] }],
  });
  const refuse = (what: string) => notEmulated("lambda", operation, what);
  if (input.PackageType === "Image" || input.ImageConfig?.Command?.length) throw refuse("container images");
  if (input.Layers?.length) throw refuse("Layers");
  if (input.FileSystemConfigs?.length) throw refuse("FileSystemConfigs");
  if (input.DurableConfig) throw refuse("DurableConfig");
  if (input.CapacityProviderConfig) throw refuse("CapacityProviderConfig");
  if (input.DeadLetterConfig?.TargetArn?.split(":")[2] === "sns") throw refuse("an SNS topic as DeadLetterConfig");
  if (input.Runtime !== undefined) checkRuntime(operation, input.Runtime);
  if (input.SnapStart?.ApplyOn === "PublishedVersions") {
    throw invalidParameter(`${input.Runtime ?? "nodejs"} is not supported for SnapStart enabled functions.`);
  }
  const { SubnetIds = [], SecurityGroupIds = [] } = input.VpcConfig ?? {};
  if (SubnetIds.length > 0 !== SecurityGroupIds.length > 0) {
    throw invalidParameter("SubnetIds and SecurityIds must coexist or be both empty list.");
  }
  checkVariables(input.Environment?.Variables);
}

function checkRuntime(operation: string, runtime: string): void {
  if (nodeRuntimes.includes(runtime)) return;
  if (otherRuntimes.test(runtime))
    throw notEmulated("lambda", operation, `the runtime ${runtime}; only Node.js runs here`);
  if (retiredRuntimes.test(runtime)) {
    throw invalidParameter(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    );
  }
  throw invalidParameter(
    `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${nodeRuntimes.join(", ")}] or be a valid ARN`,
  );
}

function checkVariables(variables: Record<string, string> | undefined): void {
  if (!variables) return;
  const why =
    "Lambda was unable to configure your environment variables because the environment variables you have provided";
  const names = Object.keys(variables);
  const bad = names.find((name) => !/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name) && !reservedVariables.has(name));
  if (bad !== undefined) {
    check({ "environment.variables": [bad, { pattern: /^[a-zA-Z]([a-zA-Z0-9_])+$/ }] });
  }
  const reserved = names.filter((name) => reservedVariables.has(name));
  if (reserved.length) {
    throw invalidParameter(
      `${why} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  const text = JSON.stringify(variables);
  // The limit is on names and values together.
  const size = names.reduce((sum, name) => sum + Buffer.byteLength(name) + Buffer.byteLength(variables[name]!), 0);
  if (size > limits.lambda.variables.value)
    throw invalidParameter(`${why} exceeded the 4KB limit. String measured: ${text}`);
}

/** The settings of a new function with all defaults, as the API shows them. */
export function initialConfiguration(input: CreateFunctionCommandInput, name: string): FunctionConfiguration {
  return {
    ...applied({}, input, name),
    PackageType: "Zip",
    Architectures: input.Architectures ?? ["x86_64"],
  };
}

/** A function's settings after an update; members that the request leaves out stay. */
export function applied(before: FunctionConfiguration, input: Settings, name: string): FunctionConfiguration {
  const vpc = input.VpcConfig;
  const deadLetter = input.DeadLetterConfig;
  return {
    ...before,
    Runtime: input.Runtime ?? before.Runtime,
    Role: input.Role ?? before.Role,
    Handler: input.Handler ?? before.Handler,
    Description: input.Description ?? before.Description ?? "",
    Timeout: input.Timeout ?? before.Timeout ?? 3,
    MemorySize: input.MemorySize ?? before.MemorySize ?? 128,
    EphemeralStorage: input.EphemeralStorage ?? before.EphemeralStorage ?? { Size: 512 },
    TracingConfig: { Mode: input.TracingConfig?.Mode ?? before.TracingConfig?.Mode ?? "PassThrough" },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    KMSKeyArn: input.KMSKeyArn === "" ? undefined : (input.KMSKeyArn ?? before.KMSKeyArn),
    Environment: input.Environment
      ? Object.keys(input.Environment.Variables ?? {}).length
        ? { Variables: { ...input.Environment.Variables } }
        : undefined
      : before.Environment,
    DeadLetterConfig: deadLetter
      ? deadLetter.TargetArn
        ? { TargetArn: deadLetter.TargetArn }
        : undefined
      : before.DeadLetterConfig,
    // Recorded, not emulated: kept for tools that read it back; the function's network is the host's.
    VpcConfig: vpc
      ? {
          SubnetIds: vpc.SubnetIds ?? [],
          SecurityGroupIds: vpc.SecurityGroupIds ?? [],
          Ipv6AllowedForDualStack: vpc.Ipv6AllowedForDualStack ?? false,
          VpcId: vpc.SubnetIds?.length ? "vpc-00000000" : "",
        }
      : before.VpcConfig,
    LoggingConfig: logging(before.LoggingConfig, input.LoggingConfig, name),
  };
}

function logging(before: LoggingConfig | undefined, change: LoggingConfig | undefined, name: string): LoggingConfig {
  const LogFormat = change?.LogFormat ?? before?.LogFormat ?? "Text";
  const LogGroup = change?.LogGroup ?? before?.LogGroup ?? `/aws/lambda/${name}`;
  if (LogFormat === "JSON") {
    return {
      LogFormat,
      LogGroup,
      ApplicationLogLevel: change?.ApplicationLogLevel ?? before?.ApplicationLogLevel ?? "INFO",
      SystemLogLevel: change?.SystemLogLevel ?? before?.SystemLogLevel ?? "INFO",
    };
  }
  if (change?.ApplicationLogLevel || change?.SystemLogLevel) {
    throw invalidParameter("Log level configuration is only supported when LogFormat is JSON.");
  }
  return { LogFormat, LogGroup };
}
