import { type ActingService, type Authorizer, sessionOf } from "../access/authorizer";
import type { Denial } from "../access/denial";
import type { Identity } from "../access/identity";
import { parseArn } from "../arn";
import type { Bus, SessionCredentials } from "../bus";
import { AwsError } from "../errors";
import type { PortCaller } from "../service-caller";

const service = "apigateway.amazonaws.com";

/** The role of an integration that calls as whoever signed the request (developer guide, integration request setup). */
const asCaller = "arn:aws:iam::*:user/*";

/** What API Gateway's logs say of a function whose policy does not let it in (https://repost.aws/knowledge-center/api-gateway-rest-api-lambda-integrations). */
export const invalidPermissions = "Execution failed due to configuration error: Invalid permissions on Lambda function";

const roleNotAssumable = (roleArn: string) =>
  new AwsError(
    "AccessDenied",
    `Execution failed due to configuration error: API Gateway does not have permission to assume the provided role ${roleArn}`,
    403,
  );

/** For what an integration, an authorizer or a stage is called. */
export interface GatewayRole {
  /** Undefined where the gateway comes as itself. */
  readonly roleArn: string | undefined;
  /** Such as `arn:aws:execute-api:region:account:api/stage/METHOD/path`. */
  readonly sourceArn: string;
  /** Who signed the request, where that is known. */
  readonly signer?: Identity;
}

/** API Gateway as a role, for one of its resources. */
export const actingGateway = (roleArn: string, sourceArn: string): ActingService => ({
  roleArn,
  service,
  sessionName: "BackplaneAssumeRoleSession",
  sourceArn,
  sourceAccount: parseArn(sourceArn)?.account,
});

/** What a service is called with. Throws AccessDenied where the role does not trust API Gateway. */
export async function gatewayCredentials(bus: Bus, role: GatewayRole): Promise<SessionCredentials> {
  const { roleArn = "", sourceArn, signer } = role;
  const sts = await bus.to("sts");
  if (roleArn === asCaller && signer) return sts.credentialsFor(signer);
  try {
    return await sts.roleCredentials(actingGateway(roleArn, sourceArn));
  } catch (error) {
    throw error instanceof AwsError ? roleNotAssumable(roleArn) : error;
  }
}

/**
 * Who calls a function: the role, or else the gateway itself, whom the function's policy has to let in. Throws
 * AccessDenied where the role does not trust API Gateway.
 */
export function functionCaller(access: Authorizer, { roleArn, sourceArn, signer }: GatewayRole): PortCaller {
  if (!roleArn) return { principal: service, sourceArn, sourceAccount: parseArn(sourceArn)?.account ?? "" };
  if (roleArn === asCaller && signer) return signer;
  const acting = actingGateway(roleArn, sourceArn);
  if (access.checkTrust(acting)) throw roleNotAssumable(roleArn);
  return sessionOf(acting);
}

/** What API Gateway answers to whom IAM refuses something at an API: with most of the account hidden. */
export function deniedOnApi({ arn }: Identity, { action, resource, statement }: Denial): string {
  const masked = resource.replace(/:\d{8}(\d{4}):/, ":********$1:");
  const why = statement ? "" : " with an explicit deny";
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${masked}${why}`;
}
