import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { actions } from "../handlers/websocket/actions";
import { authorizeConnections, jwt, sharedToken } from "../handlers/websocket/authorizer";
import { connect, disconnect } from "../handlers/websocket/connections";
import { customAction } from "../handlers/websocket/custom";
import type { WebSocketAnswer } from "../handlers/websocket/event";
import { say, socketEvent, useLive } from "./harness/live";

/** What an untyped callback may come up with, by its token. */
const principals: Record<string, never> = {
  "no-id": {},
  "only-true": true,
  "text-devices": { id: "x", devices: "abc" },
  "null-devices": { id: "x", devices: null },
  "empty-device": { id: "x", devices: ["a", ""] },
  "number-device": { id: "x", devices: [7] },
  "too-many": { id: "x", devices: Array.from({ length: 800 }, (_, i) => `device-${i}`) },
  nothing: { id: "x", devices: [] },
  everything: { id: "x", devices: ["a", "*"] },
} as unknown as Record<string, never>;

const live = useLive({
  connect,
  disconnect,
  actions,
  token: authorizeConnections({ makeAuthorize: sharedToken }),
  jwt: authorizeConnections({ makeAuthorize: jwt }),
  callback: authorizeConnections({
    makeAuthorize:
      () =>
      (token, { headers }) => {
        if (token === "unknown") throw new Error("Unauthorized");
        return token === "let-me-in"
          ? { id: "Oulu", devices: ["a", "b"], context: { host: headers?.Host ?? "" } }
          : (principals[token] ?? null);
      },
  }),
  custom: customAction({
    onAction: (frame, { connectionId, principal, devices, context }) => {
      if (frame.value === "who") return { devices, context };
      if ((frame.value as number) > 1e15) return { type: "number", is: typeof frame.value };
      if (frame.value === "quiet") return undefined;
      if (frame.value === "throw") throw new Error("a detail for the log only");
      return { type: "done", value: frame.value, connectionId, principal };
    },
  }),
});

const MARKER = "sensorcast.v1";
const offering = (value: string, name = "Sec-WebSocket-Protocol") => ({ headers: { [name]: value, Host: "live" } });
const enter = (id: string, more: Parameters<typeof socketEvent>[2] = {}, environment: Record<string, string> = {}) =>
  live.start("connect", environment).invoke<WebSocketAnswer>(socketEvent(id, "$connect", more));
const limited = (...devices: string[]) => ({
  authorizer: { principalId: "Oulu", sensorcastDevices: JSON.stringify(devices) },
});
const speak = (id: string, frame: unknown, routeKey?: string) => say(live.start("actions"), id, frame, routeKey);

