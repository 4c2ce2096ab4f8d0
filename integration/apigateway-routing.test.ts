import {
  APIGatewayClient,
  CreateStageCommand,
  GetDeploymentsCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { outcome, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
});

const answers = (text: string) => ({ responses: [{ responseTemplates: { "application/json": text } }] });
const missing = {
  status: 403,
  body: '{"message":"Missing Authentication Token"}',
  errorType: "MissingAuthenticationTokenException",
};
const forbidden = { status: 403, body: '{"message":"Forbidden"}', errorType: "ForbiddenException" };

describe("which method answers", () => {
  let url: string;
  beforeAll(async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /", answers("root"));
    await api.add("GET /pets/mine", answers("static"));
    await api.add("GET /pets/{id}", answers("variable $input.params('id')"));
    await api.add("POST /pets/{id}", answers("posted"));
    await api.add("ANY /{proxy+}", answers("greedy $input.params('proxy')"));
    url = await api.deploy();
  });
  const get = async (path: string, method = "GET") => (await fetch(`${url}${path}`, { method })).text();

  test("a static path wins over a path parameter, which wins over a greedy one", async () => {
    expect(await get("/pets/mine")).toBe("static");
    expect(await get("/pets/7")).toBe("variable 7");
    expect(await get("/pets/7/toys")).toBe("greedy pets/7/toys");
    expect(await get("/elsewhere")).toBe("greedy elsewhere");
  });

  test("the root answers with and without a slash at the end", async () => {
    expect(await get("")).toBe("root");
    expect(await get("/")).toBe("root");
  });

  test("a method that the resource names wins over ANY of a wider path", async () => {
    expect(await get("/pets/7", "POST")).toBe("posted");
    expect(await get("/pets/7", "DELETE")).toBe("greedy pets/7");
  });

  test("a path parameter arrives as it was sent, still percent-encoded", async () => {
    expect(await get("/pets/a%2Fb")).toBe("variable a%2Fb");
  });

  test("HEAD answers without a body", async () => {
    const head = await fetch(`${url}/anything`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("the host form of the address reaches the same stage", async () => {
    const { request } = await import("node:http");
    const id = url.split("/").at(-2);
    const { port } = new URL(url);
    const text = await new Promise<string>((resolve, reject) => {
      request(
        { host: "127.0.0.1", port, path: "/prod/pets/mine", headers: { host: `${id}.execute-api.localhost:${port}` } },
        (response) => {
          response.setEncoding("utf8").on("data", resolve);
        },
      )
        .on("error", reject)
        .end();
    });
    expect(text).toBe("static");
  });
});

describe("what is not there", () => {
  test("an unknown path and an unknown method give 403 Missing Authentication Token", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /pets")).deploy();
    expect(await outcome(fetch(`${url}/cats`))).toEqual(missing);
    expect(await outcome(fetch(`${url}/pets`, { method: "DELETE" }))).toEqual(missing);
  });

  test("an unknown API and an unknown stage give 403 Forbidden", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await (await api.add("GET /pets")).deploy();
    expect(await outcome(fetch(`${api.url("test")}/pets`))).toEqual(forbidden);
    expect(await outcome(fetch(`${emulator.current.endpoint}/_aws/execute-api/nosuchapi0/prod/pets`))).toEqual(
      forbidden,
    );
  });

  test("a switched-off default endpoint gives 403 Forbidden after the next deployment", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /pets")).deploy();
    await client.send(
      new UpdateRestApiCommand({
        restApiId: api.id,
        patchOperations: [{ op: "replace", path: "/disableExecuteApiEndpoint", value: "true" }],
      }),
    );
    await api.deploy();
    expect(await outcome(fetch(`${url}/pets`))).toEqual(forbidden);
  });
});

describe("deployments", () => {
  test("a stage serves what was deployed to it, not what was edited since", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /old", answers("old"))).deploy();
    await api.add("GET /new", answers("new"));
    expect((await fetch(`${url}/new`)).status).toBe(403);
    await api.deploy();
    expect(await (await fetch(`${url}/new`)).text()).toBe("new");
  });

  test("a stage goes back to an older deployment", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /one")).deploy();
    await (await api.add("GET /two")).deploy();
    const { items } = await client.send(new GetDeploymentsCommand({ restApiId: api.id }));
    await client.send(
      new UpdateStageCommand({
        restApiId: api.id,
        stageName: "prod",
        patchOperations: [{ op: "replace", path: "/deploymentId", value: items![0]!.id }],
      }),
    );
    expect((await fetch(`${url}/one`)).status).toBe(200);
    expect((await fetch(`${url}/two`)).status).toBe(403);
  });

  test("each stage has its own variables", async () => {
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("GET /", answers("$stageVariables.name"));
    const prod = await api.deploy("prod", { name: "production" });
    const { items } = await client.send(new GetDeploymentsCommand({ restApiId: api.id }));
    await client.send(
      new CreateStageCommand({
        restApiId: api.id,
        stageName: "dev",
        deploymentId: items![0]!.id,
        variables: { name: "development" },
      }),
    );
    expect(await (await fetch(prod)).text()).toBe("production");
    expect(await (await fetch(api.url("dev"))).text()).toBe("development");
  });
});

test("every answer names the request", async () => {
  const api = await RestApiBuilder.create(client, emulator.current);
  const url = await (await api.add("GET /")).deploy();
  const { headers } = await fetch(url);
  expect(headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  expect(headers.get("x-amz-apigw-id")).toMatch(/^[A-Za-z0-9+/]{15}=$/);
});
