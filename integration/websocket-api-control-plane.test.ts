import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateApiMappingCommand,
  CreateAuthorizerCommand,
  CreateDeploymentCommand,
  CreateDomainNameCommand,
  CreateIntegrationCommand,
  CreateIntegrationResponseCommand,
  CreateModelCommand,
  CreateRouteCommand,
  CreateRouteResponseCommand,
  CreateStageCommand,
  CreateVpcLinkCommand,
  DeleteApiCommand,
  DeleteApiMappingCommand,
  DeleteAuthorizerCommand,
  DeleteDeploymentCommand,
  DeleteDomainNameCommand,
  DeleteIntegrationCommand,
  DeleteIntegrationResponseCommand,
  DeleteModelCommand,
  DeleteRouteCommand,
  DeleteRouteResponseCommand,
  DeleteStageCommand,
  DeleteVpcLinkCommand,
  GetApiCommand,
  GetApiMappingCommand,
  GetApiMappingsCommand,
  GetAuthorizerCommand,
  GetAuthorizersCommand,
  GetDeploymentCommand,
  GetDeploymentsCommand,
  GetDomainNameCommand,
  GetDomainNamesCommand,
  GetIntegrationCommand,
  GetIntegrationResponseCommand,
  GetIntegrationResponsesCommand,
  GetIntegrationsCommand,
  GetModelCommand,
  GetModelsCommand,
  GetRouteCommand,
  GetRouteResponseCommand,
  GetRouteResponsesCommand,
  GetRoutesCommand,
  GetStageCommand,
  GetStagesCommand,
  GetVpcLinkCommand,
  GetVpcLinksCommand,
  UpdateApiCommand,
  UpdateApiMappingCommand,
  UpdateAuthorizerCommand,
  UpdateDeploymentCommand,
  UpdateDomainNameCommand,
  UpdateIntegrationCommand,
  UpdateIntegrationResponseCommand,
  UpdateModelCommand,
  UpdateRouteCommand,
  UpdateRouteResponseCommand,
  UpdateStageCommand,
  UpdateVpcLinkCommand,
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
const gone = (kind: string) => refusal("NotFoundException", `Invalid ${kind} identifier specified`);

type Input = Record<string, unknown>;
/** Commands differ in nothing that these tables read. */
type AnyCommand = { readonly input: object };

// One row for each kind of thing that an API or an account has: made, read, listed, changed, read again, deleted.
interface Life {
  readonly make: (input: Input) => AnyCommand;
  readonly read: (input: Input) => AnyCommand;
  readonly list: (input: Input) => AnyCommand;
  readonly change: (input: Input) => AnyCommand;
  readonly remove: (input: Input) => AnyCommand;
  readonly id: string;
  /** What it is made with, and what it needs around it. */
  readonly from: (parent: { ApiId: string }) => Promise<Input> | Input;
  readonly made: Input;
  readonly changed: Input;
  readonly missing: unknown;
}

const commands = (
  ...[make, read, list, change, remove]: (new (
    input: never,
  ) => unknown)[]
): Pick<Life, "make" | "read" | "list" | "change" | "remove"> => {
  const of = (Type: new (input: never) => unknown) => (input: Input) => new Type(input as never) as AnyCommand;
  return { make: of(make!), read: of(read!), list: of(list!), change: of(change!), remove: of(remove!) };
};

