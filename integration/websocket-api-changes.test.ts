import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateDeploymentCommand,
  CreateIntegrationCommand,
  CreateIntegrationResponseCommand,
  CreateModelCommand,
  CreateRouteCommand,
  CreateRouteResponseCommand,
  CreateStageCommand,
  DeleteDeploymentCommand,
  DeleteRouteCommand,
  DeleteRouteSettingsCommand,
  GetApisCommand,
  GetIntegrationResponsesCommand,
  GetModelsCommand,
  GetModelTemplateCommand,
  GetRouteResponsesCommand,
  GetRoutesCommand,
  GetStageCommand,
  GetTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateIntegrationCommand,
  UpdateIntegrationResponseCommand,
  UpdateModelCommand,
  UpdateRouteCommand,
  UpdateRouteResponseCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
beforeAll(() => {
  client = new ApiGatewayV2Client(settings(emulator.current));
});

const newApi = async () => {
  const { ApiId } = await client.send(
    new CreateApiCommand({ Name: "live", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action" }),
  );
  return ApiId!;
};
const refusal = (name: string, message: string | RegExp) =>
  expect.objectContaining({ name, message: typeof message === "string" ? message : expect.stringMatching(message) });

test("a new API has the models Empty and Error", async () => {
  const ApiId = await newApi();
  const { Items } = await client.send(new GetModelsCommand({ ApiId }));
  expect(Items?.map(({ Name }) => Name)).toEqual(["Empty", "Error"]);
  const ModelId = Items?.[1]?.ModelId;
  const { Value } = await client.send(new GetModelTemplateCommand({ ApiId, ModelId }));
  expect(Value).toContain('"message": $input.json');
});

test("lists come in pages", async () => {
  const ApiId = await newApi();
  const keys = ["a", "b", "c", "d", "e"];
  for (const RouteKey of keys) await client.send(new CreateRouteCommand({ ApiId, RouteKey }));
  const found: unknown[] = [];
  let NextToken: string | undefined;
  let pages = 0;
  do {
    const page = await client.send(new GetRoutesCommand({ ApiId, MaxResults: "2", NextToken }));
    found.push(...(page.Items ?? []).map(({ RouteKey }) => RouteKey));
    NextToken = page.NextToken;
    pages++;
  } while (NextToken);
  expect(pages).toBe(3);
  expect(found).toEqual(keys);
  await expect(client.send(new GetApisCommand({ MaxResults: "none" }))).rejects.toEqual(
    refusal("BadRequestException", "Invalid MaxResults specified"),
  );
});

describe("a change", () => {
  test("of parameters adds to those there are, and an empty value removes one", async () => {
    const ApiId = await newApi();
    const name = (letter: string) => `integration.request.header.${letter}`;
    const { IntegrationId } = await client.send(
      new CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK", RequestParameters: { [name("a")]: "'1'" } }),
    );
    const change = (RequestParameters: Record<string, string>) =>
      client.send(new UpdateIntegrationCommand({ ApiId, IntegrationId, RequestParameters }));
    expect((await change({ [name("b")]: "'2'" })).RequestParameters).toEqual({
      [name("a")]: "'1'",
      [name("b")]: "'2'",
    });
    expect((await change({ [name("a")]: "" })).RequestParameters).toEqual({ [name("b")]: "'2'" });
  });

  test("reaches a stage with AutoDeploy at once, and another with the next deployment", async () => {
    const ApiId = await newApi();
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "a" }));
    const make = (StageName: string, AutoDeploy: boolean) =>
      client.send(new CreateStageCommand({ ApiId, StageName, AutoDeploy }));
    const first = (await make("auto", true)).DeploymentId;
    expect(first).toBeTruthy();
    expect((await make("manual", false)).DeploymentId).toBeUndefined();
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "b" }));
    const read = async (StageName: string) =>
      (await client.send(new GetStageCommand({ ApiId, StageName }))).DeploymentId;
    expect(await read("auto")).not.toBe(first);
    expect(await read("manual")).toBeUndefined();
    const { DeploymentId } = await client.send(new CreateDeploymentCommand({ ApiId, StageName: "manual" }));
    expect(await read("manual")).toBe(DeploymentId);
    await expect(client.send(new DeleteDeploymentCommand({ ApiId, DeploymentId }))).rejects.toEqual(
      refusal("BadRequestException", "Active stages pointing to this deployment must be moved or deleted"),
    );
    await expect(client.send(new CreateDeploymentCommand({ ApiId, StageName: "auto" }))).rejects.toEqual(
      refusal("BadRequestException", "Deployment ID cannot be set on stage because AutoDeploy is enabled"),
    );
  });

  test("of a stage keeps the settings of other routes, and removes a variable by an empty value", async () => {
    const ApiId = await newApi();
    for (const RouteKey of ["a", "b"]) await client.send(new CreateRouteCommand({ ApiId, RouteKey }));
    const stage = { ApiId, StageName: "live" };
    const slow = { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1 };
    await client.send(
      new CreateStageCommand({ ...stage, RouteSettings: { a: slow }, StageVariables: { x: "1", y: "2" } }),
    );
    const changed = await client.send(
      new UpdateStageCommand({ ...stage, RouteSettings: { b: slow }, StageVariables: { x: "" } }),
    );
    expect(changed).toMatchObject({ RouteSettings: { a: slow, b: slow }, StageVariables: { y: "2" } });
    expect(changed.StageVariables).not.toHaveProperty("x");
    await client.send(new DeleteRouteSettingsCommand({ ...stage, RouteKey: "a" }));
    expect((await client.send(new GetStageCommand(stage))).RouteSettings).toEqual({ b: slow });
  });

  test("of a stage is not held up by the settings of a route that has gone", async () => {
    const ApiId = await newApi();
    const { RouteId } = await client.send(new CreateRouteCommand({ ApiId, RouteKey: "a" }));
    const stage = { ApiId, StageName: "live" };
    await client.send(new CreateStageCommand({ ...stage, RouteSettings: { a: { ThrottlingRateLimit: 1 } } }));
    await client.send(new DeleteRouteCommand({ ApiId, RouteId }));
    const changed = await client.send(new UpdateStageCommand({ ...stage, Description: "later" }));
    expect(changed.Description).toBe("later");
  });

  test.each<[string, (ids: Record<string, string>) => object, unknown]>([
    [
      "a route's key to nothing",
      ({ ApiId, RouteId }) => new UpdateRouteCommand({ ApiId, RouteId, RouteKey: "" }),
      refusal("BadRequestException", "routeKey must not be null"),
    ],
    [
      "a route response's key to another than $default",
      ({ ApiId, RouteId, RouteResponseId }) =>
        new UpdateRouteResponseCommand({ ApiId, RouteId, RouteResponseId, RouteResponseKey: "other" }),
      refusal("BadRequestException", /RouteResponseKey/),
    ],
    [
      "an integration response's key to one that is taken",
      ({ ApiId, IntegrationId, IntegrationResponseId }) =>
        new UpdateIntegrationResponseCommand({
          ApiId,
          IntegrationId,
          IntegrationResponseId,
          IntegrationResponseKey: "$default",
        }),
      refusal("ConflictException", "IntegrationResponse with key $default already exists for this Integration"),
    ],
    [
      "a model's name to one that is taken",
      ({ ApiId, ModelId }) => new UpdateModelCommand({ ApiId, ModelId, Name: "Error" }),
      refusal("ConflictException", "Model name already exists for this API"),
    ],
    [
      "a model's name to one that cannot be",
      ({ ApiId, ModelId }) => new UpdateModelCommand({ ApiId, ModelId, Name: "a b" }),
      refusal("BadRequestException", /alphanumeric/),
    ],
  ])("of %s is refused, and leaves what was there", async (_what, change, error) => {
    const ApiId = await newApi();
    const { RouteId } = await client.send(new CreateRouteCommand({ ApiId, RouteKey: "a" }));
    const { RouteResponseId } = await client.send(
      new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }),
    );
    const { IntegrationId } = await client.send(new CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK" }));
    const respond = (IntegrationResponseKey: string) =>
      client.send(new CreateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseKey }));
    await respond("$default");
    const { IntegrationResponseId } = await respond("/2../");
    const { ModelId } = await client.send(new CreateModelCommand({ ApiId, Name: "mine", Schema: "{}" }));
    const state = async () => [
      (await client.send(new GetRoutesCommand({ ApiId }))).Items,
      (await client.send(new GetRouteResponsesCommand({ ApiId, RouteId }))).Items,
      (await client.send(new GetIntegrationResponsesCommand({ ApiId, IntegrationId }))).Items,
      (await client.send(new GetModelsCommand({ ApiId }))).Items,
    ];
    const before = await state();
    const ids = { ApiId, RouteId, RouteResponseId, IntegrationId, IntegrationResponseId, ModelId } as Record<
      string,
      string
    >;
    await expect(client.send(change(ids) as never)).rejects.toEqual(error);
    expect(await state()).toEqual(before);
  });
});

test("tags are put, read and taken off by ARN", async () => {
  const ApiId = await newApi();
  await client.send(new CreateStageCommand({ ApiId, StageName: "live" }));
  for (const path of [`apis/${ApiId}`, `apis/${ApiId}/stages/live`]) {
    const ResourceArn = `arn:aws:apigateway:eu-west-1::/${path}`;
    await client.send(new TagResourceCommand({ ResourceArn, Tags: { a: "1", b: "2" } }));
    await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["a"] }));
    expect((await client.send(new GetTagsCommand({ ResourceArn }))).Tags).toEqual({ b: "2" });
  }
});
