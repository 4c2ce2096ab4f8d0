import { type AwsManagedDocument, actionsOf, allow, linkedRoleOf } from "./aws-managed-parts";

const linkedRole = (path: string) => `arn:aws:iam::*:role/aws-service-role/${path}`;

/** What Pulumi attaches to the role of an event handler that was given none, besides what other programs use, too. */
export const defaultRoleDocuments: Readonly<Record<string, AwsManagedDocument>> = {
  "/CloudWatchFullAccessV2": {
    version: 17,
    date: "2026-09-22T16:57:08Z",
    statement: [
      allow(
        actionsOf(`application-autoscaling: DescribeScalingPolicies
application-signals: *
autoscaling: DescribeAutoScalingGroups DescribePolicies
cloudwatch: *
logs: *
sns: CreateTopic ListSubscriptions ListSubscriptionsByTopic ListTopics Subscribe
iam: GetPolicy GetPolicyVersion GetRole
oam: ListSinks
observabilityadmin: GetCentralizationRuleForOrganization ListCentralizationRulesForOrganization
  CreateCentralizationRuleForOrganization UpdateCentralizationRuleForOrganization
  DeleteCentralizationRuleForOrganization StartTelemetryEvaluation GetTelemetryEvaluationStatus
  ListResourceTelemetry StopTelemetryEvaluation StartTelemetryEvaluationForOrganization
  GetTelemetryEvaluationStatusForOrganization ListResourceTelemetryForOrganization
  StopTelemetryEvaluationForOrganization CreateTelemetryRule GetTelemetryRule ListTelemetryRules
  UpdateTelemetryRule DeleteTelemetryRule CreateTelemetryRuleForOrganization
  GetTelemetryRuleForOrganization ListTelemetryRulesForOrganization UpdateTelemetryRuleForOrganization
  DeleteTelemetryRuleForOrganization GetTelemetryEnrichmentStatus StartTelemetryEnrichment
  StopTelemetryEnrichment TagResource UntagResource ListTagsForResource CreateTelemetryPipeline
  GetTelemetryPipeline UpdateTelemetryPipeline DeleteTelemetryPipeline ListTelemetryPipelines
  TestTelemetryPipeline ValidateTelemetryPipelineConfiguration CreateS3TableIntegration
  GetS3TableIntegration ListS3TableIntegrations DeleteS3TableIntegration CreateDatasetIntegration
  GetDatasetIntegration ListDatasetIntegrations UpdateDatasetIntegration DeleteDatasetIntegration
rum: *
synthetics: *
xray: *`),
        "*",
        { Sid: "CloudWatchFullAccessPermissions" },
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/application-signals.cloudwatch.amazonaws.com/AWSServiceRoleForCloudWatchApplicationSignals",
        {
          Sid: "CloudWatchApplicationSignalsServiceLinkedRolePermissions",
          Condition: { StringLike: { "iam:AWSServiceName": "application-signals.cloudwatch.amazonaws.com" } },
        },
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents*",
        {
          Sid: "EventsServicePermissions",
          Condition: { StringLike: { "iam:AWSServiceName": "events.amazonaws.com" } },
        },
      ),
      allow(actionsOf(`oam: ListAttachedLinks`), "arn:aws:oam:*:*:sink/*", { Sid: "OAMReadPermissions" }),
      allow(
        actionsOf(`cloudtrail: CreateServiceLinkedChannel GetChannel`),
        "arn:aws:cloudtrail:*:*:channel/aws-service-channel/application-signals/*",
        { Sid: "CloudWatchCloudTrailPermissions" },
      ),
      allow(actionsOf(`cloudtrail: ListChannels`), "*", {
        Sid: "CloudWatchApplicationSignalsCloudTrailListPermissions",
      }),
      allow(
        actionsOf(`servicequotas: GetServiceQuota`),
        [
          "arn:aws:servicequotas:*:*:s3/*",
          "arn:aws:servicequotas:*:*:dynamodb/*",
          "arn:aws:servicequotas:*:*:kinesis/*",
          "arn:aws:servicequotas:*:*:sns/*",
          "arn:aws:servicequotas:*:*:bedrock/*",
          "arn:aws:servicequotas:*:*:lambda/*",
          "arn:aws:servicequotas:*:*:fargate/*",
          "arn:aws:servicequotas:*:*:elasticloadbalancing/*",
          "arn:aws:servicequotas:*:*:ec2/*",
        ],
        { Sid: "CloudWatchServiceQuotaPermissions" },
      ),
      allow(
        actionsOf(`resource-explorer-2: ListIndexes Search`),
        [
          "arn:aws:resource-explorer-2:*::view/AWSServiceViewForApplicationSignals/service-view",
          "arn:aws:resource-explorer-2:*::view/AWSServiceViewForApplicationSignalsOrgScopeProd/service-view",
        ],
        { Sid: "CloudWatchResourceExplorerPermissions" },
      ),
      allow(
        actionsOf(`iam: CreateServiceLinkedRole`),
        "arn:aws:iam::*:role/aws-service-role/resource-explorer-2.amazonaws.com/AWSServiceRoleForResourceExplorer",
        {
          Sid: "CloudWatchResourceExplorerSLRPermissions",
          Condition: { StringEquals: { "iam:AWSServiceName": ["resource-explorer-2.amazonaws.com"] } },
        },
      ),
      allow(actionsOf(`resource-explorer-2: CreateIndex`), "arn:aws:resource-explorer-2:*:*:index/*", {
        Sid: "CloudWatchResourceExplorerCreateIndexPermissions",
      }),
      allow("iam:PassRole", "*", {
        Condition: {
          ArnLike: { "iam:AssociatedResourceArn": "arn:aws:observabilityadmin:*:*:s3tableintegration/*" },
          StringEquals: { "iam:PassedToService": "logs.amazonaws.com" },
        },
      }),
      allow("iam:PassRole", "*", {
        Condition: {
          ArnLike: { "iam:AssociatedResourceArn": "arn:aws:observabilityadmin:*:*:telemetry-pipeline/*" },
          StringEquals: {
            "iam:PassedToService": ["logs.amazonaws.com", "telemetry-pipelines.observabilityadmin.amazonaws.com"],
          },
        },
      }),
      allow(
        actionsOf(`s3tables: CreateTableBucket PutTableBucketEncryption`),
        "arn:aws:s3tables:*:*:bucket/aws-cloudwatch",
        { Condition: { "ForAnyValue:StringEquals": { "aws:CalledVia": "observabilityadmin.amazonaws.com" } } },
      ),
      allow(actionsOf(`s3tables: PutTableBucketPolicy`), "arn:aws:s3tables:*:*:bucket/aws-cloudwatch"),
      allow("iam:PassRole", "*", {
        Sid: "LogAlarmScheduledQueryPassRolePermissions",
        Condition: {
          ArnLike: { "iam:AssociatedResourceArn": "arn:aws:logs:*:*:scheduled-query:*" },
          StringEquals: { "iam:PassedToService": "logs.amazonaws.com" },
        },
      }),
      allow("iam:PassRole", "*", {
        Sid: "LogAlarmLogLinesPassRolePermissions",
        Condition: {
          ArnLike: { "iam:AssociatedResourceArn": "arn:aws:cloudwatch:*:*:alarm:*" },
          StringEquals: { "iam:PassedToService": "cloudwatch.amazonaws.com" },
        },
      }),
    ],
  },
  "/CloudWatchEventsFullAccess": {
    version: 5,
    date: "2026-02-12T18:00:32Z",
    statement: [
      allow(
        actionsOf(`events: *
schemas: *
scheduler: *
pipes: *`),
        "*",
        { Sid: "EventBridgeActions" },
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations",
        {
          Sid: "IAMCreateServiceLinkedRoleForApiDestinations",
          Condition: { StringEquals: { "iam:AWSServiceName": "apidestinations.events.amazonaws.com" } },
        },
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/schemas.amazonaws.com/AWSServiceRoleForSchemas",
        {
          Sid: "IAMCreateServiceLinkedRoleForAmazonEventBridgeSchemas",
          Condition: { StringEquals: { "iam:AWSServiceName": "schemas.amazonaws.com" } },
        },
      ),
      allow(
        actionsOf(`secretsmanager: CreateSecret UpdateSecret DeleteSecret GetSecretValue PutSecretValue`),
        "arn:aws:secretsmanager:*:*:secret:events!*",
        { Sid: "SecretsManagerAccessForApiDestinations" },
      ),
      allow("iam:PassRole", "arn:aws:iam::*:role/AWS_Events_Invoke_Targets", { Sid: "IAMPassRoleForCloudWatchEvents" }),
      allow("iam:PassRole", "arn:aws:iam::*:role/*", {
        Sid: "IAMPassRoleAccessForScheduler",
        Condition: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
      }),
      allow("iam:PassRole", "arn:aws:iam::*:role/*", {
        Sid: "IAMPassRoleAccessForPipes",
        Condition: { StringEquals: { "iam:PassedToService": "pipes.amazonaws.com" } },
      }),
    ],
  },
  "/AmazonCognitoPowerUser": {
    version: 9,
    date: "2026-02-12T18:00:09Z",
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
