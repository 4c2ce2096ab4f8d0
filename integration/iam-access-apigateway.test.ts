import { APIGateway } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2 } from "@aws-sdk/client-apigatewayv2";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, needs, outcome, policyOf, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let ann: User;
let rest: APIGateway;
let v2: ApiGatewayV2;
let adminRest: APIGateway;
let api: { restApiId: string };
let socket: { ApiId: string };
let root: string;
const arn = (path: string) => `arn:aws:apigateway:eu-west-1::${path}`;
const role = "arn:aws:iam::000000000000:role/gateway";
const tags = { team: "blue" };

beforeAll(async () => {
  const subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  rest = new APIGateway(ann.settings);
  v2 = new ApiGatewayV2(ann.settings);
  adminRest = new APIGateway(subjects.admin);
  const made = await adminRest.createRestApi({ name: "things", tags });
  api = { restApiId: made.id! };
  root = made.rootResourceId!;
  const chat = await new ApiGatewayV2(subjects.admin).createApi({
    Name: "chat",
    ProtocolType: "WEBSOCKET",
    RouteSelectionExpression: "$request.body.action",
    Tags: tags,
  });
  socket = { ApiId: chat.ApiId! };
});

const integration = (credentials?: string) => ({
  ...api,
  resourceId: root,
  httpMethod: "GET",
  type: "AWS" as const,
  integrationHttpMethod: "POST",
  uri: "arn:aws:apigateway:eu-west-1:sqs:path/000000000000/jobs",
  credentials,
});
const openApi = (more: object = {}) =>
  Buffer.from(
    JSON.stringify({
      openapi: "3.0.1",
      info: { title: "imported", version: "1" },
      paths: {
        "/": {
          get: { "x-amazon-apigateway-integration": { ...integration(), type: "aws", credentials: role } },
        },
      },
      ...more,
    }),
  );

describe("a call of API Gateway needs permission for", () => {
  it.each<[string, () => Promise<unknown>, () => string[]]>([
    ["its method on its path", () => rest.getRestApi(api), () => [`GET /restapis/${api.restApiId}`]],
    ["all APIs", () => rest.getRestApis({}), () => ["GET /restapis"]],
    [
      "a part of an API",
      () => rest.putMethod({ ...api, resourceId: root, httpMethod: "GET", authorizationType: "NONE" }),
      () => [`PUT /restapis/${api.restApiId}/resources/${root}/methods/GET`],
    ],
    [
      "a change of a stage",
      () => rest.updateStage({ ...api, stageName: "prod" }),
      () => [`PATCH /restapis/${api.restApiId}/stages/prod`],
    ],
    [
      "something new, and its tags",
      () => rest.createRestApi({ name: "tagged", tags }),
      () => ["POST /restapis", "PUT /tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Frestapis%2F*"],
    ],
    [
      "a new key, and its tags",
      () => rest.createApiKey({ name: "tagged", tags }),
      () => ["POST /apikeys", "PUT /tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fapikeys%2F*"],
    ],
    [
      "the policy of an API besides the API",
      () => rest.createRestApi({ name: "open", policy: policyOf({ Principal: "*", Action: "execute-api:Invoke" }) }),
      () => ["POST /restapis", "UpdateRestApiPolicy /restapis"],
    ],
    [
      "the tags of an API and the API",
      () => rest.tagResource({ resourceArn: arn(`/restapis/${api.restApiId}`), tags }),
      () => [
        `PUT /tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Frestapis%2F${api.restApiId}`,
        `PATCH /restapis/${api.restApiId}`,
      ],
    ],
    ["an API of version 2, without that", () => v2.getApi(socket), () => [`GET /apis/${socket.ApiId}`]],
    [
      "its stage",
      () => v2.getStage({ ...socket, StageName: "$default" }),
      () => [`GET /apis/${socket.ApiId}/stages/$default`],
    ],
    [
      "a new one, and its tags, with POST",
      () => v2.createApi({ Name: "new", ProtocolType: "HTTP", Tags: tags }),
      () => ["POST /apis", "POST /tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fv2%2Fapis%2F*"],
    ],
  ])("%s", async (_, call, expected) => {
    const found = await needs(emulator.current, ann, call);
    expect(found).toEqual(expected().map((one) => `apigateway:${one.replace(" ", ` ${arn("")}`)}`));
  });

  it.each<[string, () => Promise<unknown>]>([
    ["an integration", () => rest.putIntegration(integration(role))],
    [
      "an authorizer",
      () =>
        rest.createAuthorizer({
          ...api,
          name: "a",
          type: "TOKEN",
          authorizerUri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/f/invocations",
          identitySource: "method.request.header.Authorization",
          authorizerCredentials: role,
        }),
    ],
    [
      "the account, for its logs",
      () => rest.updateAccount({ patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value: role }] }),
    ],
    ["an imported API", () => rest.importRestApi({ body: openApi() })],
    [
      "an integration of version 2",
      () => v2.createIntegration({ ...socket, IntegrationType: "AWS", IntegrationUri: "x", CredentialsArn: role }),
    ],
  ])("the role that it hands to %s", async (_, call) => {
    expect((await needs(emulator.current, ann, call)).at(-1)).toBe(`iam:PassRole ${role}`);
  });

  it("no role where an integration calls with the caller's credentials", async () => {
    const found = await needs(emulator.current, ann, () => rest.putIntegration(integration("arn:aws:iam::*:user/*")));
    expect(found).toHaveLength(1);
  });
});

