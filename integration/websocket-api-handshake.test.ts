import { get } from "node:http";
import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateApiMappingCommand,
  CreateDeploymentCommand,
  CreateDomainNameCommand,
  DeleteApiCommand,
  UpdateApiCommand,
} from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
/** An API whose `$connect` answers what the query string says. */
let scripted: WebSocketApi;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  const functionArn = await makeFunction(
    new LambdaClient(settings(emulator.current)),
    "scripted",
    `exports.handler = async ({ queryStringParameters }) => {
      if (queryStringParameters.fail) throw new Error(queryStringParameters.fail);
      return JSON.parse(queryStringParameters.answer);
    };`,
  );
  scripted = await WebSocketApi.create(client, emulator.current);
  await scripted.add("$connect", { integration: proxyTo(functionArn) });
  await scripted.stage();
});

const answering = (answer: unknown) => `${scripted.url()}?answer=${encodeURIComponent(JSON.stringify(answer))}`;
const refused = (status: number, message?: string, errorType = "") =>
  expect.objectContaining({
    status,
    errorType,
    body: message === undefined ? "" : expect.stringContaining(`{"message":"${message}","connectionId":"`),
  });

describe("the handshake", () => {
  test("is accepted where there is no $connect route", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$default");
    await api.stage();
    const opened = await TestClient.connect(api.url());
    expect(opened.socket.readyState).toBe(opened.socket.OPEN);
    opened.socket.close();
  });

  test.each([401, 403, 404, 429, 500, 503])(
    "gets the status %i that $connect answered, and no socket",
    async (status) => {
      await expect(TestClient.connect(answering({ statusCode: status }))).rejects.toEqual(refused(status));
    },
  );

  test("opens for any 2xx", async () => {
    const opened = await TestClient.connect(answering({ statusCode: 204 }));
    opened.socket.close();
  });

  test.each([
    ["throws", "?fail=broken"],
    ["answers no status", `?answer=${encodeURIComponent('{"body":"x"}')}`],
    ["answers nothing", "?answer=null"],
  ])("gets 502 when the function of $connect %s", async (_what, query) => {
    await expect(TestClient.connect(scripted.url() + query)).rejects.toEqual(
      refused(502, "Internal server error", "InternalServerErrorException"),
    );
  });

  test("gets 500 when the function is not there", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$connect", { integration: proxyTo("arn:aws:lambda:eu-west-1:000000000000:function:nobody") });
    await api.stage();
    await expect(TestClient.connect(api.url())).rejects.toMatchObject({ status: 500 });
  });

  test.each([
    ["an unknown stage", () => scripted.url("other")],
    ["an unknown API", () => `ws://127.0.0.1:${emulator.current.port}/_aws/execute-api/abcdefghij/live`],
    ["a path behind the stage", () => `${scripted.url()}/more`],
  ])("gets 403 for %s", async (_what, url) => {
    await expect(TestClient.connect(url())).rejects.toMatchObject({ status: 403 });
  });

  test("gets 403 for a stage without deployment, until there is one", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$default");
    await api.stage({ AutoDeploy: false });
    await expect(TestClient.connect(api.url())).rejects.toEqual(refused(403, "Forbidden", "ForbiddenException"));
    await client.send(new CreateDeploymentCommand({ ApiId: api.id, StageName: "live" }));
    const opened = await TestClient.connect(api.url());
    opened.socket.close();
  });

  test("gets 404 at an address that takes no WebSockets", async () => {
    await expect(TestClient.connect(`ws://127.0.0.1:${emulator.current.port}/socket`)).rejects.toMatchObject({
      status: 404,
    });
  });

  test("gets 400 without a key, before $connect is called", async () => {
    const { port } = emulator.current;
    const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
    const status = await new Promise((resolve, reject) => {
      const path = `/_aws/execute-api/${scripted.id}/live?fail=1`;
      get({ host: "127.0.0.1", port, path, headers }, (response) => resolve(response.statusCode)).on("error", reject);
    });
    expect(status).toBe(400);
  });

  test.each(["a,,b", "a=b", "a, a", ","])(
    "gets 400 for the subprotocols %j, before $connect is called",
    async (offer) => {
      const headers = { "Sec-WebSocket-Protocol": offer };
      await expect(TestClient.connect(`${scripted.url()}?fail=1`, [], { headers })).rejects.toEqual(
        refused(400, "Invalid Sec-WebSocket-Protocol header", "BadRequestException"),
      );
    },
  );

  test("passes on headers and parameters of any name", async () => {
    const names = ["constructor", "__proto__", "toString"];
    const echo = await makeFunction(
      new LambdaClient(settings(emulator.current)),
      "headers",
      `exports.handler = async (event) => {
        const seen = ${JSON.stringify(names)}.map((name) => [
          event.headers[name], event.multiValueHeaders[name], event.queryStringParameters[name], event.multiValueQueryStringParameters[name],
        ]);
        const isRight = JSON.stringify(seen) === JSON.stringify(Array(3).fill(["h", ["h"], "2", ["1", "2"]]));
        return { statusCode: isRight ? 200 : 418 };
      };`,
    );
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$connect", { integration: proxyTo(echo) });
    await api.stage();
    const headers = Object.fromEntries(names.map((name) => [name, "h"]));
    const query = names.map((name) => `${name}=1&${name}=2`).join("&");
    (await TestClient.connect(`${api.url()}?${query}`, [], { headers })).socket.close();
  });

  test("is what a plain request to the stage is told to make", async () => {
    expect((await fetch(scripted.management())).status).toBe(426);
  });

  test("to an HTTP API's address is answered with what is not emulated", async () => {
    const { ApiId } = await client.send(new CreateApiCommand({ Name: "http", ProtocolType: "HTTP" }));
    const address = `127.0.0.1:${emulator.current.port}/_aws/execute-api/${ApiId}/live`;
    await expect(TestClient.connect(`ws://${address}`)).rejects.toMatchObject({ status: 501 });
    expect((await fetch(`http://${address}/things`)).status).toBe(501);
  });

  test("shows in the watched requests with its status", async () => {
    const seen: string[] = [];
    const stop = emulator.current.watch(({ service, operation, status }) =>
      seen.push(`${service} ${operation} ${status}`),
    );
    const opened = await TestClient.connect(answering({ statusCode: 200 }));
    await TestClient.connect(answering({ statusCode: 401 })).catch(() => {});
    await expect
      .poll(() => seen)
      .toEqual(expect.arrayContaining(["execute-api CONNECT /live 101", "execute-api CONNECT /live 401"]));
    stop();
    opened.socket.close();
  });
});

