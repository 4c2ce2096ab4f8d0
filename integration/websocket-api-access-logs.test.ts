import { APIGatewayClient, UpdateAccountCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { beforeAll, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { adminRole } from "./harness/permissions";
import { TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
let logs: CloudWatchLogsClient;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  logs = new CloudWatchLogsClient(settings(emulator.current));
  const value = await adminRole(client);
  const patchOperations = [{ op: "replace" as const, path: "/cloudwatchRoleArn", value }];
  await new APIGatewayClient(settings(emulator.current)).send(new UpdateAccountCommand({ patchOperations }));
});

async function linesOf(logGroupName: string): Promise<string[]> {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName })).catch(() => ({ events: [] }));
  return events.map(({ message }) => message!);
}

test("an access log has a line for the handshake, each message, the end and what was refused", async () => {
  const api = await WebSocketApi.create(client, emulator.current);
  await api.add("$connect");
  await api.add("$disconnect");
  await api.add("ping");
  const DestinationArn = "arn:aws:logs:eu-west-1:000000000000:log-group:live:*";
  const Format =
    "$context.eventType $context.routeKey $context.status $context.stage $context.identity.sourceIp $context.error.message $context.requestId";
  await api.stage({ AccessLogSettings: { DestinationArn, Format } });
  const opened = await TestClient.connect(api.url());
  opened.send({ action: "ping" });
  opened.send({ action: "unknown" });
  await opened.next();
  opened.socket.close();
  const lines = async () => (await linesOf("live")).map((line) => line.replace(/ [0-9a-f-]{36}$/, "")).sort();
  await expect
    .poll(lines)
    .toEqual([
      "CONNECT $connect 200 live 127.0.0.1 -",
      "DISCONNECT $disconnect 200 live 127.0.0.1 -",
      "MESSAGE $default 403 live 127.0.0.1 Forbidden",
      "MESSAGE ping 200 live 127.0.0.1 -",
    ]);
});

test("an access log tells of handshakes that were refused", async () => {
  const api = await WebSocketApi.create(client, emulator.current);
  await api.add("$connect", { integration: { RequestTemplates: { $default: '{"statusCode": 401}' } } });
  const DestinationArn = "arn:aws:logs:eu-west-1:000000000000:log-group:refused";
  await api.stage({ AccessLogSettings: { DestinationArn, Format: "$context.requestId $context.status" } });
  await expect(TestClient.connect(api.url())).rejects.toMatchObject({ status: 401 });
  await expect.poll(() => linesOf("refused")).toEqual([expect.stringMatching(/ 401$/)]);
});
