import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trust } from "./policy";

/** One per program and provider: components share it. */
const accounts = new WeakMap<object, Map<pulumi.ProviderResource | undefined, aws.apigateway.Account>>();

/**
 * Lets API Gateway write to CloudWatch Logs, without which a stage with access logs cannot be made. It is a setting of
 * the account in its region, not of an API: two stacks that both manage it undo each other's.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
 */
export function apiGatewayAccount(provider?: pulumi.ProviderResource): aws.apigateway.Account {
  const program = pulumi.runtime.getStackResource() ?? accounts;
  const made = accounts.get(program) ?? new Map();
  accounts.set(program, made);
  const existing = made.get(provider);
  if (existing) return existing;
  // Children of the stack: they outlive the component that happens to ask first.
  const opts = { provider };
  const role = new aws.iam.Role(
    "sensorcast-api-logs-role",
    { assumeRolePolicy: trust("apigateway.amazonaws.com") },
    opts,
  );
  const policy = new aws.iam.RolePolicyAttachment(
    "sensorcast-api-logs-policy",
    {
      role: role.name,
      policyArn: "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    },
    opts,
  );
  const account = new aws.apigateway.Account(
    "sensorcast-api-account",
    { cloudwatchRoleArn: role.arn },
    { ...opts, dependsOn: [policy] },
  );
  made.set(provider, account);
  return account;
}
