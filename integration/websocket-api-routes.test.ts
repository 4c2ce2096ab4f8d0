import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ApiGatewayV2Client,
  CreateModelCommand,
  UpdateRouteCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyed } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { allowed, trustOf } from "./harness/policies";
import { functionUri } from "./harness/rest-api";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
let lambda: LambdaClient;
/** Answers what the message's `answer` says, or fails. */
let scripted: string;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
  scripted = await makeFunction(
    lambda,
    "scripted",
    `exports.handler = async (event) => {
      const { fail, hang, size, answer } = JSON.parse(event.body);
      if (fail) throw new Error(fail);
      if (hang) await new Promise(() => setInterval(() => {}, 1000));
      return size ? { statusCode: 200, body: "x".repeat(size) } : answer;
    };`,
    { Timeout: 60 },
  );
});

/** A MOCK that sends this text back. */
const saying = (text: string) => ({
  responses: [{ IntegrationResponseKey: "$default", ResponseTemplates: { $default: text } }],
  answers: true,
});

async function apiWith(expression: string | undefined, routes: Record<string, Parameters<WebSocketApi["add"]>[1]>) {
  const api = await WebSocketApi.create(client, emulator.current, expression);
  for (const [key, setup] of Object.entries(routes)) await api.add(key, setup);
  await api.stage();
  return api;
}

const errorFrame = (message: string) => ({
  message,
  connectionId: expect.stringMatching(/^[\w-]{15}=$/),
  requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
});

describe("the route", () => {
  test.each([
    ["its key", { action: "move" }, "moved"],
    ["$default for another key", { action: "fly" }, "default"],
    ["$default without the key", { x: 1 }, "default"],
    ["$default for text that is no JSON", "move", "default"],
    ["$default for a key that is no text", { action: { move: 1 } }, "default"],
    ["$default for who pretends to connect", { action: "$connect" }, "default"],
    ["$default for who pretends to leave", { action: "$disconnect" }, "default"],
  ])("is chosen by %s", async (_what, message, answer) => {
    const api = await apiWith("$request.body.action", {
      move: saying("moved"),
      $connect: {},
      $disconnect: saying("left"),
      $default: saying("default"),
    });
    const opened = await TestClient.connect(api.url());
    opened.send(message);
    expect(await opened.next()).toBe(answer);
    opened.socket.close();
  });

  const braces = (path: string) => `\${${path}}`;
  test.each([
    ["braces", braces("request.body.kind"), { kind: "move" }],
    ["a path", "$request.body.message.kind", { message: { kind: "move" } }],
    ["two parts", `${braces("request.body.a")}/${braces("request.body.b")}`, { a: "mo", b: "ve" }],
    ["a number", "$request.body.code", { code: 7 }],
  ])("is chosen by an expression with %s", async (_what, expression, message) => {
    const api = await apiWith(expression, {
      move: saying("moved"),
      "mo/ve": saying("moved"),
      "7": saying("moved"),
      $default: saying("default"),
    });
    const opened = await TestClient.connect(api.url());
    opened.send(message);
    expect(await opened.next()).toBe("moved");
    opened.socket.close();
  });

  test.each([{ action: "fly" }, "no JSON"])('gives the client "Forbidden" where nothing takes %j', async (message) => {
    const api = await apiWith(undefined, { move: saying("moved") });
    const opened = await TestClient.connect(api.url());
    expect(await opened.ask(message)).toEqual(errorFrame("Forbidden"));
    opened.send({ action: "move" });
    expect(await opened.next()).toBe("moved");
    opened.socket.close();
  });

  test("that came with a later deployment serves connections that were open before", async () => {
    const api = await apiWith(undefined, { $default: saying("old") });
    const opened = await TestClient.connect(api.url());
    opened.send({ action: "new" });
    expect(await opened.next()).toBe("old");
    await api.add("new", saying("new"));
    opened.send({ action: "new" });
    expect(await opened.next()).toBe("new");
    opened.socket.close();
  });

  test("with a model refuses messages that do not fit it", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    const Schema = JSON.stringify({ type: "object", required: ["device"], properties: { device: { type: "string" } } });
    await client.send(new CreateModelCommand({ ApiId: api.id, Name: "subscribe", Schema }));
    await api.add("subscribe", { ...saying("ok"), route: { RequestModels: { $default: "subscribe" } } });
    await api.stage();
    const opened = await TestClient.connect(api.url());
    expect(await opened.ask({ action: "subscribe", device: 1 })).toEqual(errorFrame("Invalid request body"));
    opened.send({ action: "subscribe", device: "a" });
    expect(await opened.next()).toBe("ok");
    opened.socket.close();
  });

  test.each(["constructor", "__proto__", "toString"])(
    "checks messages that name a model %j with the default one",
    async (kind) => {
      const api = await WebSocketApi.create(client, emulator.current);
      const route = { ModelSelectionExpression: "$request.body.kind", RequestModels: { $default: "Empty" } };
      await api.add("$default", { ...saying("ok"), route });
      await api.stage();
      const opened = await TestClient.connect(api.url());
      opened.send({ kind });
      expect(await opened.next()).toBe("ok");
      opened.socket.close();
    },
  );
});