it("refuses in AWS's words", async () => {
  await ann.clear();
  expect(await refusal(rest.getRestApis({}))).toEqual([
    "AccessDeniedException",
    missing(ann.arn, "apigateway:GET", arn("/restapis")),
    403,
  ]);
  expect(await refusal(v2.getApis({}))).toEqual([
    "AccessDeniedException",
    missing(ann.arn, "apigateway:GET", arn("/apis")),
    403,
  ]);
});

it("hands no role of another account on, not even for the administrator", async () => {
  expect(await refusal(adminRest.putIntegration(integration("arn:aws:iam::111111111111:role/gateway")))).toEqual([
    "AccessDeniedException",
    "Cross-account pass role is not allowed.",
    403,
  ]);
  expect(emulator.current.denials.at(-1)).not.toHaveProperty("statement");
});

describe("a condition sees", () => {
  const may = async (call: () => Promise<unknown>, Condition: object) => {
    await ann.clear();
    await ann.allow({ Action: "apigateway:*", Condition });
    return (await outcome(call())) === "allowed";
  };

  it("the tags of an API in all its parts", async () => {
    for (const call of [
      () => rest.getResources(api),
      () => rest.getStages(api),
      () => v2.getRoutes(socket),
      () => rest.getTags({ resourceArn: arn(`/restapis/${api.restApiId}`) }),
    ]) {
      expect(await may(call, { StringEquals: { "aws:ResourceTag/team": "blue" } })).toBe(true);
      expect(await may(call, { StringEquals: { "aws:ResourceTag/team": "red" } })).toBe(false);
    }
  });

  it("the name, the kind of endpoint and the authorization that a request asks for, and that are there", async () => {
    const named = (name: string) => ({ StringLike: { "apigateway:Request/ApiName": name } });
    const create = () => rest.createRestApi({ name: "dev-things", endpointConfiguration: { types: ["REGIONAL"] } });
    expect(await may(create, named("dev-*"))).toBe(true);
    expect(await may(create, named("prod-*"))).toBe(false);
    const regional = { "ForAllValues:StringEquals": { "apigateway:Request/EndpointType": ["REGIONAL", "PRIVATE"] } };
    expect(await may(create, regional)).toBe(true);
    expect(
      await may(() => rest.createRestApi({ name: "x", endpointConfiguration: { types: ["EDGE"] } }), regional),
    ).toBe(false);
    const method = (authorizationType: string) => () =>
      rest.putMethod({ ...api, resourceId: root, httpMethod: "POST", authorizationType });
    const signed = { StringEquals: { "apigateway:Request/RouteAuthorizationType": "AWS_IAM" } };
    expect(await may(method("NONE"), signed)).toBe(false);
    expect(await may(method("AWS_IAM"), signed)).toBe(true);
    const remove = () => rest.deleteMethod({ ...api, resourceId: root, httpMethod: "POST" });
    expect(await may(remove, { StringEquals: { "apigateway:Resource/RouteAuthorizationType": "NONE" } })).toBe(false);
    expect(await may(remove, { StringEquals: { "apigateway:Resource/RouteAuthorizationType": "AWS_IAM" } })).toBe(true);
    const rename = () =>
      rest.updateRestApi({ ...api, patchOperations: [{ op: "replace", path: "/name", value: "dev-x" }] });
    expect(await may(rename, named("dev-*"))).toBe(true);
    expect(await may(rename, { StringEquals: { "apigateway:Resource/ApiName": "other" } })).toBe(false);
  });

  it("the tags of a request", async () => {
    const call = () => rest.tagResource({ resourceArn: arn(`/restapis/${api.restApiId}`), tags: { team: "red" } });
    expect(await may(call, { StringEquals: { "aws:RequestTag/team": "blue" } })).toBe(false);
    expect(await may(call, { "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } })).toBe(true);
  });
});
