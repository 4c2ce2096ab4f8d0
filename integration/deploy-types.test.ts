import { describe, expect, it } from "vitest";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();

const policy = (Action: string | string[], rest: object = { Resource: "*" }) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, ...rest }],
});
const trust = policy("sts:AssumeRole", {
  Principal: { Service: ["lambda.amazonaws.com", "apigateway.amazonaws.com"] },
});
const code = { assets: { "index.js": { text: "exports.handler = async () => ({});" } } };

/** One of each type that the larger programs of these tests do not have; `n` is what changes. */
const everything = (n: number): Declared[] => [
  { type: "iam.Role", name: "role", args: { assumeRolePolicy: trust, description: `v${n}`, tags: { n: `${n}` } } },
  { type: "iam.RolePolicy", name: "inline", args: { role: "$role.name", policy: policy([`s3:Get${n}`, "logs:*"]) } },
  { type: "iam.Policy", name: "managed", args: { policy: JSON.stringify(policy(`s3:Put${n}`)) } },
  { type: "iam.RolePolicyAttachment", name: "attached", args: { role: "$role.name", policyArn: "$managed.arn" } },
  { type: "iam.User", name: "user", args: { forceDestroy: true } },
  { type: "iam.AccessKey", name: "key", args: { user: "$user.name" } },

  { type: "s3.Bucket", name: "bucket", args: { forceDestroy: true, tags: { n: `${n}` } } },
  {
    type: "s3.BucketVersioning",
    name: "versioning",
    args: { bucket: "$bucket.id", versioningConfiguration: { status: "Enabled" } },
  },
  {
    type: "s3.BucketOwnershipControls",
    name: "owner",
    args: { bucket: "$bucket.id", rule: { objectOwnership: "BucketOwnerEnforced" } },
  },
  {
    type: "s3.BucketServerSideEncryptionConfiguration",
    name: "encryption",
    args: { bucket: "$bucket.id", rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
  },
  {
    type: "s3.BucketCorsConfiguration",
    name: "cors",
    args: { bucket: "$bucket.id", corsRules: [{ allowedMethods: ["GET"], allowedOrigins: [`https://${n}.example`] }] },
  },

  {
    type: "lambda.Function",
    name: "fn",
    args: {
      role: "$role.arn",
      runtime: "nodejs24.x",
      handler: "index.handler",
      code,
      publish: true,
      memorySize: 128 * n,
      reservedConcurrentExecutions: n,
    },
  },
  { type: "lambda.Alias", name: "live", args: { functionName: "$fn.name", functionVersion: "$fn.version" } },
  {
    type: "lambda.FunctionEventInvokeConfig",
    name: "invoke",
    args: { functionName: "$fn.name", maximumRetryAttempts: n - 1 },
  },

  { type: "cloudwatch.LogGroup", name: "log", args: { retentionInDays: 2 * n - 1 } },
  {
    type: "cloudwatch.MetricAlarm",
    name: "alarm",
    args: {
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: n,
      threshold: 1,
      metricName: "Errors",
      namespace: "AWS/Lambda",
      period: 60,
      statistic: "Sum",
    },
  },

  {
    type: "apigateway.RestApi",
    name: "api",
    args: { description: `v${n}`, binaryMediaTypes: n === 1 ? ["image/png"] : ["image/jpeg"] },
  },
  {
    type: "apigateway.Authorizer",
    name: "authorizer",
    args: {
      restApi: "$api",
      authorizerUri: "$fn.invokeArn",
      type: "REQUEST",
      identitySource: "method.request.header.Authorization",
      authorizerResultTtlInSeconds: 100 * n,
    },
  },
  { type: "apigateway.RequestValidator", name: "validator", args: { restApi: "$api", validateRequestBody: n === 1 } },
  {
    type: "apigateway.Model",
    name: "model",
    args: {
      restApi: "$api",
      contentType: "application/json",
      schema: JSON.stringify({ type: n === 1 ? "object" : "array" }),
    },
  },
  {
    type: "apigateway.Response",
    name: "denied",
    args: { restApiId: "$api.id", responseType: "ACCESS_DENIED", statusCode: `40${n}` },
  },
  {
    type: "apigateway.Method",
    name: "method",
    args: {
      restApi: "$api",
      resourceId: "$api.rootResourceId",
      httpMethod: "GET",
      authorization: "CUSTOM",
      authorizerId: "$authorizer.id",
      requestParameters: { [`method.request.header.H${n}`]: true },
    },
  },
  {
    type: "apigateway.MethodResponse",
    name: "ok",
    args: {
      restApi: "$api",
      resourceId: "$api.rootResourceId",
      httpMethod: "$method.httpMethod",
      statusCode: "200",
      responseParameters: { "method.response.header.X": n === 1 },
    },
  },
  {
    type: "apigateway.Integration",
    name: "mock",
    args: {
      restApi: "$api",
      resourceId: "$api.rootResourceId",
      httpMethod: "$method.httpMethod",
      type: "MOCK",
      requestTemplates: { "application/json": `{"statusCode": 20${n}}` },
    },
  },
  {
    type: "apigateway.IntegrationResponse",
    name: "answer",
    args: {
      restApi: "$api",
      resourceId: "$api.rootResourceId",
      httpMethod: "$method.httpMethod",
      statusCode: "$ok.statusCode",
      responseTemplates: { "application/json": `{"n": ${n}}` },
    },
    options: { dependsOn: ["$mock"] },
  },
  {
    type: "apigateway.Deployment",
    name: "deployed",
    args: { restApi: "$api.id", triggers: { n: `${n}` } },
    options: { dependsOn: ["$answer"] },
  },
  {
    type: "apigateway.Account",
    name: "account",
    args: { cloudwatchRoleArn: "$role.arn" },
    // Without the policy API Gateway could not write its logs.
    options: { dependsOn: ["$inline"] },
  },
  {
    type: "apigateway.Stage",
    name: "stage",
    args: {
      restApi: "$api.id",
      deployment: "$deployed.id",
      stageName: "v1",
      variables: { n: `${n}` },
      accessLogSettings: { destinationArn: "$log.arn", format: `request $context.requestId ${n}` },
    },
    options: { dependsOn: ["$account"] },
  },
  {
    type: "apigateway.MethodSettings",
    name: "settings",
    args: {
      restApi: "$api.id",
      stageName: "$stage.stageName",
      methodPath: "*/*",
      settings: { metricsEnabled: true, throttlingBurstLimit: 10 * n, throttlingRateLimit: 5 },
    },
  },
  {
    type: "apigateway.UsagePlan",
    name: "plan",
    args: {
      apiStages: [{ apiId: "$api.id", stage: "$stage.stageName" }],
      quotaSettings: { limit: 100 * n, period: "DAY" },
    },
  },

  {
    type: "cognito.UserPool",
    name: "pool",
    args: {
      passwordPolicy: { minimumLength: 7 + n, requireLowercase: true },
      adminCreateUserConfig: { allowAdminCreateUserOnly: true },
    },
  },
  {
    type: "cognito.ResourceServer",
    name: "server",
    args: { userPoolId: "$pool.id", identifier: "things", scopes: [{ scopeName: "read", scopeDescription: `v${n}` }] },
  },
  { type: "cognito.UserPoolDomain", name: "domain", args: { userPoolId: "$pool.id", domain: "sign-in" } },
  {
    type: "cognito.UserPoolClient",
    name: "client",
    args: {
      userPoolId: "$pool.id",
      generateSecret: true,
      allowedOauthFlows: ["client_credentials"],
      allowedOauthFlowsUserPoolClient: true,
      allowedOauthScopes: ["things/read"],
      accessTokenValidity: n,
    },
    options: { dependsOn: ["$server"] },
  },
  {
    type: "cognito.User",
    name: "ann",
    args: { userPoolId: "$pool.id", username: "ann", password: `Passw0rd-${n}`, messageAction: "SUPPRESS" },
  },
];

describe("every resource type", () => {
  it("is created, updated or replaced, and deleted, and nothing is touched without a change", async () => {
    const first = await deployDeclared(emulator.current, everything(1), {
      onEvent: (event) => event.kind === "failed" && console.error(event.message),
    });
    expect(first.summary).toMatchObject({ created: everything(1).length });
    expect(first.recorded).toEqual(["aws:cloudwatch/metricAlarm:MetricAlarm"]);
    expect(find(first, "key").outputs.secret).toMatchObject({ secret: true, value: expect.stringMatching(/.{20,}/) });
    expect(find(first, "client").outputs.clientSecret?.secret).toBe(true);
    expect(find(first, "fn").outputs.version?.value).toBe("1");
    expect(find(first, "server").outputs.scopeIdentifiers?.value).toEqual(["things/read"]);

    const second = await first.update(declaring(everything(2)));
    const actions = Object.fromEntries(second.resources.map(({ name, action }) => [name, action]));
    const unchanged = [
      "declared-test",
      "attached",
      "user",
      "key",
      "versioning",
      "owner",
      "encryption",
      "account",
      "domain",
    ];
    for (const { name } of everything(2)) {
      const expected = unchanged.includes(name) ? "same" : name === "deployed" ? "replace" : "update";
      expect(`${name}: ${actions[name]}`).toBe(`${name}: ${expected}`);
    }
    expect(find(second, "fn").outputs.version?.value).toBe("2");
    const third = await second.update();
    expect(third.summary).toEqual({ created: 0, updated: 0, replaced: 0, deleted: 0, same: everything(2).length });
    expect((await third.destroy()).deleted).toBe(everything(2).length);
  });
});