describe("an authorizer", () => {
  const methodArn = "arn:aws:execute-api:eu-west-1:000000000000:api/live/$connect";
  type Policy = {
    principalId: string;
    policyDocument: { Statement: { Effect: string; Resource: string }[] };
    context?: Record<string, unknown>;
  };
  const ask = (value?: string, more = {}, name: "token" | "callback" = "callback", environment = {}) =>
    live.start(name, environment).invoke<Policy>({
      methodArn,
      ...(value === undefined ? { headers: {} } : offering(value)),
      requestContext: { requestId: "1" },
      ...more,
    });

  test("gets the token that stands beside the marker, whatever the header's case, order and spaces", async () => {
    const wanted = expect.objectContaining({ principalId: "Oulu" });
    expect(await ask(`${MARKER}, let-me-in`)).toEqual(wanted);
    expect(await ask(`let-me-in ,${MARKER}`)).toEqual(wanted);
    expect(await ask(undefined, offering(`${MARKER},let-me-in`, "sec-websocket-protocol"))).toEqual(wanted);
    const several = { "Sec-WebSocket-Protocol": [MARKER, "let-me-in"] };
    expect(await ask(undefined, { ...offering("let-me-in"), multiValueHeaders: several })).toEqual(wanted);
  });

  test("lets in whom the callback names, limited to its devices, and passes facts on", async () => {
    expect(await ask(`${MARKER}, let-me-in`)).toEqual({
      principalId: "Oulu",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: methodArn }],
      },
      context: { host: "live", sensorcastDevices: '["a","b"]' },
    });
  });

  test("denies whom the callback does not know, and answers 401 to who has no token", async () => {
    const { policyDocument } = await ask(`${MARKER}, wrong`);
    expect(policyDocument.Statement[0]!.Effect).toBe("Deny");
    for (const value of [MARKER, undefined, "let-me-in", `${MARKER}, unknown`]) {
      await expect(ask(value)).rejects.toThrow("Unauthorized");
    }
  });

  test("lets in nobody by what is no principal, or by devices that it cannot read", async () => {
    for (const token of ["no-id", "only-true"]) await expect(ask(`${MARKER}, ${token}`)).rejects.toThrow(/with an id/);
    for (const token of ["text-devices", "null-devices", "empty-device", "number-device"]) {
      await expect(ask(`${MARKER}, ${token}`)).rejects.toThrow(/array of device names/);
    }
    await expect(ask(`${MARKER}, too-many`)).rejects.toThrow(/API Gateway takes 8192/);
  });

  test("takes no devices for none, and * for all", async () => {
    expect((await ask(`${MARKER}, nothing`)).context).toEqual({ sensorcastDevices: "[]" });
    expect(await ask(`${MARKER}, everything`)).not.toHaveProperty("context");
  });

  test("takes a token alone only where that is asked for", async () => {
    const single = { WEBSOCKET_SINGLE_TOKEN: "yes" };
    expect((await ask("let-me-in", {}, "callback", single)).principalId).toBe("Oulu");
    await expect(ask("let-me-in, more", {}, "callback", single)).rejects.toThrow("Unauthorized");
  });

  test("knows the shared token by its hash", async () => {
    const hash = createHash("sha256").update("the-shared-token").digest("hex");
    const effect = async (value: string, environment: Record<string, string>) =>
      (await ask(value, {}, "token", environment)).policyDocument.Statement[0]!.Effect;
    expect(await effect(`${MARKER}, the-shared-token`, { WEBSOCKET_TOKEN_HASH: hash })).toBe("Allow");
    expect(await effect(`${MARKER}, the-shared-tokem`, { WEBSOCKET_TOKEN_HASH: hash })).toBe("Deny");
    // A stack that lost its token lets nobody in.
    expect(await effect(`${MARKER}, anything`, { WEBSOCKET_TOKEN_HASH: "" })).toBe("Deny");
  });

  test("never writes a token to its log", async () => {
    await ask(`${MARKER}, let-me-in`);
    await ask(`${MARKER}, wrong-but-secret`);
    expect(live.start("callback").log).not.toMatch(/let-me-in|wrong-but-secret/);
  });
});

