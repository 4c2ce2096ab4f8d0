import { type AwsManagedDocument, actionsOf, allow } from "./aws-managed-parts";

/** Full and reading access to the services of the emulator, as people and tools attach it. */
export const serviceDocuments: Readonly<Record<string, AwsManagedDocument>> = {
  "/AmazonSQSReadOnlyAccess": {
    version: 4,
    date: "2024-05-24T18:16:44Z",
    statement: [
      allow(
        actionsOf(`sqs: GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListQueues ListMessageMoveTasks
  ListQueueTags`),
        "*",
        { Sid: "AmazonSQSReadOnlyAccess" },
      ),
    ],
  },

  "/AmazonSNSFullAccess": {
    version: 2,
    date: "2024-09-24T22:32:05Z",
    statement: [
      allow("sns:*", "*", { Sid: "SNSFullAccess" }),
      allow(
        actionsOf(`sms-voice: DescribeVerifiedDestinationNumbers CreateVerifiedDestinationNumber
  SendDestinationNumberVerificationCode SendTextMessage DeleteVerifiedDestinationNumber
  VerifyDestinationNumber DescribeAccountAttributes DescribeSpendLimits DescribePhoneNumbers
  SetTextMessageSpendLimitOverride DescribeOptedOutNumbers DeleteOptedOutNumber`),
        "*",
        { Sid: "SMSAccessViaSNS", Condition: { StringEquals: { "aws:CalledViaLast": "sns.amazonaws.com" } } },
      ),
    ],
  },

  "/AmazonSNSReadOnlyAccess": {
    version: 2,
    date: "2024-09-24T22:13:12Z",
    statement: [
      allow(
        actionsOf(`sns: GetTopicAttributes List* CheckIfPhoneNumberIsOptedOut GetEndpointAttributes GetDataProtectionPolicy
  GetPlatformApplicationAttributes GetSMSAttributes GetSMSSandboxAccountStatus GetSubscriptionAttributes`),
        "*",
        { Sid: "SNSReadOnlyAccess" },
      ),
      allow(
        actionsOf(`sms-voice: DescribeVerifiedDestinationNumbers DescribeAccountAttributes DescribeSpendLimits
  DescribePhoneNumbers DescribeOptedOutNumbers`),
        "*",
        { Sid: "SMSAccessViaSNS", Condition: { StringEquals: { "aws:CalledViaLast": "sns.amazonaws.com" } } },
      ),
    ],
  },

  "/AmazonKinesisReadOnlyAccess": {
    version: 1,
    date: "2015-02-06T18:40:30Z",
    statement: [allow(actionsOf(`kinesis: Get* List* Describe*`))],
  },

  "/AmazonDynamoDBReadOnlyAccess": {
    version: 15,
    date: "2024-11-18T17:38:15Z",
    statement: [
      allow(
        actionsOf(`application-autoscaling: DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies
cloudwatch: DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric GetMetricStatistics ListMetrics
  GetMetricData
datapipeline: DescribeObjects DescribePipelines GetPipelineDefinition ListPipelines QueryObjects
dynamodb: BatchGetItem Describe* List* GetAbacStatus GetItem GetResourcePolicy Query Scan PartiQLSelect
dax: Describe* List* GetItem BatchGetItem Query Scan
ec2: DescribeVpcs DescribeSubnets DescribeSecurityGroups
iam: GetRole ListRoles
kms: DescribeKey ListAliases
sns: ListSubscriptionsByTopic ListTopics
lambda: ListFunctions ListEventSourceMappings GetFunctionConfiguration
resource-groups: ListGroups ListGroupResources GetGroup GetGroupQuery
tag: GetResources
kinesis: ListStreams DescribeStream DescribeStreamSummary`),
        "*",
        { Sid: "GeneralReadOnlyAccess" },
      ),
      allow("cloudwatch:GetInsightRuleReport", "arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*", {
        Sid: "CCIAccess",
      }),
    ],
  },

  "/AmazonTimestreamFullAccess": {
    version: 2,
    date: "2021-11-26T23:42:00Z",
    statement: [
      allow(actionsOf(`timestream: *`)),
      allow(actionsOf(`kms: DescribeKey`)),
      allow(actionsOf(`kms: CreateGrant`), "*", {
        Condition: {
          Bool: { "kms:GrantIsForAWSResource": true },
          "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": "aws:timestream:database-name" },
          StringLike: { "kms:ViaService": "timestream.*.amazonaws.com" },
        },
      }),
      allow(actionsOf(`s3: ListAllMyBuckets`)),
    ],
  },

  "/AmazonTimestreamReadOnlyAccess": {
    version: 4,
    date: "2024-06-05T19:11:27Z",
    statement: [
      allow(
        actionsOf(`timestream: CancelQuery DescribeDatabase DescribeEndpoints DescribeTable ListDatabases ListMeasures
  ListTables ListTagsForResource Select SelectValues DescribeScheduledQuery ListScheduledQueries
  DescribeBatchLoadTask ListBatchLoadTasks DescribeAccountSettings`),
        "*",
        { Sid: "AmazonTimestreamReadOnlyAccess" },
      ),
    ],
  },

  "/AWSLambda_ReadOnlyAccess": {
    version: 5,
    date: "2026-02-12T18:02:55Z",
    statement: [
      allow(
        actionsOf(`cloudformation: DescribeStacks ListStacks ListStackResources
cloudwatch: GetMetricData ListMetrics
ec2: DescribeSecurityGroups DescribeSubnets DescribeVpcs
kms: ListAliases
iam: GetPolicy GetPolicyVersion GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies
  ListRoles
logs: DescribeLogGroups
lambda: Get* List*
states: DescribeStateMachine ListStateMachines
tag: GetResources
xray: GetTraceSummaries BatchGetTraces`),
      ),
      allow(
        actionsOf(`logs: DescribeLogStreams GetLogEvents FilterLogEvents StartQuery StopQuery DescribeQueries
  GetLogGroupFields GetLogRecord GetQueryResults StartLiveTail StopLiveTail`),
        "arn:aws:logs:*:*:log-group:/aws/lambda/*",
      ),
    ],
  },

  "/AWSLambdaExecute": {
    version: 1,
    date: "2015-02-06T18:40:46Z",
    statement: [
      allow(actionsOf(`logs: *`), "arn:aws:logs:*:*:*"),
      allow(actionsOf(`s3: GetObject PutObject`), "arn:aws:s3:::*"),
    ],
  },

  "/AWSLambdaInvocation-DynamoDB": {
    version: 1,
    date: "2015-02-06T18:40:47Z",
    statement: [
      allow(actionsOf(`lambda: InvokeFunction`)),
      allow(actionsOf(`dynamodb: DescribeStream GetRecords GetShardIterator ListStreams`)),
    ],
  },

  "/service-role/AWSLambdaRole": {
    version: 1,
    date: "2015-02-06T18:41:28Z",
    statement: [allow(actionsOf(`lambda: InvokeFunction`), ["*"])],
  },

  "/AmazonAPIGatewayAdministrator": {
    version: 1,
    date: "2015-07-09T17:34:45Z",
    statement: [allow(actionsOf(`apigateway: *`), "arn:aws:apigateway:*::/*")],
  },

  "/AmazonEventBridgeFullAccess": {
    version: 7,
    date: "2026-02-12T17:58:25Z",
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
      allow("iam:PassRole", "arn:aws:iam::*:role/*", {
        Sid: "IAMPassRoleAccessForEventBridge",
        Condition: { StringLike: { "iam:PassedToService": "events.amazonaws.com" } },
      }),
      allow("iam:PassRole", "arn:aws:iam::*:role/*", {
        Sid: "IAMPassRoleAccessForScheduler",
        Condition: { StringLike: { "iam:PassedToService": "scheduler.amazonaws.com" } },
      }),
      allow("iam:PassRole", "arn:aws:iam::*:role/*", {
        Sid: "IAMPassRoleAccessForPipes",
        Condition: { StringLike: { "iam:PassedToService": "pipes.amazonaws.com" } },
      }),
    ],
  },

  "/AmazonEventBridgeReadOnlyAccess": {
    version: 7,
    date: "2026-09-24T21:37:08Z",
    statement: [
      allow(
        actionsOf(`events: DescribeRule DescribeEventBus DescribeEventSource ListEventBuses ListEventSources
  ListRuleNamesByTarget ListRules ListTargetsByRule TestEventPattern DescribeArchive ListArchives
  DescribeReplay ListReplays DescribeConnection ListConnections DescribeApiDestination
  ListApiDestinations DescribeEndpoint ListEndpoints DescribeSubscriber ListSubscribers
  GetResourcePolicy ListResourcePolicies ListTagsForResource
schemas: DescribeCodeBinding DescribeDiscoverer DescribeRegistry DescribeSchema ExportSchema
  GetCodeBindingSource GetDiscoveredSchema GetResourcePolicy ListDiscoverers ListRegistries ListSchemas
  ListSchemaVersions ListTagsForResource SearchSchemas
scheduler: GetSchedule GetScheduleGroup ListSchedules ListScheduleGroups ListTagsForResource
pipes: DescribePipe ListPipes ListTagsForResource`),
      ),
    ],
  },

  "/AmazonCognitoReadOnly": {
    version: 4,
    date: "2019-08-01T19:21:04Z",
    statement: [
      allow(
        actionsOf(`cognito-identity: Describe* Get* List*
cognito-idp: Describe* AdminGet* AdminList* List* Get*
cognito-sync: Describe* Get* List*
iam: ListOpenIdConnectProviders ListRoles
sns: ListPlatformApplications`),
      ),
    ],
  },

  "/CloudWatchLogsReadOnlyAccess": {
    version: 12,
    date: "2026-02-12T17:59:13Z",
    statement: [
      allow(
        actionsOf(`logs: Describe* Get* List* StartQuery StopQuery TestMetricFilter FilterLogEvents StartLiveTail
  StopLiveTail
cloudwatch: GenerateQuery GenerateQueryResultsSummary
observabilityadmin: ListS3TableIntegrations GetS3TableIntegration ListTelemetryPipelines`),
        "*",
        { Sid: "CloudWatchLogsReadOnlyAccess" },
      ),
    ],
  },

  "/AWSXrayFullAccess": {
    version: 2,
    date: "2024-04-11T17:07:36Z",
    statement: [allow(actionsOf(`xray: *`), ["*"], { Sid: "AWSXrayFullAccess" })],
  },

  "/AWSXrayReadOnlyAccess": {
    version: 8,
    date: "2024-02-14T00:35:02Z",
    statement: [
      allow(
        actionsOf(`xray: GetSamplingRules GetSamplingTargets GetSamplingStatisticSummaries BatchGetTraces
  BatchGetTraceSummaryById GetDistinctTraceGraphs GetServiceGraph GetTraceGraph GetTraceSummaries
  GetGroups GetGroup ListTagsForResource ListResourcePolicies GetTimeSeriesServiceStatistics
  GetInsightSummaries GetInsight GetInsightEvents GetInsightImpactGraph`),
        ["*"],
        { Sid: "AWSXrayReadOnlyAccess" },
      ),
    ],
  },

  "/AWSIoTConfigAccess": {
    version: 9,
    date: "2019-09-27T20:48:00Z",
    statement: [
      allow(
        actionsOf(`iot: AcceptCertificateTransfer AddThingToThingGroup AssociateTargetsWithJob AttachPolicy
  AttachPrincipalPolicy AttachThingPrincipal CancelCertificateTransfer CancelJob CancelJobExecution
  ClearDefaultAuthorizer CreateAuthorizer CreateCertificateFromCsr CreateJob CreateKeysAndCertificate
  CreateOTAUpdate CreatePolicy CreatePolicyVersion CreateRoleAlias CreateStream CreateThing
  CreateThingGroup CreateThingType CreateTopicRule DeleteAuthorizer DeleteCACertificate
  DeleteCertificate DeleteJob DeleteJobExecution DeleteOTAUpdate DeletePolicy DeletePolicyVersion
  DeleteRegistrationCode DeleteRoleAlias DeleteStream DeleteThing DeleteThingGroup DeleteThingType
  DeleteTopicRule DeleteV2LoggingLevel DeprecateThingType DescribeAuthorizer DescribeCACertificate
  DescribeCertificate DescribeDefaultAuthorizer DescribeEndpoint DescribeEventConfigurations
  DescribeIndex DescribeJob DescribeJobExecution DescribeRoleAlias DescribeStream DescribeThing
  DescribeThingGroup DescribeThingRegistrationTask DescribeThingType DetachPolicy DetachPrincipalPolicy
  DetachThingPrincipal DisableTopicRule EnableTopicRule GetEffectivePolicies GetIndexingConfiguration
  GetJobDocument GetLoggingOptions GetOTAUpdate GetPolicy GetPolicyVersion GetRegistrationCode
  GetTopicRule GetV2LoggingOptions ListAttachedPolicies ListAuthorizers ListCACertificates
  ListCertificates ListCertificatesByCA ListIndices ListJobExecutionsForJob ListJobExecutionsForThing
  ListJobs ListOTAUpdates ListOutgoingCertificates ListPolicies ListPolicyPrincipals ListPolicyVersions
  ListPrincipalPolicies ListPrincipalThings ListRoleAliases ListStreams ListTargetsForPolicy
  ListThingGroups ListThingGroupsForThing ListThingPrincipals ListThingRegistrationTaskReports
  ListThingRegistrationTasks ListThings ListThingsInThingGroup ListThingTypes ListTopicRules
  ListV2LoggingLevels RegisterCACertificate RegisterCertificate RegisterThing RejectCertificateTransfer
  RemoveThingFromThingGroup ReplaceTopicRule SearchIndex SetDefaultAuthorizer SetDefaultPolicyVersion
  SetLoggingOptions SetV2LoggingLevel SetV2LoggingOptions StartThingRegistrationTask
  StopThingRegistrationTask TestAuthorization TestInvokeAuthorizer TransferCertificate UpdateAuthorizer
  UpdateCACertificate UpdateCertificate UpdateEventConfigurations UpdateIndexingConfiguration
  UpdateRoleAlias UpdateStream UpdateThing UpdateThingGroup UpdateThingGroupsForThing
  UpdateAccountAuditConfiguration DescribeAccountAuditConfiguration DeleteAccountAuditConfiguration
  StartOnDemandAuditTask CancelAuditTask DescribeAuditTask ListAuditTasks CreateScheduledAudit
  UpdateScheduledAudit DeleteScheduledAudit DescribeScheduledAudit ListScheduledAudits ListAuditFindings
  CreateSecurityProfile DescribeSecurityProfile UpdateSecurityProfile DeleteSecurityProfile
  AttachSecurityProfile DetachSecurityProfile ListSecurityProfiles ListSecurityProfilesForTarget
  ListTargetsForSecurityProfile ListActiveViolations ListViolationEvents
  ValidateSecurityProfileBehaviors`),
      ),
    ],
  },

  "/AWSIoTConfigReadOnlyAccess": {
    version: 8,
    date: "2019-09-27T20:52:40Z",
    statement: [
      allow(
        actionsOf(`iot: DescribeAuthorizer DescribeCACertificate DescribeCertificate DescribeDefaultAuthorizer
  DescribeEndpoint DescribeEventConfigurations DescribeIndex DescribeJob DescribeJobExecution
  DescribeRoleAlias DescribeStream DescribeThing DescribeThingGroup DescribeThingRegistrationTask
  DescribeThingType GetEffectivePolicies GetIndexingConfiguration GetJobDocument GetLoggingOptions
  GetOTAUpdate GetPolicy GetPolicyVersion GetRegistrationCode GetTopicRule GetV2LoggingOptions
  ListAttachedPolicies ListAuthorizers ListCACertificates ListCertificates ListCertificatesByCA
  ListIndices ListJobExecutionsForJob ListJobExecutionsForThing ListJobs ListOTAUpdates
  ListOutgoingCertificates ListPolicies ListPolicyPrincipals ListPolicyVersions ListPrincipalPolicies
  ListPrincipalThings ListRoleAliases ListStreams ListTargetsForPolicy ListThingGroups
  ListThingGroupsForThing ListThingPrincipals ListThingRegistrationTaskReports
  ListThingRegistrationTasks ListThings ListThingsInThingGroup ListThingTypes ListTopicRules
  ListV2LoggingLevels SearchIndex TestAuthorization TestInvokeAuthorizer
  DescribeAccountAuditConfiguration DescribeAuditTask ListAuditTasks DescribeScheduledAudit
  ListScheduledAudits ListAuditFindings DescribeSecurityProfile ListSecurityProfiles
  ListSecurityProfilesForTarget ListTargetsForSecurityProfile ListActiveViolations ListViolationEvents
  ValidateSecurityProfileBehaviors`),
      ),
    ],
  },

  "/IAMFullAccess": {
    version: 2,
    date: "2019-06-21T19:40:00Z",
    statement: [
      allow(
        actionsOf(`iam: *
organizations: DescribeAccount DescribeOrganization DescribeOrganizationalUnit DescribePolicy
  ListChildren ListParents ListPoliciesForTarget ListRoots ListPolicies ListTargetsForPolicy`),
      ),
    ],
  },

  "/IAMReadOnlyAccess": {
    version: 4,
    date: "2018-01-25T19:11:27Z",
    statement: [
      allow(
        actionsOf(`iam: GenerateCredentialReport GenerateServiceLastAccessedDetails Get* List* SimulateCustomPolicy
  SimulatePrincipalPolicy`),
      ),
    ],
  },
};
