import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateApiMappingCommand,
  CreateAuthorizerCommand,
  CreateDeploymentCommand,
  CreateIntegrationCommand,
  CreateIntegrationResponseCommand,
  CreateModelCommand,
  CreateRouteCommand,
  CreateStageCommand,
  DeleteIntegrationCommand,
  ExportApiCommand,
  GetAuthorizersCommand,
  GetIntegrationsCommand,
  GetRoutesCommand,
  GetStagesCommand,
} from "@aws-sdk/client-apigatewayv2";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { functionUri } from "./harness/rest-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
beforeAll(() => {
  client = new ApiGatewayV2Client(settings(emulator.current));
});

const uri = functionUri("arn:aws:lambda:eu-west-1:000000000000:function:gate");
const newApi = async () => {
  const { ApiId } = await client.send(
    new CreateApiCommand({ Name: "live", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action" }),
  );
  return ApiId!;
};
const newIntegration = async (ApiId: string) => {
  const { IntegrationId } = await client.send(new CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK" }));
  return IntegrationId!;
};
const refusal = (name: string, message: string | RegExp) =>
  expect.objectContaining({ name, message: typeof message === "string" ? message : expect.stringMatching(message) });

/** Commands differ in nothing that these tables read. */
type AnyCommand = { readonly input: object };

describe("is refused:", () => {
  const bad = (message: string | RegExp) => refusal("BadRequestException", message);
  const conflict = (message: string) => refusal("ConflictException", message);
  const websocket = { Name: "live", ProtocolType: "WEBSOCKET" as const };

  test.each<[string, (ApiId: string, IntegrationId: string) => AnyCommand, unknown]>([
    [
      "an unknown protocol",
      () => new CreateApiCommand({ Name: "x", ProtocolType: "SMTP" as "HTTP" }),
      bad("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"),
    ],
    ["no selection expression", () => new CreateApiCommand(websocket), bad(/RouteSelectionExpression/)],
    [
      "a broken selection expression",
      () => new CreateApiCommand({ ...websocket, RouteSelectionExpression: "$nothing" }),
      bad(/RouteSelectionExpression/),
    ],
    [
      "an unknown API",
      () => new GetRoutesCommand({ ApiId: "nothing" }),
      refusal("NotFoundException", "Invalid API identifier specified 000000000000:nothing"),
    ],
    [
      "an unknown integration as target",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "b", Target: "integrations/zzz" }),
      bad(/integration/),
    ],
    [
      "a route key twice",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "a" }),
      conflict("Route with key a already exists for this API"),
    ],
    [
      "a route key of AWS's own",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "$mine" }),
      bad(/Invalid route key/),
    ],
    [
      "authorization beyond $connect",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "b", AuthorizationType: "AWS_IAM" }),
      bad("Currently, authorization is restricted to the $connect route only"),
    ],
    [
      "an unknown authorizer",
      (ApiId) =>
        new CreateRouteCommand({ ApiId, RouteKey: "$connect", AuthorizationType: "CUSTOM", AuthorizerId: "zzz" }),
      bad(/authorizer/),
    ],
    [
      "an integration in use",
      (ApiId, IntegrationId) => new DeleteIntegrationCommand({ ApiId, IntegrationId }),
      conflict(""),
    ],
    [
      "an integration without a URI",
      (ApiId) => new CreateIntegrationCommand({ ApiId, IntegrationType: "HTTP_PROXY", IntegrationMethod: "POST" }),
      bad(/URI/),
    ],
    [
      "a function that is no URI of API Gateway's",
      (ApiId) =>
        new CreateIntegrationCommand({
          ApiId,
          IntegrationType: "AWS_PROXY",
          IntegrationUri: "arn:aws:lambda:eu-west-1:000000000000:function:x",
        }),
      bad(/ARN/),
    ],
    [
      "a timeout above 29 seconds",
      (ApiId) => new CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK", TimeoutInMillis: 30_000 }),
      bad(/TimeoutInMillis/),
    ],
    [
      "a response key that is no expression",
      (ApiId, IntegrationId) =>
        new CreateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseKey: "200" }),
      bad(/IntegrationResponseKey/),
    ],
    [
      "an identity source that is none",
      (ApiId) =>
        new CreateAuthorizerCommand({
          ApiId,
          Name: "x",
          AuthorizerType: "REQUEST",
          AuthorizerUri: uri,
          IdentitySource: ["method.request.header.A"],
        }),
      bad("Invalid mapping expression specified: method.request.header.A"),
    ],
    [
      "a JWT authorizer",
      (ApiId) => new CreateAuthorizerCommand({ ApiId, Name: "x", AuthorizerType: "JWT", IdentitySource: [] }),
      bad(/authorizer type/),
    ],
    [
      "an authorizer cache",
      (ApiId) =>
        new CreateAuthorizerCommand({
          ApiId,
          Name: "x",
          AuthorizerType: "REQUEST",
          AuthorizerUri: uri,
          IdentitySource: [],
          AuthorizerResultTtlInSeconds: 60,
        }),
      bad(/Ttl/),
    ],
    [
      "a route with an unknown model",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "b", RequestModels: { $default: "nothing" } }),
      bad("Invalid model identifier specified: nothing"),
    ],
    [
      "a route response selection of one's own",
      (ApiId) => new CreateRouteCommand({ ApiId, RouteKey: "b", RouteResponseSelectionExpression: "$request.body.a" }),
      bad(/RouteResponseSelectionExpression/),
    ],
    [
      "a model that is no schema",
      (ApiId) => new CreateModelCommand({ ApiId, Name: "list", Schema: "[]" }),
      bad(/Invalid model schema specified/),
    ],
    ["a stage name with a slash", (ApiId) => new CreateStageCommand({ ApiId, StageName: "a/b" }), bad(/Stage name/)],
    [
      "a stage twice",
      (ApiId) => new CreateStageCommand({ ApiId, StageName: "taken" }),
      conflict("Stage already exists"),
    ],
    [
      "an unknown deployment",
      (ApiId) => new CreateStageCommand({ ApiId, StageName: "x", DeploymentId: "zzz" }),
      bad("Deployment id does not exist"),
    ],
    [
      "settings of an unknown route",
      (ApiId) => new CreateStageCommand({ ApiId, StageName: "x", RouteSettings: { zzz: {} } }),
      refusal("NotFoundException", /zzz/),
    ],
    [
      "access logs without the account's role",
      (ApiId) =>
        new CreateStageCommand({
          ApiId,
          StageName: "x",
          AccessLogSettings: {
            DestinationArn: "arn:aws:logs:eu-west-1:000000000000:log-group:x",
            Format: "$context.requestId",
          },
        }),
      bad("CloudWatch Logs role ARN must be set in account settings to enable logging"),
    ],
    [
      "a mapping to an unknown stage",
      (ApiId) => new CreateApiMappingCommand({ DomainName: "c.example.com", ApiId, Stage: "zzz" }),
      refusal("NotFoundException", /domain name/),
    ],
  ])("%s", async (_what, command, error) => {
    const ApiId = await newApi();
    const IntegrationId = await newIntegration(ApiId);
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "a", Target: `integrations/${IntegrationId}` }));
    await client.send(new CreateStageCommand({ ApiId, StageName: "taken" }));
    const before = await state(ApiId);
    const wanted =
      _what === "an integration in use"
        ? conflict(`Cannot delete Integration '${IntegrationId}', is referenced in route: a`)
        : error;
    await expect(client.send(command(ApiId, IntegrationId) as never)).rejects.toEqual(wanted);
    expect(await state(ApiId)).toEqual(before);
  });

  test("a deployment without routes", async () => {
    await expect(client.send(new CreateDeploymentCommand({ ApiId: await newApi() }))).rejects.toEqual(
      bad("Unable to deploy API because no routes exist in this API"),
    );
  });

  test("an operation that the emulator has not", async () => {
    const command = new ExportApiCommand({ ApiId: await newApi(), OutputType: "JSON", Specification: "OAS30" });
    await expect(client.send(command)).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
  });

  /** All that a refused call could have changed. */
  const state = async (ApiId: string) => {
    const lists = [GetRoutesCommand, GetIntegrationsCommand, GetStagesCommand, GetAuthorizersCommand] as const;
    return Promise.all(lists.map(async (List) => (await client.send(new List({ ApiId }) as GetRoutesCommand)).Items));
  };
});
