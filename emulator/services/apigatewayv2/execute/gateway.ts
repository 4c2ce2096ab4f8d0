import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ConnectionDropped } from "../../../core/faults/call";
import { SignatureVerifier } from "../../../core/gateway/signer";
import type { TokenBuckets } from "../../../core/gateway/token-buckets";
import { readTrace } from "../../../core/journal/trace";
import type { Host, Scope, UpgradeRequest } from "../../../core/service";
import type { Api, ApiDefinition } from "../state";
import type { Store } from "../store";
import { AccessLog } from "./access-log";
import { authorize } from "./authorize";
import { Connection, messageLimit } from "./connection";
import { GatewayEvent, type Occasion } from "./event";
import { select } from "./expressions";
import {
  badGateway,
  forbidden,
  GatewayFailure,
  invalidBody,
  misconfigured,
  notAHandshake,
  throttled,
  wasReset,
} from "./failures";
import { asFailure, faultsOn, isAnswer } from "./faults";
import { integrate, type Outcome } from "./integrate";
import { isToken } from "./lambda";
import { placeOf } from "./places";
import { refuse } from "./refuse";
import { prepare, type Served } from "./served";
import { Session } from "./session";

/** The data plane: connections to deployed stages, and what happens on them. */
export class Gateway {
  readonly connections = new Map<string, Connection>();
  /** Handshakes that are not answered yet. */
  private readonly handshakes = new Map<GatewayEvent, Duplex>();
  private readonly protocols = new WeakMap<IncomingMessage, string>();
  readonly signatures: SignatureVerifier;
  private readonly accessLog: AccessLog;
  private served = new WeakMap<ApiDefinition, Served>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageLimit,
    perMessageDeflate: false,
    handleProtocols: (_offered, request) => this.protocols.get(request) ?? false,
  });

  constructor(
    private readonly host: Host,
    private readonly store: Store,
    private readonly buckets: TokenBuckets,
  ) {
    this.accessLog = new AccessLog(host);
    this.signatures = new SignatureVerifier(host);
  }

  /** Answers a handshake when `$connect` is through; gives the status. */
  async upgrade(request: UpgradeRequest): Promise<number> {
    const { message, socket, head } = request;
    const now = this.host.clock.now();
    const session = new Session(request, now);
    this.host.journal.describe(() => ({ traceId: readTrace(session.traceId).root }));
    const event = new GatewayEvent(session, { type: "CONNECT" }, now);
    this.handshakes.set(event, socket);
    let outcome: Outcome | undefined;
    let failure: GatewayFailure | undefined;
    try {
      outcome = await this.connect(event);
      // The API, its stage or its deployment may have gone while $connect ran.
      this.enter(event);
    } catch (error) {
      if (error instanceof ConnectionDropped) return this.cut(event, socket);
      failure = this.failureOf(event, error);
    }
    // A reset has answered it already.
    if (!this.handshakes.delete(event)) return wasReset().status;
    const status = failure?.status ?? outcome!.status;
    this.log(event, status);
    if (!isAccepted(status)) refuse(socket, event, status, failure);
    else {
      if (outcome?.protocol !== undefined) this.protocols.set(message, outcome.protocol);
      let isOpen = false;
      this.sockets.handleUpgrade(message, socket, head, (opened) => {
        isOpen = true;
        this.open(session, opened, socket as Socket);
      });
      // The client went while $connect ran: what that set up is to be taken down again.
      if (!isOpen) void this.disconnected(session, lost);
    }
    return isAccepted(status) ? 101 : status;
  }

  /** Closes the connections of an API, or of one of its stages, that is no more. */
  closeAll(apiId: string, stageName?: string): void {
    for (const connection of this.connections.values()) {
      const { api, stageName: stage } = connection.session;
      if (api.id === apiId && (stageName === undefined || stage === stageName)) connection.close(1001, "Going away");
    }
  }

  clear(): void {
    for (const [event, socket] of this.handshakes) refuse(socket, event, wasReset().status, wasReset());
    this.handshakes.clear();
    for (const connection of this.connections.values()) connection.forget();
    this.connections.clear();
    // Those that wait for the client to agree to a close, too.
    for (const socket of this.sockets.clients) socket.terminate();
    this.signatures.clear();
    this.accessLog.clear();
    this.served = new WeakMap();
  }

  /** The way of a handshake: stage, limits, authorizer, integration. */
  private async connect(event: GatewayEvent): Promise<Outcome> {
    const { session } = event;
    const { request } = session;
    const { rest, ...place } = placeOf(request, this.store, this.host);
    Object.assign(session, place);
    if (rest !== "") throw forbidden();
    this.enter(event);
    checkHandshake(request.message);
    const { account, region } = session.api.scope;
    const { connectionsPerSecond } = this.host.quotas;
    const perSecond = { rateLimit: connectionsPerSecond, burstLimit: Math.max(1, connectionsPerSecond) };
    if (!this.buckets.take(`connections/${account}/${region}`, perSecond)) throw throttled();
    event.route = event.served.routes.get("$connect");
    this.admit(event);
    const faulty = faultsOn(this.host.faults, session, `CONNECT ${request.path}`, "$connect");
    request.fault = faulty?.label;
    return faulty ? faulty.run(() => this.letIn(event), { isAnswer }) : this.letIn(event);
  }

  private async letIn(event: GatewayEvent): Promise<Outcome> {
    let outcome: Outcome = { status: 200, body: "" };
    if (event.route) {
      await authorize(event, this.host, this.signatures);
      outcome = await integrate(event, this.host);
    }
    event.wasLetIn = isAccepted(outcome.status);
    return outcome;
  }

  /** Ends a handshake without an answer. What $connect has set up is to be taken down again. */
  private cut(event: GatewayEvent, socket: Duplex): number {
    socket.destroy();
    if (this.handshakes.delete(event) && event.wasLetIn) void this.disconnected(event.session, lost);
    return 0;
  }

  private open(session: Session, socket: WebSocket, transport: Socket): void {
    const connection = new Connection(session, socket, transport, this.host, {
      message: (from, text) => void this.heard(session, "message", () => this.message(from, text)),
      closed: (from, code, reason) => {
        this.connections.delete(from.id);
        const ended = this.heard(session, "$disconnect", () =>
          this.disconnected(session, { type: "DISCONNECT", code, reason }),
        );
        void this.host.clock.track(ended, session.traceId);
      },
    });
    this.connections.set(connection.id, connection);
  }

  /** What a client does on its connection begins a story of its own in the journal. */
  private heard(session: Session, operation: string, work: () => Promise<void>): Promise<void> {
    const resources = [session.arnOf(operation)];
    const facts = { kind: "message", service: "execute-api", operation, resources, causes: [] } as const;
    return this.host.journal.step(() => facts, work);
  }

  private async message(connection: Connection, body: string): Promise<void> {
    const { session } = connection;
    const event = new GatewayEvent(session, { type: "MESSAGE", body }, this.host.clock.now());
    let status: number;
    try {
      this.enter(event);
      this.findRoute(event);
      this.admit(event);
      if (!event.route) throw forbidden();
      checkModel(event);
      const faulty = faultsOn(this.host.faults, session, `MESSAGE /${session.stageName}`, event.routeKey);
      const work = () => integrate(event, this.host);
      const outcome = await (faulty ? faulty.run(work, { isAnswer }) : work());
      status = outcome.status;
      if (event.route.answers && outcome.body !== "") {
        // AWS documents the limit for both directions, but not what the client sees of an answer beyond it.
        if (Buffer.byteLength(outcome.body) > messageLimit) throw badGateway();
        connection.send(outcome.body);
      }
    } catch (error) {
      if (error instanceof ConnectionDropped) return connection.cut();
      const failure = this.failureOf(event, error);
      status = failure.status;
      const { connectionId } = session;
      // Too much from one client ends its connection (API Gateway quotas, close codes).
      if (status === 429) connection.close(1008, "Too many requests");
      else connection.send(JSON.stringify({ message: failure.message, connectionId, requestId: event.requestId }));
    }
    this.log(event, status);
  }

  /** Best effort, as on AWS: nobody is left to be told of a failure. */
  private async disconnected(session: Session, occasion: Occasion): Promise<void> {
    const event = new GatewayEvent(session, occasion, this.host.clock.now());
    let status = 200;
    try {
      this.enter(event);
      event.route = event.served.routes.get("$disconnect");
      if (event.route) ({ status } = await integrate(event, this.host));
    } catch (error) {
      status = this.failureOf(event, error).status;
    }
    this.log(event, status);
  }

  /** The deployment that the stage serves now: a new one holds for connections that are open, too. */
  private enter(event: GatewayEvent): void {
    const { api, stageName } = event.session;
    const stage = api.stages.get(stageName);
    const definition = api.deployments.get(stage?.DeploymentId ?? "")?.snapshot;
    if (!stage || !definition || !this.isThere(api)) throw forbidden();
    let served = this.served.get(definition);
    if (!served) {
      served = prepare(definition);
      this.served.set(definition, served);
    }
    event.stage = stage;
    event.served = served;
  }

  private isThere(api: Api): boolean {
    return this.store.findApi(api.id) === api;
  }

  private findRoute(event: GatewayEvent): void {
    const { routes, definition } = event.served;
    const key = select(definition.api.RouteSelectionExpression ?? "", event);
    // A message cannot pretend to be a handshake or a goodbye.
    const isOwn = key !== undefined && key !== "$connect" && key !== "$disconnect" && routes.has(key);
    event.routeKey = isOwn ? key : "$default";
    event.route = routes.get(event.routeKey);
  }

  /** The stage's limits for the route, then the account's for all. */
  private admit(event: GatewayEvent): void {
    const { RouteSettings, DefaultRouteSettings } = event.stage;
    const settings = { ...DefaultRouteSettings, ...RouteSettings?.[event.routeKey] };
    const { ThrottlingRateLimit: rateLimit, ThrottlingBurstLimit: burstLimit } = settings;
    const { api, stageName } = event.session;
    if (!this.buckets.take(`${api.id}/${stageName}/${event.routeKey}`, { rateLimit, burstLimit })) throw throttled();
    if (!this.admitRequest(api.scope)) throw throttled();
  }

  /** The account's limit on requests, messages and management calls together. */
  admitRequest(scope: Scope): boolean {
    return this.host.accountRate.admit(scope);
  }

  private failureOf(event: GatewayEvent, thrown: unknown): GatewayFailure {
    const error = asFailure(thrown);
    const failure = error instanceof GatewayFailure ? error : misconfigured();
    if (failure !== error) this.host.report(error, `WebSocket ${event.routeKey} of API ${event.session.api?.id}`);
    event.error = { message: failure.message, responseType: failure.errorType };
    return failure;
  }

  private log(event: GatewayEvent, status: number): void {
    // What ends after a reset or after its API must not write to new log groups.
    if (!event.stage?.AccessLogSettings || !this.isThere(event.session.api)) return;
    this.accessLog.write(event, status).catch((error) => this.host.report(error, "access log"));
  }
}

const isAccepted = (status: number): boolean => status >= 200 && status < 300;

const lost: Occasion = { type: "DISCONNECT", code: 1006, reason: "Connection closed abnormally" };

/** What the socket library would refuse, before the function is called for it. */
function checkHandshake({ method, headers }: IncomingMessage): void {
  if (method !== "GET") throw notAHandshake("A WebSocket handshake is a GET request");
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? ""))
    throw notAHandshake("Missing or invalid Sec-WebSocket-Key header");
  if (!["13", "8"].includes(headers["sec-websocket-version"] ?? ""))
    throw notAHandshake("Missing or invalid Sec-WebSocket-Version header");
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  if (offered && (offered.some((name) => !isToken(name)) || new Set(offered).size < offered.length))
    throw notAHandshake("Invalid Sec-WebSocket-Protocol header");
}

function checkModel(event: GatewayEvent): void {
  const { route, models } = event.route!;
  const key = route.ModelSelectionExpression === undefined ? "$default" : select(route.ModelSelectionExpression, event);
  const validate = models.get(key ?? "$default") ?? models.get("$default");
  if (validate && (event.json === undefined || validate(event.json).length > 0)) throw invalidBody();
}
