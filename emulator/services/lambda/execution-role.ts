import type { FunctionConfiguration, VpcConfig } from "@aws-sdk/client-lambda";
import type { Access } from "../../core/access/access";
import { sessionOf } from "../../core/access/authorizer";
import type { Identity } from "../../core/access/identity";
import { formatArn, parseArn } from "../../core/arn";
import { AwsError } from "../../core/errors";
import type { Host } from "../../core/service";
import { actingFor } from "../../lambda/acting";
import { destinationForbidden, roleLacks, roleNotAssumable } from "./errors";
import type { FunctionRecord } from "./state";

type Named = Pick<FunctionRecord, "arn">;

/** Acts as a function's role. Throws where the role is not there or does not trust Lambda. */
export function assume({ bus }: Host, { arn }: Named, roleArn: string): Identity {
  const acting = actingFor(arn, roleArn);
  if (bus.access.checkTrust(acting)) throw roleNotAssumable();
  return sessionOf(acting);
}

/**
 * Refuses a role that Lambda cannot act as, or that lacks what the function's settings take: Lambda asks for it when they
 * are made (https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html).
 */
export async function checkExecutionRole(host: Host, fn: Named, config: FunctionConfiguration): Promise<void> {
  const session = assume(host, fn, config.Role!);
  const deadLetters = config.DeadLetterConfig?.TargetArn;
  const needed = [
    ...(deadLetters ? [await destinationAccess(host, deadLetters)] : []),
    ...(config.TracingConfig?.Mode === "Active" ? tracing : []),
    ...(config.VpcConfig?.SubnetIds?.length ? networking(fn.arn, config.VpcConfig) : []),
  ];
  for (const one of needed) if (host.bus.access.checkCaller(session, one)) throw roleLacks("provided", one.action);
}

/** Refuses a destination that a function's role may not send to, as Lambda does when it is set. */
export async function checkDestinationAccess(host: Host, fn: FunctionRecord, destination: string): Promise<void> {
  const needed = await destinationAccess(host, destination);
  const session = assume(host, fn, fn.latest.config.Role!);
  if (host.bus.access.checkCaller(session, needed)) throw destinationForbidden(needed.action, destination);
}

const tracing: readonly Access[] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"].map((action) => ({
  action,
  resource: "*",
}));

/** The network interfaces of a VPC (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions). */
function networking(functionArn: string, { SubnetIds = [], SecurityGroupIds = [] }: VpcConfig): Access[] {
  const { region, account } = parseArn(functionArn)!;
  const arn = (resource: string) => formatArn("ec2", region, account, resource);
  const parts = [...SubnetIds.map((id) => `subnet/${id}`), ...SecurityGroupIds.map((id) => `security-group/${id}`)];
  return [
    ...["network-interface/*", ...parts].map((part) => ({ action: "ec2:CreateNetworkInterface", resource: arn(part) })),
    { action: "ec2:DescribeNetworkInterfaces", resource: "*" },
    { action: "ec2:DeleteNetworkInterface", resource: arn("network-interface/*") },
  ];
}

const sending: Record<string, string> = {
  sqs: "sqs:SendMessage",
  sns: "sns:Publish",
  lambda: "lambda:InvokeFunction",
  s3: "s3:PutObject",
};

/** What sending to a queue, a topic, a function or a bucket takes. */
export async function destinationAccess({ bus }: Host, arn: string): Promise<Access> {
  const service = arn.split(":")[2] ?? "";
  const needed = { action: sending[service] ?? `${service}:*`, resource: service === "s3" ? `${arn}/*` : arn };
  try {
    if (service === "sqs") return { ...needed, policy: (await (await bus.to("sqs")).attributes(arn)).Policy };
    if (service === "sns") return { ...needed, policy: (await (await bus.to("sns")).attributes(arn)).Policy };
    if (service === "lambda") return { ...needed, policy: await (await bus.to("lambda")).policy(arn) };
  } catch (error) {
    // One that is not there yet has no policy either.
    if (!(error instanceof AwsError)) throw error;
  }
  return needed;
}
