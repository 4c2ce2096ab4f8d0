import { defaultRoleDocuments } from "./aws-managed-default-role";
import { type AwsManagedDocument, actionsOf, allow, linkedRoleOf, passTo } from "./aws-managed-parts";
import { firstHalf } from "./aws-managed-read-only-1";
import { secondHalf } from "./aws-managed-read-only-2";
import { serviceDocuments } from "./aws-managed-services";

const writeLogs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
const writeTraces = [
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
  "xray:GetSamplingRules",
  "xray:GetSamplingTargets",
  "xray:GetSamplingStatisticSummaries",
];
/**
 * Policies of AWS by path and name: those that Lambda, API Gateway, IoT and usual tools attach. Only documents whose
 * statements a published copy confirms (the MAMIP archive of AWS managed policies); any other ARN is NoSuchEntity.
 */
export const awsManagedDocuments: Readonly<Record<string, AwsManagedDocument>> = {
  "/AdministratorAccess": { version: 1, date: "2015-02-06T18:39:46Z", statement: [allow("*")] },
  "/PowerUserAccess": {
    version: 12,
    date: "2026-02-12T17:59:14Z",
    statement: [
      { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
      allow([
        "account:GetAccountInformation",
        "account:GetGovCloudAccountInformation",
        "account:GetPrimaryEmail",
        "account:ListRegions",
        "iam:CreateServiceLinkedRole",
        "iam:DeleteServiceLinkedRole",
        "iam:ListRoles",
        "organizations:DescribeEffectivePolicy",
        "organizations:DescribeOrganization",
      ]),
    ],
  },

  "/ReadOnlyAccess": {
    version: 190,
    date: "2026-09-24T17:37:08Z",
    statement: [
      allow(firstHalf, "*", { Sid: "ReadOnlyActionsGroup1" }),
      allow(secondHalf, "*", { Sid: "ReadOnlyActionsGroup2" }),
      allow(["s3express:CreateSession"], "*", {
        Sid: "S3ExpressReadOnlySessionObjectAccess",
        Condition: { StringEquals: { "s3express:SessionMode": "ReadOnly" } },
      }),
    ],
  },

  "/service-role/AWSLambdaBasicExecutionRole": {
    version: 1,
    date: "2015-04-09T15:03:43Z",
    statement: [allow(writeLogs)],
  },
  "/service-role/AWSLambdaVPCAccessExecutionRole": {
    version: 3,
    date: "2024-01-05T22:38:26Z",
    statement: [
      allow(
        [
          ...writeLogs,
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ],
        "*",
        { Sid: "AWSLambdaVPCAccessExecutionPermissions" },
      ),
    ],
  },
  "/service-role/AWSLambdaSQSQueueExecutionRole": {
    version: 1,
    date: "2018-06-14T21:50:45Z",
    statement: [allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...writeLogs])],
  },
  "/service-role/AWSLambdaKinesisExecutionRole": {
    version: 2,
    date: "2018-11-19T20:09:24Z",
    statement: [
      allow([
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        ...writeLogs,
      ]),
    ],
  },
  "/service-role/AWSLambdaDynamoDBExecutionRole": {
    version: 1,
    date: "2015-04-09T15:09:29Z",
    statement: [
      allow([
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        ...writeLogs,
      ]),
    ],
  },
  "/AWSLambda_FullAccess": {
    version: 7,
    date: "2026-02-12T18:00:51Z",
    statement: [
      allow([
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricData",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "kms:DescribeKey",
        "kms:ListAliases",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:ListRoles",
        "lambda:*",
        "logs:DescribeLogGroups",
        "states:DescribeStateMachine",
        "states:ListStateMachines",
        "tag:GetResources",
        "xray:GetTraceSummaries",
        "xray:BatchGetTraces",
      ]),
      allow("iam:PassRole", "*", passTo("lambda.amazonaws.com")),
      allow(
        [
          "logs:DescribeLogStreams",
          "logs:GetLogEvents",
          "logs:FilterLogEvents",
          "logs:StartLiveTail",
          "logs:StopLiveTail",
        ],
        "arn:aws:logs:*:*:log-group:/aws/lambda/*",
      ),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda",
        linkedRoleOf("lambda.amazonaws.com"),
      ),
    ],
  },

  "/service-role/AmazonAPIGatewayPushToCloudWatchLogs": {
    version: 1,
    date: "2015-11-11T23:41:46Z",
    statement: [
      allow([
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
      ]),
    ],
  },
  "/AmazonAPIGatewayInvokeFullAccess": {
    version: 2,
    date: "2018-12-18T18:25:10Z",
    statement: [allow(["execute-api:Invoke", "execute-api:ManageConnections"], "arn:aws:execute-api:*:*:*")],
  },

  "/AWSXRayDaemonWriteAccess": {
    version: 2,
    date: "2024-02-13T21:58:30Z",
    statement: [allow(writeTraces, ["*"], { Sid: "AWSXRayDaemonWriteAccess" })],
  },
  "/AWSXrayWriteOnlyAccess": { version: 2, date: "2018-08-28T23:03:04Z", statement: [allow(writeTraces, ["*"])] },
  "/CloudWatchLogsFullAccess": {
    version: 8,
    date: "2026-02-12T18:00:33Z",
    statement: [
      allow(
        actionsOf(`logs: *
cloudwatch: GenerateQuery GenerateQueryResultsSummary
observabilityadmin: GetS3TableIntegration ListS3TableIntegrations ListTelemetryPipelines`),
        "*",
        { Sid: "CloudWatchLogsFullAccess" },
      ),
    ],
  },
  "/CloudWatchFullAccess": {
    version: 4,
    date: "2022-11-27T13:23:49Z",
    statement: [
      allow([
        "autoscaling:Describe*",
        "cloudwatch:*",
        "logs:*",
        "sns:*",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "oam:ListSinks",
      ]),
      allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents*",
        linkedRoleOf("events.amazonaws.com", "StringLike"),
      ),
      allow(["oam:ListAttachedLinks"], "arn:aws:oam:*:*:sink/*"),
    ],
  },

  "/AmazonS3FullAccess": {
    version: 2,
    date: "2021-09-27T20:16:37Z",
    statement: [allow(["s3:*", "s3-object-lambda:*"])],
  },
  "/AmazonS3ReadOnlyAccess": {
    version: 3,
    date: "2023-08-10T21:31:39Z",
    statement: [allow(["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"])],
  },
  "/AmazonSQSFullAccess": { version: 1, date: "2015-02-06T18:41:07Z", statement: [allow(["sqs:*"])] },
  "/AmazonKinesisFullAccess": { version: 1, date: "2015-02-06T18:40:29Z", statement: [allow("kinesis:*")] },
  "/AmazonDynamoDBFullAccess": {
    version: 15,
    date: "2021-01-29T17:38:30Z",
    statement: [
      allow([
        "dynamodb:*",
        "dax:*",
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingActivities",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:RegisterScalableTarget",
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:DescribeAlarmsForMetric",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:GetMetricData",
        "datapipeline:ActivatePipeline",
        "datapipeline:CreatePipeline",
        "datapipeline:DeletePipeline",
        "datapipeline:DescribeObjects",
        "datapipeline:DescribePipelines",
        "datapipeline:GetPipelineDefinition",
        "datapipeline:ListPipelines",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:QueryObjects",
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "iam:GetRole",
        "iam:ListRoles",
        "kms:DescribeKey",
        "kms:ListAliases",
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:ListSubscriptions",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTopics",
        "sns:Subscribe",
        "sns:Unsubscribe",
        "sns:SetTopicAttributes",
        "lambda:CreateFunction",
        "lambda:ListFunctions",
        "lambda:ListEventSourceMappings",
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetFunctionConfiguration",
        "lambda:DeleteFunction",
        "resource-groups:ListGroups",
        "resource-groups:ListGroupResources",
        "resource-groups:GetGroup",
        "resource-groups:GetGroupQuery",
        "resource-groups:DeleteGroup",
        "resource-groups:CreateGroup",
        "tag:GetResources",
        "kinesis:ListStreams",
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
      ]),
      allow("cloudwatch:GetInsightRuleReport", "arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*"),
      allow(["iam:PassRole"], "*", {
        Condition: {
          StringLike: {
            "iam:PassedToService": [
              "application-autoscaling.amazonaws.com",
              "application-autoscaling.amazonaws.com.cn",
              "dax.amazonaws.com",
            ],
          },
        },
      }),
      allow(
        ["iam:CreateServiceLinkedRole"],
        "*",
        linkedRoleOf([
          "replication.dynamodb.amazonaws.com",
          "dax.amazonaws.com",
          "dynamodb.application-autoscaling.amazonaws.com",
          "contributorinsights.dynamodb.amazonaws.com",
          "kinesisreplication.dynamodb.amazonaws.com",
        ]),
      ),
    ],
  },

  "/AWSIoTFullAccess": { version: 2, date: "2022-05-19T21:39:11Z", statement: [allow(["iot:*", "iotjobsdata:*"])] },
  "/AWSIoTDataAccess": {
    version: 3,
    date: "2021-06-23T21:34:47Z",
    statement: [
      allow([
        "iot:Connect",
        "iot:Publish",
        "iot:Subscribe",
        "iot:Receive",
        "iot:GetThingShadow",
        "iot:UpdateThingShadow",
        "iot:DeleteThingShadow",
        "iot:ListNamedShadowsForThing",
      ]),
    ],
  },
  "/service-role/AWSIoTLogging": {
    version: 1,
    date: "2015-10-08T15:17:25Z",
    statement: [
      allow(
        [...writeLogs, "logs:PutMetricFilter", "logs:PutRetentionPolicy", "logs:GetLogEvents", "logs:DeleteLogStream"],
        ["*"],
      ),
    ],
  },
  "/service-role/AWSIoTRuleActions": {
    version: 2,
    date: "2018-01-16T19:28:19Z",
    statement: allow([
      "dynamodb:PutItem",
      "kinesis:PutRecord",
      "iot:Publish",
      "s3:PutObject",
      "sns:Publish",
      "sqs:SendMessage*",
      "cloudwatch:SetAlarmState",
      "cloudwatch:PutMetricData",
      "es:ESHttpPut",
      "firehose:PutRecord",
    ]),
  },

  ...serviceDocuments,
  ...defaultRoleDocuments,
};
