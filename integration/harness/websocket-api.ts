import {
  type ApiGatewayV2Client,
  CreateApiCommand,
  CreateAuthorizerCommand,
  type CreateAuthorizerCommandInput,
  CreateIntegrationCommand,
  type CreateIntegrationCommandInput,
  CreateIntegrationResponseCommand,
  type CreateIntegrationResponseCommandInput,
  CreateRouteCommand,
  type CreateRouteCommandInput,
  CreateRouteResponseCommand,
  CreateStageCommand,
  type CreateStageCommandInput,
} from "@aws-sdk/client-apigatewayv2";
import { type ClientOptions, WebSocket } from "ws";
import type { Emulator } from "../../emulator";
import { functionUri, letInvokeBy } from "./rest-api";

/** How one route of a test API is set up. */
export interface RouteSetup {
  readonly route?: Partial<Omit<CreateRouteCommandInput, "ApiId" | "RouteKey">>;
  /** @default a MOCK that answers 200 */
  readonly integration?: Partial<Omit<CreateIntegrationCommandInput, "ApiId">>;
  readonly responses?: readonly Omit<CreateIntegrationResponseCommandInput, "ApiId" | "IntegrationId">[];
  /** Sends the integration's answer back to the client. @default false */
  readonly answers?: boolean;
}

export const mock: RouteSetup["integration"] = {
  IntegrationType: "MOCK",
  RequestTemplates: { $default: '{"statusCode": 200}' },
};

/** Settings of a Lambda proxy integration. */
export const proxyTo = (functionArn: string): RouteSetup["integration"] => ({
  IntegrationType: "AWS_PROXY",
  IntegrationUri: functionUri(functionArn),
});

/** A WebSocket API being built through the SDK, and the addresses of its stages. */
export class WebSocketApi {
  private constructor(
    private readonly client: ApiGatewayV2Client,
    private readonly emulator: Pick<Emulator, "port" | "endpoint">,
    readonly id: string,
  ) {}

  static async create(
    client: ApiGatewayV2Client,
    emulator: Pick<Emulator, "port" | "endpoint">,
    RouteSelectionExpression = "$request.body.action",
  ): Promise<WebSocketApi> {
    const { ApiId } = await client.send(
      new CreateApiCommand({ Name: "live", ProtocolType: "WEBSOCKET", RouteSelectionExpression }),
    );
    return new WebSocketApi(client, emulator, ApiId!);
  }

  async add(RouteKey: string, { route, integration = mock, responses = [], answers = false }: RouteSetup = {}) {
    const ApiId = this.id;
    await letInvokeBy(this.client, integration?.IntegrationUri);
    const { IntegrationId } = await this.client.send(
      new CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK", ...integration }),
    );
    for (const response of responses)
      await this.client.send(new CreateIntegrationResponseCommand({ ApiId, IntegrationId, ...response }));
    const { RouteId } = await this.client.send(
      new CreateRouteCommand({
        ApiId,
        RouteKey,
        Target: `integrations/${IntegrationId}`,
        ...(answers ? { RouteResponseSelectionExpression: "$default" } : {}),
        ...route,
      }),
    );
    if (answers)
      await this.client.send(new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
    return { routeId: RouteId!, integrationId: IntegrationId! };
  }

  async authorizer(functionArn: string, options: Partial<CreateAuthorizerCommandInput> = {}): Promise<string> {
    await letInvokeBy(this.client, functionUri(functionArn));
    const { AuthorizerId } = await this.client.send(
      new CreateAuthorizerCommand({
        ApiId: this.id,
        Name: "gate",
        AuthorizerType: "REQUEST",
        AuthorizerUri: functionUri(functionArn),
        IdentitySource: ["route.request.querystring.token"],
        ...options,
      }),
    );
    return AuthorizerId!;
  }

  async stage(options: Partial<CreateStageCommandInput> = {}): Promise<void> {
    await this.client.send(new CreateStageCommand({ ApiId: this.id, StageName: "live", AutoDeploy: true, ...options }));
  }

  /** `ws://localhost:<port>/_aws/execute-api/<id>/live`, by address so that no name has to be looked up. */
  url(stage = "live"): string {
    return `ws://127.0.0.1:${this.emulator.port}/_aws/execute-api/${this.id}/${stage}`;
  }

  /** The endpoint of a management client. */
  management(stage = "live"): string {
    return `${this.emulator.endpoint}/_aws/execute-api/${this.id}/${stage}`;
  }
}

/** What ended a connection. */
export interface Closed {
  code: number;
  reason: string;
}

/** A WebSocket client that keeps what it gets. */
export class TestClient {
  readonly messages: string[] = [];
  readonly closed: Promise<Closed>;
  private readonly waiting: ((message: string) => void)[] = [];
  private taken = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      this.messages.push(data.toString());
      const next = this.waiting.shift();
      if (next) next(this.messages[this.taken++]!);
    });
    this.closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** Rejects with a {@link Refusal} when the handshake gets another answer than 101. */
  static connect(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<TestClient> {
    const socket = new WebSocket(url, protocols, options);
    const client = new TestClient(socket);
    return new Promise((resolve, reject) => {
      socket.on("open", () => resolve(client));
      socket.on("error", reject);
      socket.on("unexpected-response", async (_request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const type = response.headers["x-amzn-errortype"];
        reject(new Refusal(response.statusCode!, Buffer.concat(chunks).toString(), String(type ?? "")));
        socket.terminate();
      });
    });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next message that nobody has taken yet, as text. */
  next(): Promise<string> {
    if (this.taken < this.messages.length) return Promise.resolve(this.messages[this.taken++]!);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async nextJson<T = Record<string, unknown>>(): Promise<T> {
    return JSON.parse(await this.next()) as T;
  }

  /** Sends a message and waits for the answer. */
  ask<T = Record<string, unknown>>(message: unknown): Promise<T> {
    const answer = this.nextJson<T>();
    this.send(message);
    return answer;
  }
}

/** A handshake that was not accepted. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
    readonly errorType: string,
  ) {
    super(`the handshake was answered with ${status}: ${body}`);
  }
}