describe("a Lambda proxy integration", () => {
  const ask = async (message: object, answers = true) => {
    const api = await apiWith(undefined, { $default: { integration: proxyTo(scripted), answers } });
    const opened = await TestClient.connect(api.url());
    opened.send(message);
    return opened;
  };

  test("sends the answer's body back through a route response", async () => {
    const opened = await ask({ answer: { statusCode: 200, body: "hello" } });
    expect(await opened.next()).toBe("hello");
    opened.socket.close();
  });

  test("sends nothing back without one, whatever the status", async () => {
    const opened = await ask({ answer: { statusCode: 200, body: "hello" } }, false);
    opened.send({ answer: { statusCode: 500, body: "sorry" } });
    // The last message shows that the ones before it were answered, or not.
    expect(await opened.ask({ fail: "now" })).toEqual(errorFrame("Internal server error"));
    expect(opened.messages).toHaveLength(1);
    opened.socket.close();
  });

  test("needs the route's expression as well as its response", async () => {
    const api = await WebSocketApi.create(client, emulator.current);
    const { routeId } = await api.add("$default", saying("hello"));
    await client.send(
      new UpdateRouteCommand({ ApiId: api.id, RouteId: routeId, RouteResponseSelectionExpression: "" }),
    );
    await api.add("end", saying("end"));
    await api.stage();
    const opened = await TestClient.connect(api.url());
    opened.send({ action: "x" });
    opened.send({ action: "end" });
    expect(await opened.next()).toBe("end");
    opened.socket.close();
  });

  test.each([
    ["fails", { fail: "broken" }],
    ["answers no status", { answer: { body: "x" } }],
    ["answers nothing", {}],
    ["answers more than 128 KB", { size: 128 * 1024 + 1 }],
  ])("tells the client of an error when the function %s", async (_what, message) => {
    const opened = await ask(message);
    expect(await opened.nextJson()).toEqual(errorFrame("Internal server error"));
    opened.socket.close();
  });

  test("gives up after 29 seconds", async () => {
    const opened = await ask({ hang: true });
    const answer = opened.nextJson();
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await expect
      .poll(async () => {
        await emulator.current.clock.advance("29 seconds");
        return isAnswered;
      })
      .toBe(true);
    expect(await answer).toEqual(errorFrame("Endpoint request timed out"));
    opened.socket.close();
  });

  test("calls the function that a stage variable names", async () => {
    const uri = functionUri("arn:aws:lambda:eu-west-1:000000000000:function:").replace(
      "/invocations",
      `\${stageVariables.fn}/invocations`,
    );
    const api = await WebSocketApi.create(client, emulator.current);
    await api.add("$default", { integration: { IntegrationType: "AWS_PROXY", IntegrationUri: uri }, answers: true });
    await api.stage({ StageVariables: { fn: "nobody" } });
    const opened = await TestClient.connect(api.url());
    const message = { answer: { statusCode: 200, body: '"found"' } };
    expect(await opened.ask(message)).toEqual(errorFrame("Internal server error"));
    await client.send(new UpdateStageCommand({ ApiId: api.id, StageName: "live", StageVariables: { fn: "scripted" } }));
    expect(await opened.ask(message)).toBe("found");
    opened.socket.close();
  });
});

