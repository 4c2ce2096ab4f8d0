import { type AwsManagedDocument, allow, linkedRoleOf, passTo } from "./aws-managed-parts";

const channel = "arn:aws:cloudtrail:*:*:channel/aws-service-channel/application-signals/*";
const quotas = ["s3", "dynamodb", "kinesis", "sns", "bedrock", "lambda", "fargate", "elasticloadbalancing", "ec2"];
const linkedRole = (path: string) => `arn:aws:iam::*:role/aws-service-role/${path}`;
const roles = "arn:aws:iam::*:role/*";

/** What Pulumi attaches to the role of an event handler that was given none, besides what other programs use, too. */
export const defaultRoleDocuments: Readonly<Record<string, AwsManagedDocument>> = {
  "/CloudWatchFullAccessV2": {
    version: 4,
    date: "2025-10-08T17:34:07Z",
    statement: [
      allow(
        [
          "application-autoscaling:DescribeScalingPolicies",
          "application-signals:*",
          ...["DescribeAutoScalingGroups", "DescribePolicies"].map((name) => `autoscaling:${name}`),
          "cloudwatch:*",
          "logs:*",
          ...["CreateTopic", "ListSubscriptions", "ListSubscriptionsByTopic", "ListTopics", "Subscribe"].map(
            (name) => `sns:${name}`,
          ),
          ...["GetPolicy", "GetPolicyVersion", "GetRole"].map((name) => `iam:${name}`),
          "oam:ListSinks",
          "rum:*",
          "synthetics:*",
          "xray:*",
        ],
        "*",
        { Sid: "CloudWatchFullAccessPermissions" },
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        linkedRole("application-signals.cloudwatch.amazonaws.com/AWSServiceRoleForCloudWatchApplicationSignals"),
        {
          Sid: "CloudWatchApplicationSignalsServiceLinkedRolePermissions",
          ...linkedRoleOf("application-signals.cloudwatch.amazonaws.com", "StringLike"),
        },
      ),
      allow("iam:CreateServiceLinkedRole", linkedRole("events.amazonaws.com/AWSServiceRoleForCloudWatchEvents*"), {
        Sid: "EventsServicePermissions",
        ...linkedRoleOf("events.amazonaws.com", "StringLike"),
      }),
      allow(["oam:ListAttachedLinks"], "arn:aws:oam:*:*:sink/*", { Sid: "OAMReadPermissions" }),
      allow(["cloudtrail:CreateServiceLinkedChannel", "cloudtrail:GetChannel"], channel, {
        Sid: "CloudWatchCloudTrailPermissions",
      }),
      allow(["cloudtrail:ListChannels"], "*", { Sid: "CloudWatchApplicationSignalsCloudTrailListPermissions" }),
      allow(
        ["servicequotas:GetServiceQuota"],
        quotas.map((service) => `arn:aws:servicequotas:*:*:${service}/*`),
        { Sid: "CloudWatchServiceQuotaPermissions" },
      ),
    ],
  },
  "/CloudWatchEventsFullAccess": {
    version: 2,
    date: "2022-12-01T17:05:05Z",
    statement: [
      allow(["events:*", "schemas:*", "scheduler:*", "pipes:*"], "*", { Sid: "EventBridgeActions" }),
      allow("iam:CreateServiceLinkedRole", linkedRole("AmazonEventBridgeApiDestinationsServiceRolePolicy"), {
        Sid: "IAMCreateServiceLinkedRoleForApiDestinations",
        ...linkedRoleOf("apidestinations.events.amazonaws.com"),
      }),
      allow("iam:CreateServiceLinkedRole", linkedRole("schemas.amazonaws.com/AWSServiceRoleForSchemas"), {
        Sid: "IAMCreateServiceLinkedRoleForAmazonEventBridgeSchemas",
        ...linkedRoleOf("schemas.amazonaws.com"),
      }),
      allow(
        ["CreateSecret", "UpdateSecret", "DeleteSecret", "GetSecretValue", "PutSecretValue"].map(
          (name) => `secretsmanager:${name}`,
        ),
        "arn:aws:secretsmanager:*:*:secret:events!*",
        { Sid: "SecretsManagerAccessForApiDestinations" },
      ),
      allow("iam:PassRole", "arn:aws:iam::*:role/AWS_Events_Invoke_Targets", { Sid: "IAMPassRoleForCloudWatchEvents" }),
      allow("iam:PassRole", roles, { Sid: "IAMPassRoleAccessForScheduler", ...passTo("scheduler.amazonaws.com") }),
      allow("iam:PassRole", roles, { Sid: "IAMPassRoleAccessForPipes", ...passTo("pipes.amazonaws.com") }),
    ],
  },
  "/AmazonCognitoPowerUser": {
    version: 8,
    date: "2026-02-11T22:19:03Z",
    statement: [
      allow([
        ...["cognito-identity:*", "cognito-idp:*", "cognito-sync:*"],
        ...["ListRoles", "ListOpenIdConnectProviders", "GetRole", "ListSAMLProviders", "GetSAMLProvider"].map(
          (name) => `iam:${name}`,
        ),
        "kinesis:ListStreams",
        ...["lambda:GetPolicy", "lambda:ListFunctions"],
        ...["sns:GetSMSSandboxAccountStatus", "sns:ListPlatformApplications"],
        ...["ses:ListIdentities", "ses:GetIdentityVerificationAttributes"],
        "mobiletargeting:GetApps",
        "acm:ListCertificates",
        "sms-voice:DescribeAccountAttributes",
      ]),
      allow(
        "iam:CreateServiceLinkedRole",
        "*",
        linkedRoleOf(["cognito-idp.amazonaws.com", "email.cognito-idp.amazonaws.com"]),
      ),
      allow(
        ["iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus"],
        [
          linkedRole("cognito-idp.amazonaws.com/AWSServiceRoleForAmazonCognitoIdp*"),
          linkedRole("email.cognito-idp.amazonaws.com/AWSServiceRoleForAmazonCognitoIdpEmail*"),
        ],
      ),
    ],
  },
};
