import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { outcome, RestApiBuilder } from "./harness/rest-api";
import { proxyTo, WebSocketApi } from "./harness/websocket-api";

/** What the emulator does without `verifySignatures`; with it, see "who may call" and "AWS_IAM" of the other files. */
const emulator = useEmulator({ verifySignatures: false });
let recorder: Recorder;
let api: WebSocketApi;
beforeAll(async () => {
  recorder = await makeRecorder(emulator.current);
  api = await WebSocketApi.create(new ApiGatewayV2Client(settings(emulator.current)), emulator.current);
  await api.add("$connect", {
    route: { AuthorizationType: "AWS_IAM" },
    integration: proxyTo(recorder.functionArn),
  });
  await api.stage();
});

const root = {
  accountId: "000000000000",
  caller: "000000000000",
  userArn: "arn:aws:iam::000000000000:root",
};

describe("without checks of signatures", () => {
  test("@connections takes an unsigned call", async () => {
    const { client, connectionId } = await recorder.connect(api.url());
    const url = `${api.management()}/@connections/${encodeURIComponent(connectionId)}`;
    expect((await fetch(url, { method: "POST", body: "unsigned" })).status).toBe(200);
    expect(await client.next()).toBe("unsigned");
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    expect((await client.closed).code).toBe(1000);
    expect((await fetch(url, { method: "POST", body: "late" })).status).toBe(410);
  });

  test("@connections takes a call signed with a wrong secret, but not another account's", async () => {
    const { client, connectionId } = await recorder.connect(api.url());
    const post = (accessKeyId: string) =>
      new ApiGatewayManagementApiClient({
        ...settings(emulator.current),
        endpoint: api.management(),
        credentials: { accessKeyId, secretAccessKey: "wrong" },
      }).send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: accessKeyId }));
    await post("test");
    expect(await client.next()).toBe("test");
    await expect(post("111122223333")).rejects.toMatchObject({ name: "AccessDeniedException" });
    client.socket.close();
  });

  test("AWS_IAM takes an unsigned handshake as the root of the API's account", async () => {
    const { client, event } = await recorder.connect(api.url());
    expect(event.requestContext.identity).toMatchObject({ ...root, accessKey: "" });
    client.socket.close();
  });

  test("AWS_IAM takes a broken signature, and believes the key that it names", async () => {
    const headers = { Authorization: "AWS4-HMAC-SHA256 Credential=000000000000/nonsense" };
    const { client, event } = await recorder.connect(api.url(), [], { headers });
    expect(event.requestContext.identity).toMatchObject({ accessKey: "000000000000", accountId: "000000000000" });
    client.socket.close();
    const { client: second, event: unknown } = await recorder.connect(`${api.url()}?X-Amz-Credential=AKIANOBODY/x`);
    expect(unknown.requestContext.identity).toMatchObject({ ...root, accessKey: "AKIANOBODY" });
    second.socket.close();
  });

  test("AWS_IAM methods of REST APIs take an unsigned request", async () => {
    const rest = await RestApiBuilder.create(new APIGatewayClient(settings(emulator.current)), emulator.current);
    await rest.add("GET /things", { method: { authorizationType: "AWS_IAM" } });
    expect((await outcome(await fetch(`${await rest.deploy()}/things`))).status).toBe(200);
  });
});