describe("an authorizer of JSON Web Tokens", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const issuer = "https://issuer.example";
  const now = Math.floor(Date.now() / 1000);
  const token = (claims: Record<string, unknown>) => {
    const all = { iss: issuer, aud: "dashboard", sub: "viewer", exp: now + 600, ...claims };
    const content = `${base64url({ alg: "RS256", kid: "k1" })}.${base64url(all)}`;
    return `${content}.${sign("sha256", Buffer.from(content), privateKey).toString("base64url")}`;
  };
  const server = createServer((_request, response) => {
    response.end(
      JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" }] }),
    );
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const ask = (offered: string, rules: Record<string, unknown> = {}) => {
    const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const WEBSOCKET_JWT = JSON.stringify({
      issuer,
      audience: ["dashboard"],
      jwksUri,
      devicesClaim: "devices",
      ...rules,
    });
    const event = { methodArn: "arn:aws:execute-api:eu-west-1:000000000000:api/live/$connect", requestContext: {} };
    const running = live.start("jwt", { WEBSOCKET_JWT });
    return running.invoke<Record<string, unknown>>({ ...event, ...offering(`${MARKER}, ${offered}`) });
  };

  test("lets in who has a valid one, limited to the devices that it names", async () => {
    const { principalId, context } = await ask(token({ devices: ["a"] }));
    expect({ principalId, context }).toEqual({ principalId: "viewer", context: { sensorcastDevices: '["a"]' } });
    expect(await ask(token({ devices: ["*"] }))).not.toHaveProperty("context");
    expect((await ask(token({ aud: ["other", "dashboard"], devices: [] }))).context).toEqual({
      sensorcastDevices: "[]",
    });
  });

  test("shows nothing to a token that names no devices, where devices are asked for", async () => {
    expect((await ask(token({}))).context).toEqual({ sensorcastDevices: "[]" });
    expect(await ask(token({}), { devicesClaim: undefined })).not.toHaveProperty("context");
  });

  test("refuses tokens that never end, and those signed by what everybody knows", async () => {
    await expect(ask(token({ exp: undefined }))).rejects.toThrow(/^Error: Unauthorized$/);
    const claims = base64url({ iss: issuer, aud: "dashboard", sub: "x", exp: now + 600, devices: ["*"] });
    const pem = publicKey.export({ type: "spki", format: "pem" });
    for (const alg of ["none", "HS256"]) {
      const content = `${base64url({ alg, kid: "k1" })}.${claims}`;
      const signature = alg === "none" ? "" : createHmac("sha256", pem).update(content).digest("base64url");
      await expect(ask(`${content}.${signature}`)).rejects.toThrow(/^Error: Unauthorized$/);
    }
  });

  test("refuses what is expired, for others, from others, forged, or names devices that are none", async () => {
    const forged = token({}).replace(/[^.]+$/, "AAAA");
    const wrong = [
      { exp: now - 60 },
      { aud: "other" },
      { iss: "https://other.example" },
      { devices: "a" },
      { devices: null },
      { devices: [""] },
    ].map(token);
    for (const offered of [...wrong, forged, "no-jwt"]) {
      await expect(ask(offered)).rejects.toThrow(/^Error: Unauthorized$/);
    }
  });

  test("does not blame the client when the keys cannot be fetched", async () => {
    await expect(ask(token({}), { jwksUri: "http://127.0.0.1:1/keys" })).rejects.not.toThrow("Unauthorized");
  });
});

describe("$connect", () => {
  test("answers the marker as the client wrote it, and never the token", async () => {
    expect(await enter("c1", offering(`${MARKER}, secret-token`))).toEqual({
      statusCode: 200,
      headers: { "Sec-WebSocket-Protocol": MARKER },
    });
    expect(await enter("c2", offering("secret-token, Sensorcast.V1", "sec-websocket-protocol"))).toEqual({
      statusCode: 200,
      headers: { "Sec-WebSocket-Protocol": "Sensorcast.V1" },
    });
    expect(await enter("c3")).toEqual({ statusCode: 200 });
    expect(await enter("c4", offering("secret-token"))).toEqual({ statusCode: 200 });
    expect(live.start("connect").log).not.toContain("secret-token");
    expect(JSON.stringify(await live.rows())).not.toContain("secret-token");
  });

  test("notes connections in all shards, for two hours from when they began", async () => {
    const connectedAt = Date.now() - 60_000;
    for (let i = 0; i < 40; i++) await enter(`Lm${i}xyz=`, { connectedAt });
    const rows = await live.rows();
    expect(new Set(rows.map(({ pk }) => pk!.S).filter((pk) => pk!.startsWith("everyone#"))).size).toBe(4);
    const expires = String(Math.floor(connectedAt / 1000) + 7200);
    expect(rows.every(({ expiresAt }) => expiresAt!.N === expires)).toBe(true);
  });

  test("subscribes at once to what the URL names, and refuses names that cannot be", async () => {
    expect((await enter("c1", { queryStringParameters: { devices: "a,b" } })).statusCode).toBe(200);
    expect(await speak("c1", { action: "unsubscribe", devices: ["a", "b"] })).toMatchObject({ devices: ["a", "b"] });
    expect((await enter("c2", { queryStringParameters: { devices: "," } })).statusCode).toBe(400);
  });
});

describe("a client", () => {
  test("subscribes, again without harm, and unsubscribes", async () => {
    await enter("c1");
    const before = (await live.rows()).length;
    const subscribe = { action: "subscribe", devices: ["a", "b", "a"], requestId: "7" };
    for (let i = 0; i < 2; i++) {
      expect(await speak("c1", subscribe)).toEqual({ type: "subscribed", devices: ["a", "b"], requestId: "7" });
    }
    expect((await live.rows()).length).toBe(before + 4);
    expect(await speak("c1", { action: "unsubscribe", devices: ["a", "b"] })).toEqual({
      type: "unsubscribed",
      devices: ["a", "b"],
    });
    expect((await live.rows()).length).toBe(before);
  });

  test("that is limited to devices gets no others, and everything means these", async () => {
    await enter("c1", limited("a", "b"));
    expect(await speak("c1", { action: "subscribe", devices: ["a", "x"] })).toMatchObject({ devices: ["a"] });
    expect(await speak("c1", { action: "subscribe", devices: ["*"] })).toMatchObject({ devices: ["a", "b"] });
    expect(await speak("c1", { action: "subscribe", devices: ["x"] })).toEqual({
      type: "error",
      message: "these devices are not open to you",
      action: "subscribe",
    });
    const keys = (await live.rows()).map(({ pk }) => pk!.S!);
    expect(keys.filter((key) => /#(\*|x)$|^everyone/.test(key))).toEqual([]);
  });

  test("that is limited to no devices gets nothing", async () => {
    await enter("c1", { ...limited(), queryStringParameters: { devices: "*" } });
    for (const devices of [["*"], ["a"]]) {
      expect(await speak("c1", { action: "subscribe", devices })).toMatchObject({ type: "error" });
    }
    expect((await live.rows()).map(({ pk }) => pk!.S!)).toEqual(["connection#c1"]);
  });

  test("may subscribe to devices with any name, of which nothing else is meant", async () => {
    await enter("c1");
    const devices = ["__proto__", "constructor", "a#b", "0#a", "ä 漢", "\u0000", "x".repeat(1000)];
    expect(await speak("c1", { action: "subscribe", devices })).toEqual({ type: "subscribed", devices });
    expect(await speak("c1", { action: "unsubscribe", devices })).toEqual({ type: "unsubscribed", devices });
    expect(await live.rows()).toHaveLength(2);
  });

  test("is told what is wrong with a frame", async () => {
    await enter("c1");
    const complaint = async (frame: unknown, routeKey?: string) => {
      const { type, message } = await speak("c1", frame, routeKey);
      expect(type).toBe("error");
      return message;
    };
    expect(await complaint("{oops")).toBe("the frame is not valid JSON");
    expect(await complaint("[1]")).toBe("a frame must be a JSON object");
    expect(await complaint("null")).toBe("a frame must be a JSON object");
    expect(await complaint({ action: "dance" }, "$default")).toBe("there is no such action");
    expect(await complaint({ action: 7 }, "$default")).toMatch(/no "action"/);
    for (const devices of [undefined, "a", [], [""], [7], ["x".repeat(1001)], ["\ud800"]]) {
      expect(await complaint({ action: "subscribe", devices })).toMatch(/devices must be an array/);
    }
    const many = Array.from({ length: 101 }, (_, i) => `d${i}`);
    expect(await complaint({ action: "subscribe", devices: many })).toMatch(/at most 100/);
  });

  test("cannot subscribe to more devices than there is room for", async () => {
    await enter("c1");
    const hundred = (n: number) => Array.from({ length: 100 }, (_, i) => `d${n * 100 + i}`);
    for (let n = 0; n < 5; n++) {
      expect(await speak("c1", { action: "subscribe", devices: hundred(n) })).toMatchObject({ type: "subscribed" });
    }
    expect(await speak("c1", { action: "subscribe", devices: ["one-more"] })).toMatchObject({ type: "error" });
    expect(await speak("c1", { action: "subscribe", devices: hundred(0) })).toMatchObject({ type: "subscribed" });
  });

  test("is told to try again what the table could not take", async () => {
    const actionsWithoutTable = live.start("actions", { WEBSOCKET_TABLE: "no-such-table" });
    expect(await say(actionsWithoutTable, "c1", { action: "subscribe", devices: ["a"] })).toEqual({
      ...{ type: "error", message: "it could not be done now; try again", action: "subscribe", retry: true },
    });
  });

  test("gets pong for ping", async () => {
    expect(await speak("c1", { action: "ping" })).toEqual({ type: "pong" });
  });

  test("that went leaves nothing behind, however often it is said to have gone", async () => {
    await enter("c1");
    await enter("c2");
    await speak("c1", { action: "subscribe", devices: ["a", "*"] });
    await speak("c2", { action: "subscribe", devices: ["a"] });
    for (let i = 0; i < 2; i++) await live.start("disconnect").invoke(socketEvent("c1", "$disconnect"));
    expect(JSON.stringify(await live.rows())).not.toContain("c1");
    expect((await live.rows()).length).toBe(4);
    expect(await speak("c1", { action: "subscribe", devices: ["a"] })).toMatchObject({
      type: "error",
      reconnect: true,
    });
  });

  test("that sends to all says who it is only by its principal", async () => {
    await enter("c1", { authorizer: { principalId: "Oulu" } });
    expect(await speak("c1", { action: "message", data: { level: 1 } })).toEqual({ type: "sent" });
    expect(await speak("c1", { action: "message" })).toMatchObject({ type: "error", message: "data is missing" });
    const large = { action: "message", data: "x".repeat(128 * 1024) };
    expect(await speak("c1", large)).toMatchObject({ type: "error", message: expect.stringContaining("128 KB") });
    expect(await live.sent()).toEqual([{ id: "c1-request", from: "Oulu", sender: "c1", data: { level: 1 } }]);
  });
});

describe("an action of one's own", () => {
  const ask = (frame: unknown, authorizer: Record<string, unknown> = { principalId: "Oulu" }) =>
    live
      .start("custom")
      .invoke<WebSocketAnswer>(
        socketEvent("c1", "set", { body: typeof frame === "string" ? frame : JSON.stringify(frame), authorizer }),
      );

  test("knows what its client may see, and what else was found out about it", async () => {
    const authorizer = { principalId: "Oulu", sensorcastDevices: '["a"]', site: "north" };
    expect(JSON.parse((await ask({ action: "set", value: "who" }, authorizer)).body!)).toEqual({
      devices: ["a"],
      context: { site: "north" },
    });
  });

  test("gets numbers as numbers, however many digits they have", async () => {
    const { body } = await ask('{"action":"set","value":9007199254740993}');
    expect(JSON.parse(body!)).toEqual({ type: "number", is: "number" });
  });

  test("answers what the callback returns, or nothing", async () => {
    const { body } = await ask({ action: "set", value: 3 });
    expect(JSON.parse(body!)).toEqual({ type: "done", value: 3, connectionId: "c1", principal: "Oulu" });
    expect(await ask({ action: "set", value: "quiet" })).toEqual({ statusCode: 200 });
  });

  test("answers an error without the details, which are in the log", async () => {
    const { body } = await ask({ action: "set", value: "throw", requestId: "9" });
    expect(JSON.parse(body!)).toEqual({
      type: "error",
      message: "it could not be done",
      action: "set",
      requestId: "9",
    });
    await expect.poll(() => live.start("custom").log).toContain("a detail for the log only");
  });
});
