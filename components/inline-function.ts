import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { closureCode } from "./closure";
import { type FunctionNetwork, networkInterfaces } from "./network";
import { allow, type PolicyStatement, trust } from "./policy";

/** Settings of an {@link InlineFunction} that a component passes on from its own arguments. */
export interface FunctionSettings {
  /** Memory in MB; the CPU grows with it. @default 512 */
  memorySize?: pulumi.Input<number>;
  /** Seconds that one run may take. @default 29 */
  timeout?: pulumi.Input<number>;
  /** Traces in AWS X-Ray. @default true */
  tracing?: boolean;
  /** Days that logs are kept. @default 14 */
  logRetentionDays?: pulumi.Input<number>;
}

export interface InlineFunctionArgs extends FunctionSettings {
  /**
   * Runs once per container, in Lambda, and returns the handler. It and all that it captures are serialized: it may
   * close over plain data and functions only, and makes AWS clients inside.
   */
  factory: () => (event: never, context: never) => Promise<unknown>;
  /** How errors call the function, such as `ThingseeIngest "ingest": onMessage`. */
  title: string;
  /**
   * Environment variables. Give names and ARNs of resources here, and not by capturing outputs, so that the code and
   * its hash are the same in every stack.
   */
  environment?: Record<string, pulumi.Input<string>>;
  /** What the handler may do, beside writing its own log. @default nothing */
  statements?: readonly PolicyStatement[];
  /** The queue that gets the events of asynchronous invocations that failed for good. @default none */
  deadLetterQueue?: { arn: pulumi.Input<string> };
  /** The VPC to run in, such as a `Network`. @default none: outside of any VPC, with the way to the internet */
  vpc?: FunctionNetwork;
}

/**
 * A Lambda function from a TypeScript callback: one small file with everything in it, on `nodejs24.x` and arm64, with a
 * role of its own that may do what its handler does and nothing else, and a log group that exists before the function
 * does and forgets.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/lambda/function/
 */
export class InlineFunction extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly role: aws.iam.Role;
  readonly logGroup: aws.cloudwatch.LogGroup;

  constructor(name: string, args: InlineFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sensorcast:index:InlineFunction", name, {}, opts);
    const { tracing = true, environment = {}, statements = [], deadLetterQueue, vpc } = args;
    const child = { parent: this };

    this.logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionDays ?? 14 },
      child,
    );
    this.role = new aws.iam.Role(`${name}-role`, { assumeRolePolicy: trust("lambda.amazonaws.com") }, child);
    const own: PolicyStatement[] = [
      {
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [pulumi.interpolate`${this.logGroup.arn}:*`],
      },
    ];
    // X-Ray's write actions know no resources (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html).
    if (tracing) own.push({ actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] });
    if (deadLetterQueue) own.push({ actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn] });
    if (vpc) own.push(networkInterfaces);
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { role: this.role.name, policy: allow([...own, ...statements]) },
      child,
    );
    this.function = new aws.lambda.Function(
      `${name}-function`,
      {
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        role: this.role.arn,
        code: archiveOf(args),
        memorySize: args.memorySize ?? 512,
        timeout: args.timeout ?? 29,
        environment: { variables: environment },
        loggingConfig: { logFormat: "Text", logGroup: this.logGroup.name },
        tracingConfig: { mode: tracing ? "Active" : "PassThrough" },
        ...(deadLetterQueue && { deadLetterConfig: { targetArn: deadLetterQueue.arn } }),
        ...(vpc && { vpcConfig: { subnetIds: vpc.privateSubnetIds, securityGroupIds: vpc.securityGroupIds } }),
      },
      // A function that runs before its policy is there fails for want of permissions.
      { ...child, dependsOn: [policy] },
    );
    this.registerOutputs({ function: this.function, role: this.role, logGroup: this.logGroup });
  }
}

function archiveOf({ factory, title }: InlineFunctionArgs): pulumi.Output<pulumi.asset.Archive> {
  return pulumi.output(closureCode(factory, title)).apply(({ text, containsSecrets }) => {
    const archive = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(text) });
    return containsSecrets ? pulumi.secret(archive) : pulumi.output(archive);
  });
}