describe("other integrations", () => {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.statusCode = request.url?.startsWith("/teapot") ? 418 : 200;
    const { method, url } = request;
    const connection = request.headers["x-connection"];
    response.end(JSON.stringify({ method, url, connection, body: Buffer.concat(chunks).toString() }));
  });
  let base: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("MOCK answers by the status that its template gives", async () => {
    const api = await apiWith(undefined, {
      $default: {
        integration: { RequestTemplates: { $default: '{"statusCode": $input.json("$.want")}' } },
        responses: [
          { IntegrationResponseKey: "/4\\d\\d/", ResponseTemplates: { $default: "refused on $context.routeKey" } },
          { IntegrationResponseKey: "$default", ResponseTemplates: { $default: "fine" } },
        ],
        answers: true,
      },
    });
    const opened = await TestClient.connect(api.url());
    for (const [want, answer] of [
      [200, "fine"],
      [404, "refused on $default"],
    ] as const) {
      opened.send({ want });
      expect(await opened.next()).toBe(answer);
    }
    expect(await opened.ask({ want: "none" })).toEqual(errorFrame("Internal server error"));
    opened.socket.close();
  });

  test("HTTP_PROXY passes the message on, with mapped parameters", async () => {
    const api = await apiWith(undefined, {
      $default: {
        integration: {
          IntegrationType: "HTTP_PROXY",
          IntegrationMethod: "PUT",
          IntegrationUri: `${base}/things/{device}`,
          RequestParameters: {
            "integration.request.path.device": "route.request.body.device",
            "integration.request.querystring.stage": "context.stage",
            "integration.request.header.x-connection": "context.connectionId",
          },
        },
        answers: true,
      },
    });
    const opened = await TestClient.connect(api.url());
    expect(await opened.ask({ device: "a1" })).toEqual({
      method: "PUT",
      url: "/things/a1?stage=live",
      connection: expect.stringMatching(/=$/),
      body: '{"device":"a1"}',
    });
    opened.socket.close();
  });

  test("HTTP maps both ways, and selects the response by status", async () => {
    const integration = (path: string) => ({
      integration: {
        IntegrationType: "HTTP" as const,
        IntegrationMethod: "POST",
        IntegrationUri: `${base}${path}`,
        RequestTemplates: { $default: '{"value": $input.json("$.temp")}' },
      },
      responses: [
        { IntegrationResponseKey: "/4\\d\\d/", ResponseTemplates: { $default: "no" } },
        { IntegrationResponseKey: "$default", ResponseTemplates: { $default: 'got $input.path("$.body")' } },
      ],
      answers: true,
    });
    const api = await apiWith(undefined, { good: integration("/"), bad: integration("/teapot") });
    const opened = await TestClient.connect(api.url());
    opened.send({ action: "good", temp: 21 });
    expect(await opened.next()).toBe('got {"value": 21}');
    opened.send({ action: "bad", temp: 21 });
    expect(await opened.next()).toBe("no");
    opened.socket.close();
  });

  test("HTTP tells the client of an endpoint that is not there", async () => {
    const integration = { IntegrationType: "HTTP_PROXY" as const, IntegrationMethod: "POST" };
    const api = await apiWith(undefined, {
      $default: { integration: { ...integration, IntegrationUri: "http://127.0.0.1:1/" } },
    });
    const opened = await TestClient.connect(api.url());
    expect(await opened.ask({})).toEqual(errorFrame("Internal server error"));
    opened.socket.close();
  });

  test("AWS gives a function what the template makes, and selects the response by its error", async () => {
    const plain = await makeFunction(
      lambda,
      "plain",
      'exports.handler = async ({ n }) => { if (n < 0) throw new Error("negative: " + n); return { root: Math.sqrt(n) }; };',
    );
    const api = await apiWith(undefined, {
      $default: {
        integration: {
          IntegrationType: "AWS",
          IntegrationMethod: "POST",
          IntegrationUri: functionUri(plain),
          RequestTemplates: { $default: '{"n": $input.json("$.number")}' },
        },
        responses: [
          { IntegrationResponseKey: "/negative.*/", ResponseTemplates: { $default: "not that" } },
          { IntegrationResponseKey: "$default" },
        ],
        answers: true,
      },
    });
    const opened = await TestClient.connect(api.url());
    expect(await opened.ask({ number: 9 })).toEqual({ root: 3 });
    opened.send({ number: -1 });
    expect(await opened.next()).toBe("not that");
    opened.socket.close();
  });

  test("AWS writes to a table with the integration's role", async () => {
    const dynamo = new DynamoDBClient(settings(emulator.current));
    await dynamo.send(new CreateTableCommand({ TableName: "connections", ...keyed() }));
    const iam = new IAMClient(settings(emulator.current));
    const AssumeRolePolicyDocument = trustOf({ Service: "apigateway.amazonaws.com" });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "writer", AssumeRolePolicyDocument }));
    const PolicyDocument = allowed("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:000000000000:table/connections");
    await iam.send(new PutRolePolicyCommand({ RoleName: "writer", PolicyName: "write", PolicyDocument }));
    const template = '{"TableName":"connections","Item":{"pk":{"S":"$context.connectionId"}}}';
    const api = await apiWith(undefined, {
      $connect: {
        integration: {
          IntegrationType: "AWS",
          IntegrationMethod: "POST",
          IntegrationUri: "arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem",
          CredentialsArn: Role!.Arn,
          RequestTemplates: { $default: template },
        },
      },
      $default: saying("$context.connectionId"),
    });
    const opened = await TestClient.connect(api.url());
    opened.send("who am I");
    const S = await opened.next();
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: "connections", Key: { pk: { S } } }));
    expect(Item).toEqual({ pk: { S } });
    opened.socket.close();
  });
});
