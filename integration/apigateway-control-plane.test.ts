import {
  APIGatewayClient,
  CreateResourceCommand,
  CreateRestApiCommand,
  DeleteResourceCommand,
  DeleteRestApiCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetRestApisCommand,
  GetTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateResourceCommand,
  UpdateRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
});
const makeApi = () => RestApiBuilder.create(client, emulator.current);
const refusal = (name: string, message: string | RegExp) => ({
  name,
  message: typeof message === "string" ? message : expect.stringMatching(message),
});

describe("REST APIs", () => {
  test("are created with AWS's defaults and found again", async () => {
    const { $metadata, ...created } = await client.send(new CreateRestApiCommand({ name: "plain" }));
    expect($metadata.httpStatusCode).toBe(201);
    expect(created).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{10}$/),
      name: "plain",
      createdDate: expect.any(Date),
      apiKeySource: "HEADER",
      endpointConfiguration: { types: ["EDGE"], ipAddressType: "ipv4" },
      disableExecuteApiEndpoint: false,
      rootResourceId: expect.stringMatching(/^[a-z0-9]{10}$/),
    });
    const { $metadata: _, ...found } = await client.send(new GetRestApiCommand({ restApiId: created.id }));
    expect(found).toEqual(created);
  });

  test("are listed page by page", async () => {
    const west = new APIGatewayClient(settings(emulator.current, { region: "us-west-2" }));
    for (const name of ["a", "b", "c"]) await west.send(new CreateRestApiCommand({ name }));
    const first = await west.send(new GetRestApisCommand({ limit: 2 }));
    const second = await west.send(new GetRestApisCommand({ limit: 2, position: first.position }));
    expect([first.items, second.items].map((items) => items!.map(({ name }) => name))).toEqual([["a", "b"], ["c"]]);
    expect(second.position).toBeUndefined();
  });

  test("belong to one account and region; elsewhere they are unknown", async () => {
    const { id } = await makeApi();
    const other = new APIGatewayClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    await expect(other.send(new GetRestApiCommand({ restApiId: id }))).rejects.toMatchObject(
      refusal("NotFoundException", `Invalid API identifier specified 111122223333:${id}`),
    );
  });

  test("are gone after they are deleted", async () => {
    const { id } = await makeApi();
    expect((await client.send(new DeleteRestApiCommand({ restApiId: id }))).$metadata.httpStatusCode).toBe(202);
    await expect(client.send(new GetRestApiCommand({ restApiId: id }))).rejects.toMatchObject(
      refusal("NotFoundException", `Invalid API identifier specified 000000000000:${id}`),
    );
  });

  test.each([
    [{ name: "x", description: "" }, "BadRequestException", "Description cannot be an empty string"],
    [{ name: "x", minimumCompressionSize: -1 }, "BadRequestException", /^Invalid minimum compression size/],
    [
      { name: "x", endpointConfiguration: { types: ["EDGE" as const, "REGIONAL" as const] } },
      "BadRequestException",
      "Cannot create an api with multiple Endpoint Types.",
    ],
    [
      { name: "x", endpointConfiguration: { types: ["wrong" as "EDGE"] } },
      "ValidationException",
      /^1 validation error detected: Value '\[wrong\]' at 'createRestApiInput.endpointConfiguration.types'/,
    ],
    [{ name: "x", policy: "{" }, "BadRequestException", /^Invalid policy document/],
  ])("%o is refused", async (input, name, message) => {
    await expect(client.send(new CreateRestApiCommand(input))).rejects.toMatchObject(refusal(name, message));
  });

  const patch = (restApiId: string, op: string, path?: string, value?: string) =>
    client.send(new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: op as "add", path, value }] }));

  test("take patches, also of binary types with an escaped slash", async () => {
    const { id } = await makeApi();
    await patch(id, "add", "/binaryMediaTypes/image~1png");
    await patch(id, "add", "/binaryMediaTypes/*~1*");
    await patch(id, "remove", "/binaryMediaTypes/image~1png");
    await patch(id, "replace", "/minimumCompressionSize", "10");
    const api = await patch(id, "replace", "/name", "renamed");
    expect(api).toMatchObject({ name: "renamed", binaryMediaTypes: ["*/*"], minimumCompressionSize: 10 });
    expect((await patch(id, "replace", "/minimumCompressionSize")).minimumCompressionSize).toBeUndefined();
  });

  test.each([
    ["replace", "/binaryMediaTypes", "BadRequestException", "Invalid patch path /binaryMediaTypes"],
    [
      "add",
      "/minimumCompressionSize",
      "BadRequestException",
      "Invalid patch operation specified. Must be one of: [replace]",
    ],
    ["replace", undefined, "BadRequestException", "Invalid patch path null"],
    [
      "wrong",
      "/name",
      "ValidationException",
      "1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
    ],
  ])("refuse the patch %s %s", async (op, path, name, message) => {
    const { id } = await makeApi();
    await expect(patch(id, op, path, "x")).rejects.toMatchObject(refusal(name, message));
  });

  test("change nothing when one of several patches is refused", async () => {
    const { id } = await makeApi();
    const patchOperations = [
      { op: "replace" as const, path: "/name", value: "changed" },
      { op: "replace" as const, path: "/nothing", value: "x" },
    ];
    await expect(client.send(new UpdateRestApiCommand({ restApiId: id, patchOperations }))).rejects.toThrow();
    expect((await client.send(new GetRestApiCommand({ restApiId: id }))).name).toBe("test");
  });

  test("carry tags", async () => {
    const { id } = await makeApi();
    const resourceArn = `arn:aws:apigateway:eu-west-1::/restapis/${id}`;
    await client.send(new TagResourceCommand({ resourceArn, tags: { team: "iot", cost: "7" } }));
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["cost"] }));
    expect((await client.send(new GetTagsCommand({ resourceArn }))).tags).toEqual({ team: "iot" });
    expect((await client.send(new GetRestApiCommand({ restApiId: id }))).tags).toEqual({ team: "iot" });
  });
});