describe("the subprotocol", () => {
  const offer = ["sensorcast.v1", "c2VjcmV0"];

  test.each([
    ["headers", { "Sec-WebSocket-Protocol": "sensorcast.v1" }, "headers"],
    ["headers of any case", { "sec-websocket-protocol": "sensorcast.v1" }, "headers"],
    ["multi-value headers", { "Sec-WebSocket-Protocol": ["sensorcast.v1"] }, "multiValueHeaders"],
  ])("is the one that $connect names in its %s", async (_what, headers, member) => {
    const opened = await TestClient.connect(answering({ statusCode: 200, [member]: headers }), offer);
    expect(opened.socket.protocol).toBe("sensorcast.v1");
    opened.socket.close();
  });

  test("is never one of the offer by itself: a client that wants one gives up", async () => {
    await expect(TestClient.connect(answering({ statusCode: 200 }), offer)).rejects.toThrow(
      "Server sent no subprotocol",
    );
  });
});

describe("other addresses", () => {
  test("the API's host name leads to the stage", async () => {
    const opened = await TestClient.connect(
      `ws://127.0.0.1:${emulator.current.port}/live?answer={"statusCode":200}`,
      [],
      {
        headers: { Host: `${scripted.id}.execute-api.localhost:${emulator.current.port}` },
      },
    );
    opened.socket.close();
  });

  test("a custom domain leads to the mapped stage, by key or without", async () => {
    const DomainNameConfigurations = [{ CertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1" }];
    const DomainName = "live.example.com";
    await client.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations }));
    const to = { DomainName, ApiId: scripted.id, Stage: "live" };
    await client.send(new CreateApiMappingCommand({ ...to, ApiMappingKey: "v1" }));
    const at = (path: string) =>
      TestClient.connect(`ws://127.0.0.1:${emulator.current.port}${path}?answer={"statusCode":200}`, [], {
        headers: { Host: DomainName },
      });
    (await at("/v1")).socket.close();
    await expect(at("/")).rejects.toMatchObject({ status: 403 });
    await client.send(new CreateApiMappingCommand(to));
    (await at("/")).socket.close();
  });

  test("a wildcard domain leads to it from every name below, in any case; a name of its own comes first", async () => {
    const DomainNameConfigurations = [{ CertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1" }];
    const domain = async (DomainName: string, ApiId: string) => {
      await client.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations }));
      await client.send(new CreateApiMappingCommand({ DomainName, ApiId, Stage: "live" }));
    };
    const connect = (Host: string) =>
      TestClient.connect(`ws://127.0.0.1:${emulator.current.port}/?answer={"statusCode":418}`, [], {
        headers: { Host },
      });
    const open = await WebSocketApi.create(client, emulator.current);
    await open.add("$default");
    await open.stage();
    await domain("*.wild.example.com", open.id);
    await domain("closed.wild.example.com", scripted.id);
    (await connect("one.wild.example.com")).socket.close();
    (await connect("TWO.Wild.example.com")).socket.close();
    await expect(connect("closed.wild.example.com")).rejects.toMatchObject({ status: 418 });
    await expect(connect("a.b.wild.example.com")).rejects.toMatchObject({ status: 404 });
  });

  test("the default one is closed when the API says so", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$default");
    await api.stage();
    await client.send(new UpdateApiCommand({ ApiId: api.id, DisableExecuteApiEndpoint: true }));
    await expect(TestClient.connect(api.url())).rejects.toMatchObject({ status: 403 });
  });
});

describe("connections end", () => {
  test("when their API is deleted", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$default");
    await api.stage();
    const opened = await TestClient.connect(api.url());
    await client.send(new DeleteApiCommand({ ApiId: api.id }));
    expect(await opened.closed).toEqual({ code: 1001, reason: "Going away" });
  });

  test.each(["reset", "close"] as const)("at the emulator's %s", async (how) => {
    await using own = await startEmulator({ port: 0 });
    const api = await WebSocketApi.create(new ApiGatewayV2Client(settings(own)), own);
    await api.add("$default");
    await api.stage();
    const opened = await TestClient.connect(api.url());
    await own[how]();
    expect((await opened.closed).code).toBe(1006);
  });
});