const lives: Record<string, Life> = {
  Integration: {
    ...commands(
      CreateIntegrationCommand,
      GetIntegrationCommand,
      GetIntegrationsCommand,
      UpdateIntegrationCommand,
      DeleteIntegrationCommand,
    ),
    id: "IntegrationId",
    from: ({ ApiId }) => ({
      ApiId,
      IntegrationType: "AWS_PROXY",
      IntegrationUri: uri,
      RequestParameters: { "integration.request.header.a": "'1'", "integration.request.header.b": "'2'" },
    }),
    made: { IntegrationMethod: "POST", TimeoutInMillis: 29_000, PassthroughBehavior: "WHEN_NO_MATCH" },
    changed: { TimeoutInMillis: 5_000, Description: "faster" },
    missing: gone("Integration"),
  },
  IntegrationResponse: {
    ...commands(
      CreateIntegrationResponseCommand,
      GetIntegrationResponseCommand,
      GetIntegrationResponsesCommand,
      UpdateIntegrationResponseCommand,
      DeleteIntegrationResponseCommand,
    ),
    id: "IntegrationResponseId",
    from: async ({ ApiId }) => ({
      ApiId,
      IntegrationId: await newIntegration(ApiId),
      IntegrationResponseKey: "/4\\d\\d/",
    }),
    made: { IntegrationResponseKey: "/4\\d\\d/" },
    changed: { ResponseTemplates: { $default: "x" } },
    missing: gone("IntegrationResponse"),
  },
  Route: {
    ...commands(CreateRouteCommand, GetRouteCommand, GetRoutesCommand, UpdateRouteCommand, DeleteRouteCommand),
    id: "RouteId",
    from: async ({ ApiId }) => ({
      ApiId,
      RouteKey: "subscribe",
      Target: `integrations/${await newIntegration(ApiId)}`,
    }),
    made: { RouteKey: "subscribe", AuthorizationType: "NONE", ApiKeyRequired: false },
    changed: { OperationName: "Subscribe", RouteResponseSelectionExpression: "$default" },
    missing: gone("Route"),
  },
  RouteResponse: {
    ...commands(
      CreateRouteResponseCommand,
      GetRouteResponseCommand,
      GetRouteResponsesCommand,
      UpdateRouteResponseCommand,
      DeleteRouteResponseCommand,
    ),
    id: "RouteResponseId",
    from: async ({ ApiId }) => {
      const { RouteId } = await client.send(new CreateRouteCommand({ ApiId, RouteKey: "answered" }));
      return { ApiId, RouteId, RouteResponseKey: "$default" };
    },
    made: { RouteResponseKey: "$default" },
    changed: { ModelSelectionExpression: "$default" },
    missing: gone("RouteResponse"),
  },
  Authorizer: {
    ...commands(
      CreateAuthorizerCommand,
      GetAuthorizerCommand,
      GetAuthorizersCommand,
      UpdateAuthorizerCommand,
      DeleteAuthorizerCommand,
    ),
    id: "AuthorizerId",
    from: ({ ApiId }) => ({
      ApiId,
      Name: "gate",
      AuthorizerType: "REQUEST",
      AuthorizerUri: uri,
      IdentitySource: ["route.request.querystring.token"],
    }),
    made: { Name: "gate", IdentitySource: ["route.request.querystring.token"] },
    changed: { Name: "door", IdentitySource: ["route.request.header.Sec-WebSocket-Protocol"] },
    missing: gone("Authorizer"),
  },
  Model: {
    ...commands(CreateModelCommand, GetModelCommand, GetModelsCommand, UpdateModelCommand, DeleteModelCommand),
    id: "ModelId",
    from: ({ ApiId }) => ({ ApiId, Name: "reading", Schema: '{"type":"object"}' }),
    made: { Name: "reading", ContentType: "application/json", Schema: '{"type":"object"}' },
    changed: { Schema: '{"type":"string"}', Description: "text" },
    missing: gone("Model"),
  },
  Deployment: {
    ...commands(
      CreateDeploymentCommand,
      GetDeploymentCommand,
      GetDeploymentsCommand,
      UpdateDeploymentCommand,
      DeleteDeploymentCommand,
    ),
    id: "DeploymentId",
    from: async ({ ApiId }) => {
      await client.send(new CreateRouteCommand({ ApiId, RouteKey: "deployed" }));
      return { ApiId, Description: "first" };
    },
    made: { Description: "first", AutoDeployed: false, DeploymentStatus: "DEPLOYED", CreatedDate: expect.any(Date) },
    changed: { Description: "one" },
    missing: gone("Deployment"),
  },
  Stage: {
    ...commands(CreateStageCommand, GetStageCommand, GetStagesCommand, UpdateStageCommand, DeleteStageCommand),
    id: "StageName",
    from: ({ ApiId }) => ({ ApiId, StageName: "live", StageVariables: { table: "a" } }),
    made: { StageName: "live", AutoDeploy: false, StageVariables: { table: "a" }, CreatedDate: expect.any(Date) },
    changed: { Description: "x", DefaultRouteSettings: expect.objectContaining({ ThrottlingBurstLimit: 5 }) },
    missing: gone("stage"),
  },
  VpcLink: {
    ...commands(
      CreateVpcLinkCommand,
      GetVpcLinkCommand,
      GetVpcLinksCommand,
      UpdateVpcLinkCommand,
      DeleteVpcLinkCommand,
    ),
    id: "VpcLinkId",
    from: () => ({ Name: "link", SubnetIds: ["subnet-1"] }),
    made: { Name: "link", SubnetIds: ["subnet-1"], VpcLinkStatus: "AVAILABLE" },
    changed: { Name: "chain" },
    missing: gone("VpcLink"),
  },
  DomainName: {
    ...commands(
      CreateDomainNameCommand,
      GetDomainNameCommand,
      GetDomainNamesCommand,
      UpdateDomainNameCommand,
      DeleteDomainNameCommand,
    ),
    id: "DomainName",
    from: () => ({
      DomainName: "a.example.com",
      DomainNameConfigurations: [{ CertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1" }],
    }),
    made: {
      DomainName: "a.example.com",
      ApiMappingSelectionExpression: "$request.basepath",
      DomainNameConfigurations: [
        expect.objectContaining({
          ApiGatewayDomainName: expect.stringMatching(/^d-\w{10}\.execute-api\.eu-west-1\.amazonaws\.com$/),
          EndpointType: "REGIONAL",
          DomainNameStatus: "AVAILABLE",
        }),
      ],
    },
    changed: { MutualTlsAuthentication: { TruststoreUri: "s3://trust/store.pem" } },
    missing: refusal("NotFoundException", "The domain name resource specified in the request was not found."),
  },
  ApiMapping: {
    ...commands(
      CreateApiMappingCommand,
      GetApiMappingCommand,
      GetApiMappingsCommand,
      UpdateApiMappingCommand,
      DeleteApiMappingCommand,
    ),
    id: "ApiMappingId",
    from: async ({ ApiId }) => {
      const DomainNameConfigurations = [{ CertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1" }];
      await client.send(new CreateDomainNameCommand({ DomainName: "b.example.com", DomainNameConfigurations }));
      await client.send(new CreateStageCommand({ ApiId, StageName: "mapped" }));
      return { DomainName: "b.example.com", ApiId, Stage: "mapped", ApiMappingKey: "v1" };
    },
    made: { Stage: "mapped", ApiMappingKey: "v1" },
    changed: { ApiMappingKey: "v2" },
    missing: refusal("NotFoundException", "The api mapping resource specified in the request was not found."),
  },
};

const plain = (value: unknown): unknown =>
  value !== null && typeof value === "object" && "asymmetricMatch" in value ? { ThrottlingBurstLimit: 5 } : value;

describe("a life", () => {
  test.each(Object.entries(lives))("of %s: made, read, listed, changed, deleted", async (_kind, life) => {
    const send = (command: AnyCommand) => client.send(command as never) as unknown as Promise<Input>;
    const ApiId = await newApi();
    const input = await life.from({ ApiId });
    const made = await send(life.make(input));
    expect(made).toMatchObject(life.made);
    const key = { ...input, [life.id]: made[life.id] };
    expect(await send(life.read(key))).toMatchObject(life.made);
    const { Items } = (await send(life.list(input))) as { Items: Input[] };
    expect(Items.filter((item) => item[life.id] === made[life.id])).toHaveLength(1);
    const update = Object.fromEntries(Object.entries(life.changed).map(([name, value]) => [name, plain(value)]));
    // Only what names it, with what is to change.
    const { ApiId: api, DomainName, IntegrationId, RouteId } = key as Record<string, string>;
    const names = { ApiId: api, DomainName, IntegrationId, RouteId, [life.id]: made[life.id] };
    await send(life.change({ ...names, ...update }));
    const { StageVariables: _, ...kept } = life.made;
    expect(await send(life.read(key))).toMatchObject({ ...kept, ...life.changed });
    await send(life.remove(key));
    await expect(send(life.read(key))).rejects.toEqual(life.missing);
  });

  test("of Api: made with AWS's defaults, changed, deleted", async () => {
    const input = {
      Name: "live",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
    } as const;
    const { $metadata: _, ...api } = await client.send(new CreateApiCommand({ ...input, Tags: { team: "iot" } }));
    expect(api).toEqual({
      ...input,
      ApiId: expect.stringMatching(/^[a-z0-9]{10}$/),
      ApiEndpoint: `ws://localhost:${emulator.current.port}/_aws/execute-api/${api.ApiId}`,
      ApiKeySelectionExpression: "$request.header.x-api-key",
      CreatedDate: expect.any(Date),
      DisableExecuteApiEndpoint: false,
      IpAddressType: "ipv4",
      Tags: { team: "iot" },
    });
    const { ApiId } = api;
    await client.send(new UpdateApiCommand({ ApiId, Name: "other", Description: "x" }));
    expect(await client.send(new GetApiCommand({ ApiId }))).toMatchObject({
      ...input,
      Name: "other",
      Description: "x",
    });
    await client.send(new DeleteApiCommand({ ApiId }));
    await expect(client.send(new GetApiCommand({ ApiId }))).rejects.toEqual(
      refusal("NotFoundException", `Invalid API identifier specified 000000000000:${ApiId}`),
    );
  });

  test("of an HTTP API, whose routes are methods and paths", async () => {
    const { ApiId } = await client.send(new CreateApiCommand({ Name: "http", ProtocolType: "HTTP" }));
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /things/{id}" }));
    await expect(client.send(new CreateRouteCommand({ ApiId, RouteKey: "things" }))).rejects.toEqual(
      refusal("BadRequestException", "The provided route key is not formatted properly for HTTP protocol."),
    );
    expect(
      (await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }))).DeploymentId,
    ).toBeTruthy();
  });
});