describe("resources", () => {
  const add = (restApiId: string, parentId: string, pathPart: string) =>
    client.send(new CreateResourceCommand({ restApiId, parentId, pathPart }));

  test("are listed by path and deleted with those below them", async () => {
    const api = await makeApi();
    const id = await api.resource("/pets");
    await api.resource("/pets/{id}/toys");
    await api.resource("/{proxy+}");
    expect(await api.paths()).toEqual(["/", "/pets", "/pets/{id}", "/pets/{id}/toys", "/{proxy+}"]);
    await client.send(new DeleteResourceCommand({ restApiId: api.id, resourceId: id }));
    expect(await api.paths()).toEqual(["/", "/{proxy+}"]);
  });

  test("move with those below them", async () => {
    const api = await makeApi();
    const id = await api.resource("/pets");
    await api.resource("/pets/{id}");
    const patchOperations = [{ op: "replace" as const, path: "/pathPart", value: "dogs" }];
    await client.send(new UpdateResourceCommand({ restApiId: api.id, resourceId: id, patchOperations }));
    expect(await api.paths()).toEqual(["/", "/dogs", "/dogs/{id}"]);
  });

  test.each([
    [
      "/{proxy+}",
      "{id}",
      "BadRequestException",
      "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
    ],
    ["/pets", "pets", "ConflictException", "Another resource with the same parent already has this name: pets"],
    ["/pets", "a b", "BadRequestException", /^Resource's path part only allow/],
    ["/pets", "{a", "BadRequestException", /^Resource's path part only allow/],
  ])("beside %s, %s is refused", async (sibling, part, name, message) => {
    const api = await makeApi();
    await api.resource(sibling);
    await expect(add(api.id, await api.resource("/"), part)).rejects.toMatchObject(refusal(name, message));
  });

  test("below a greedy one are refused", async () => {
    const api = await makeApi();
    await expect(add(api.id, await api.resource("/{proxy+}"), "more")).rejects.toMatchObject(
      refusal("BadRequestException", "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
    );
  });

  test("show their methods only when asked", async () => {
    const api = await makeApi();
    await api.add("GET /pets");
    const list = async (embed?: string[]) =>
      (await client.send(new GetResourcesCommand({ restApiId: api.id, embed }))).items!.at(-1)!.resourceMethods;
    expect(await list()).toEqual({ GET: {} });
    expect((await list(["methods"]))!.GET).toMatchObject({ httpMethod: "GET", methodIntegration: { type: "MOCK" } });
  });
});
