// A small service with one resource of most kinds: REST API -> Lambda -> queue -> Lambda -> table, and an archive.
const pulumi = require("@pulumi/pulumi");
const aws = require("@pulumi/aws");

const config = new pulumi.Config();

const table = new aws.dynamodb.Table("orders", {
  attributes: [
    { name: "customer", type: "S" },
    { name: "at", type: "N" },
  ],
  hashKey: "customer",
  rangeKey: "at",
  billingMode: "PAY_PER_REQUEST",
  ttl: { attributeName: "expires", enabled: true },
  streamEnabled: true,
  streamViewType: "NEW_IMAGE",
  tags: { owner: "shop" },
});

const deadLetters = new aws.sqs.Queue("orders-dead-letter", { messageRetentionSeconds: 1209600 });
const queue = new aws.sqs.Queue("orders", {
  maxMessageSize: 1048576,
  visibilityTimeoutSeconds: config.getNumber("visibility") ?? 60,
  redrivePolicy: deadLetters.arn.apply((deadLetterTargetArn) =>
    JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 5 }),
  ),
});

const archive = new aws.s3.Bucket("Orders-Archive", { forceDestroy: true });
new aws.s3.BucketPublicAccessBlock("orders-archive", {
  bucket: archive.id,
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
});
new aws.s3.BucketLifecycleConfiguration("orders-archive", {
  bucket: archive.id,
  rules: [{ id: "expire", status: "Enabled", expiration: { days: 30 } }],
});
const readme = new aws.s3.BucketObjectv2("readme", { bucket: archive, key: "README.txt", content: "orders live here" });

const role = new aws.iam.Role("orders", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
  inlinePolicies: [
    {
      name: "work",
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: ["sqs:*"], Resource: [queue.arn, deadLetters.arn] },
          { Effect: "Allow", Action: ["dynamodb:PutItem"], Resource: table.arn },
        ],
      }),
    },
  ],
});
new aws.iam.RolePolicyAttachment("orders-logs", {
  role: role.name,
  policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
});

const code = (text) => new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(text) });

const log = new aws.cloudwatch.LogGroup("orders", { retentionInDays: 14 });
const intake = new aws.lambda.Function("intake", {
  role: role.arn,
  runtime: "nodejs24.x",
  architectures: ["arm64"],
  handler: "index.handler",
  environment: { variables: { QUEUE_URL: queue.url, TOKEN: config.getSecret("token") ?? "none" } },
  loggingConfig: { logFormat: "Text", logGroup: log.name },
  code: code(
    `exports.handler = async (event) => ({ statusCode: 202, body: ${JSON.stringify(config.get("reply") ?? "accepted")} });`,
  ),
});
const worker = new aws.lambda.Function("worker", {
  role: role.arn,
  runtime: "nodejs24.x",
  handler: "index.handler",
  timeout: 10,
  code: code("exports.handler = async () => ({ batchItemFailures: [] });"),
});
new aws.lambda.EventSourceMapping("worker", {
  eventSourceArn: queue.arn,
  functionName: worker.name,
  batchSize: 5,
  functionResponseTypes: ["ReportBatchItemFailures"],
});

const api = new aws.apigateway.RestApi("orders", { description: "takes orders", binaryMediaTypes: ["image/png"] });
const resource = new aws.apigateway.Resource("orders", {
  restApi: api,
  parentId: api.rootResourceId,
  pathPart: "orders",
});
const method = new aws.apigateway.Method("orders", {
  restApi: api,
  resourceId: resource.id,
  httpMethod: "POST",
  authorization: "NONE",
  apiKeyRequired: true,
});
const integration = new aws.apigateway.Integration("orders", {
  restApi: api,
  resourceId: resource.id,
  httpMethod: method.httpMethod,
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  uri: intake.invokeArn,
});
new aws.lambda.Permission("orders", {
  action: "lambda:InvokeFunction",
  function: intake.name,
  principal: "apigateway.amazonaws.com",
  sourceArn: pulumi.interpolate`${api.executionArn}/*/POST/orders`,
});
const deployment = new aws.apigateway.Deployment(
  "orders",
  { restApi: api.id, triggers: { definition: pulumi.jsonStringify([method.httpMethod, integration.uri]) } },
  { dependsOn: [integration] },
);
const stage = new aws.apigateway.Stage("prod", { restApi: api.id, deployment: deployment.id, stageName: "prod" });
const plan = new aws.apigateway.UsagePlan("orders", {
  apiStages: [{ apiId: api.id, stage: stage.stageName }],
  throttleSettings: { burstLimit: 100, rateLimit: 50 },
});
const key = new aws.apigateway.ApiKey("orders");
new aws.apigateway.UsagePlanKey("orders", { keyId: key.id, keyType: "API_KEY", usagePlanId: plan.id });

exports.url = pulumi.interpolate`${stage.invokeUrl}/orders`;
exports.apiKey = key.value;
exports.queueUrl = queue.url;
exports.tableName = table.name;
exports.archive = archive.bucket;
exports.readme = readme.key;
exports.functionName = intake.name;
exports.region = aws.getRegionOutput().region;
exports.account = aws.getCallerIdentityOutput().accountId;
