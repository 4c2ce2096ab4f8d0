import { randomUUID } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Access } from "./access/access";
import { type Authenticator, accessDenied, unsigned } from "./access/authenticate";
import type { Authorizer } from "./access/authorizer";
import { factsOf } from "./access/global-keys";
import { accountOf } from "./access-key";
import { type Address, addressOf, executeApi } from "./address";
import { isChunked, unchunk } from "./chunked";
import type { Clock } from "./clock";
import { AwsError, internalFailure, notEmulated } from "./errors";
import { ConnectionDropped, type FaultyCall } from "./faults/call";
import type { Faults } from "./faults/faults";
import type { Place } from "./faults/place";
import { FrontServer } from "./front-server";
import { parseCompactDate } from "./gateway/signer";
import { hangUp } from "./hang-up";
import type { InternalRequest } from "./internal";
import type { OpenEntry } from "./journal/entry";
import type { Journal } from "./journal/journal";
import { describeAnswer, describeCall, requestStep } from "./journal/requests";
import { readLegacyQuery } from "./legacy-query";
import { bucketOfHost, splitBucket } from "./protocols/s3";
import type { Answer, Call, WireRequest } from "./protocols/wire";
import { bodyLimit, readBody } from "./read-body";
import { RequestContext } from "./request-context";
import type { Context, DataPlaneRequest, UpgradeRequest } from "./service";
import type { Running, Services } from "./services";

/** One request that was answered, for whoever watches. */
export interface RequestRecord {
  /** Signing name of the service, or `execute-api` and the like for data planes. */
  readonly service: string;
  /** Operation, or method and path for data planes. */
  readonly operation: string;
  /** 0 where the connection was cut instead of an answer. */
  readonly status: number;
  /** Error code when it failed. */
  readonly code?: string;
  /** The kinds of the injected faults that acted on it, such as `latency, throttle`. */
  readonly fault?: string;
  readonly durationMs: number;
  readonly account: string;
  readonly region: string;
  readonly requestId: string;
}

/** Looks at a call before it runs; throws an AwsError to answer with that instead. May wait. */
export type Interceptor = (call: {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly context: Context;
}) => void | Promise<void>;

export interface ServerDependencies {
  readonly services: Services;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly authenticator: Authenticator;
  readonly access: Authorizer;
  readonly faults: Faults;
  readonly interceptors: ReadonlySet<Interceptor>;
  readonly watchers: ReadonlySet<(record: RequestRecord) => void>;
  /** Answers `/_emulator/...` and `/_localstack/...`. */
  internal(request: InternalRequest): Answer | Promise<Answer>;
  report(error: unknown, where: string): void;
}

/** Largest body of a request to the emulator itself, in bytes. */
const internalBodyLimit = 1024 * 1024;

type Headers = Record<string, string | undefined>;

/** The HTTP front of the emulator: address, body, protocol, operation, answer, in this order. */
export function makeServer(dependencies: ServerDependencies): Server {
  const options = {
    keepAlive: true,
    keepAliveTimeout: 65_000,
    requestTimeout: 0,
    // Other protocols (h2c) are offers that a server may pass over.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
  };
  const server = new FrontServer(options, (request, response) => {
    handle(dependencies, request, response).catch((error) => {
      if (error instanceof AwsError) return send(response, plainError(error, randomUUID()));
      // A client that went away in the middle is not a fault of the emulator.
      if (request.complete) dependencies.report(error, `${request.method} ${request.url}`);
      // An answer that could not be sent has left its length behind.
      if (!response.headersSent && !response.destroyed) response.writeHead(500, { "content-length": "0" }).end();
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(dependencies, request, socket, head).catch((error) => {
      dependencies.report(error, `upgrade ${request.url}`);
      socket.destroy();
    });
  });
  return server;
}

async function handle(deps: ServerDependencies, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url, path, query } = splitUrl(request);
  const headers = request.headers as Headers;
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  // Only an unsigned form has to be read to know which service it is for.
  let early = addressOf(path, query, headers, () => "");
  if (early.kind === "internal") {
    const { method = "GET" } = request;
    const body = () => readBody(request, internalBodyLimit);
    return send(response, await deps.internal({ method, path, headers: request.headers, body }));
  }
  if (early.kind === "data") return serveData(deps, early, query, request, response);
  if (request.method === "OPTIONS" && early.service === "s3") {
    const bucket = bucketOfHost(headers.host ?? "") ?? splitBucket(path).bucket ?? "";
    return serveData(deps, { kind: "data", service: "s3", id: bucket, path }, query, request, response);
  }
  const host = (headers.host ?? "").replace(/:\d+$/, "");
  const mayBeOwned = early.accessKeyId === "" || early.service === executeApi;
  const owner = mayBeOwned ? deps.services.ownerOfHost(host) : undefined;
  if (owner) return serveData(deps, { kind: "data", service: owner, id: host, path }, query, request, response);
  const raw = await readBody(request, bodyLimit);
  if (isForm && early.accessKeyId === "") {
    const full = addressOf(path, query, headers, () => raw.toString("utf8"));
    if (full.kind === "api") early = full;
  }
  const address = early;
  const parts = { path, query, url, headers, isForm };
  await deps.journal.step(
    () => requestStep(deps.journal, "call", [address.service, request.method ?? "GET"], request.headers),
    (entry) => serveApi(deps, address, parts, raw, request, response, entry),
  );
}

function splitUrl(request: IncomingMessage): { url: string; path: string; query: string } {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  return mark < 0 ? { url, path: url, query: "" } : { url, path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** A WebSocket handshake: to an execute-api address, a custom domain name or the MQTT broker; 404 anywhere else. */
async function upgrade(deps: ServerDependencies, message: IncomingMessage, socket: Duplex, head: Buffer) {
  const started = performance.now();
  // Without a listener a client that goes away would end the process.
  socket.on("error", () => socket.destroy());
  const { path, query } = splitUrl(message);
  const headers = message.headers as Headers;
  const address = addressOf(path, query, headers, () => "");
  const host = (headers.host ?? "").replace(/:\d+$/, "");
  const isExecuteApi = address.kind === "data" && address.service === executeApi;
  const hostOwner = isExecuteApi ? undefined : deps.services.ownerOfHost(host);
  const target = address.kind === "data" && hostOwner === undefined ? address : { id: host, path };
  const direct = address.kind === "data" ? address.service : undefined;
  const owner = isExecuteApi ? deps.services.ownerOfApi(target.id) : (hostOwner ?? direct);
  const service = owner === undefined ? undefined : deps.services.get(owner).service;
  let status = 404;
  let fault: string | undefined;
  const operation = `CONNECT ${target.path}`;
  const name = owner === undefined || owner.startsWith("apigateway") ? executeApi : owner;
  if (service?.upgrade) {
    const request: UpgradeRequest = { message, socket, head, path: target.path, query, id: target.id };
    status = await deps.journal.step(
      () => requestStep(deps.journal, "request", [name, operation], message.headers),
      async (entry) => {
        const answered = await service.upgrade!(request);
        describeAnswer(entry, answered || undefined);
        return answered;
      },
    );
    fault = request.fault;
  } else {
    // A REST API has no such method at all, known or not.
    if (isExecuteApi) status = 403;
    hangUp(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
  const durationMs = performance.now() - started;
  const unknown = { account: "", region: "", requestId: "" };
  const record: RequestRecord = { service: name, operation, status, ...(fault && { fault }), durationMs, ...unknown };
  for (const watch of deps.watchers) watch(record);
}

async function serveApi(
  deps: ServerDependencies,
  address: Extract<Address, { kind: "api" }>,
  {
    path,
    query,
    url,
    headers,
    isForm,
  }: { path: string; query: string; url: string; headers: Headers; isForm: boolean },
  raw: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  entry: OpenEntry,
): Promise<void> {
  const started = performance.now();
  const requestId = randomUUID();
  const account = accountOf(address.accessKeyId) ?? "000000000000";
  const wireRequest: WireRequest = {
    method: request.method ?? "GET",
    url,
    path,
    query,
    headers,
    body: raw,
    trailers: {},
    sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
  };
  let running: Running | undefined;
  let wire: Running["wire"] | undefined;
  let call: Call | undefined;
  let answer: Answer | undefined;
  const reply: Context["reply"] = {};
  let code: string | undefined;
  let faulty: FaultyCall | undefined;
  try {
    running = deps.services.get(address.service);
    wire = running.wire;
    if (isForm && running.model.protocol !== "query") wire = readLegacyQuery(running) ?? wire;
    const who = deps.authenticator.identify(address, running.model, wireRequest);
    const identity = who instanceof Promise ? await who : who;
    const prepared = address.service === "s3" ? prepareS3(wireRequest) : wireRequest;
    call = wire.read(prepared);
    const { name } = call.operation;
    const { input } = call;
    const operation = running.operation(name);
    if (!operation) throw notEmulated(address.service, name);
    const context = new RequestContext(account, identity, address, requestId, prepared, reply, response);
    const needed = running.accesses(name, input, context);
    describeCall(entry, name, context, needed);
    admit(deps.access, running, needed, context);
    for (const intercept of deps.interceptors) {
      const wait = intercept({ service: address.service, operation: name, input, context });
      if (wait) await wait;
    }
    faulty = deps.faults.active ? deps.faults.call(placeOf(address.service, name, needed)) : undefined;
    context.partial = faulty?.partial;
    const result = faulty
      ? faulty.run(() => operation(input, context), { signal: context.signal })
      : operation(input, context);
    const output = (result instanceof Promise ? await result : result) as Record<string, unknown> | undefined;
    answer = wire.write(call.operation, output ?? {}, requestId);
    if (reply.status) answer = { ...answer, status: reply.status };
  } catch (error) {
    if (!(error instanceof ConnectionDropped)) {
      const known = error instanceof AwsError ? error : internalFailure();
      if (known !== error) deps.report(error, `${address.service}:${call?.operation.name ?? "?"}`);
      code = known.code;
      answer = wire ? wire.writeError(known, requestId, wireRequest) : plainError(known, requestId);
    }
  }
  describeAnswer(entry, answer?.status, code);
  const date = answer && dateFor(deps.clock, headers);
  if (answer && date) answer = { ...answer, headers: { date, ...answer.headers } };
  if (answer && reply.headers) answer = { ...answer, headers: { ...answer.headers, ...reply.headers } };
  if (answer) send(response, answer, request.method === "HEAD");
  else response.destroy();
  if (deps.watchers.size > 0) {
    const fault = [faulty?.label, reply.fault].filter(Boolean).join(", ");
    const record: RequestRecord = {
      service: address.service,
      operation: call?.operation.name ?? wireRequest.method,
      status: answer?.status ?? 0,
      ...(code && { code }),
      ...(fault && { fault }),
      durationMs: performance.now() - started,
      account,
      region: address.region,
      requestId,
    };
    for (const watch of deps.watchers) watch(record);
  }
}

/**
 * The time of an answer, where it is not simply this machine's: SDKs hold their clocks against it, and try again what
 * fails where the two are minutes apart. Functions go by the emulator's clock.
 */
function dateFor(clock: Clock, { "x-amz-date": signedAt }: Headers): string | undefined {
  if (clock.advanced === 0 || signedAt === undefined) return undefined;
  return new Date(clock.asSeenBy(parseCompactDate(signedAt))).toUTCString();
}

/** Where faults may act on a call. */
const placeOf = (service: string, operation: string, needed: readonly Access[]): Place => ({
  service,
  operation,
  resources: needed.map(({ resource }) => resource),
});

/** Refuses a call that its caller may not make. */
function admit(access: Authorizer, { model }: Running, needed: readonly Access[], context: Context): void {
  if (needed.length === 0) return;
  const { identity } = context;
  const denial = access.checkAll(identity, needed, factsOf(context));
  if (denial) throw identity.type === "Anonymous" ? unsigned(model) : accessDenied(model, denial.message);
}

/** Takes the bucket out of host or path, and the framing off an aws-chunked body. */
function prepareS3(request: WireRequest): WireRequest {
  const framed = isChunked(request.headers) ? unchunk(request.body) : undefined;
  const base = framed ? { ...request, ...framed } : request;
  const hosted = bucketOfHost(request.headers.host ?? "");
  return hosted ? { ...base, bucket: hosted } : { ...base, ...splitBucket(request.path) };
}

const plainError = (error: AwsError, requestId: string): Answer => ({
  status: error.status,
  headers: { "content-type": "application/json", "x-amzn-requestid": requestId, "x-amzn-errortype": error.code },
  body: JSON.stringify({ __type: error.code, message: error.message }),
});

async function serveData(
  deps: ServerDependencies,
  address: Extract<Address, { kind: "data" }>,
  query: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const request: DataPlaneRequest = {
    message,
    response,
    method: message.method ?? "GET",
    path: address.path,
    query,
    id: address.id,
    body: (limit = bodyLimit) => readBody(message, limit),
  };
  const owner = address.service === executeApi ? deps.services.ownerOfApi(address.id) : address.service;
  const { service } = deps.services.get(owner);
  if (!service.serve) {
    return send(response, plainError(notEmulated(owner, "data plane"), randomUUID()));
  }
  const name = owner.startsWith("apigateway") ? executeApi : owner;
  const operation = `${request.method} ${address.path}`;
  try {
    await deps.journal.step(
      () => requestStep(deps.journal, "request", [name, operation], message.headers),
      async (entry) => {
        await service.serve!(request);
        describeAnswer(entry, response.headersSent ? response.statusCode : undefined);
      },
    );
  } catch (error) {
    const ours = !(error instanceof AwsError) && !message.readableAborted;
    if (ours) deps.report(error, `${address.service} ${request.method} ${address.path}`);
    if (response.headersSent) response.destroy();
    else send(response, plainError(error instanceof AwsError ? error : internalFailure(), randomUUID()));
  }
  if (deps.watchers.size > 0) {
    const record: RequestRecord = {
      service: name,
      operation,
      status: response.headersSent ? response.statusCode : 0,
      ...(request.fault && { fault: request.fault }),
      durationMs: performance.now() - started,
      account: "",
      region: "",
      requestId: String(response.getHeader("x-amzn-requestid") ?? ""),
    };
    for (const watch of deps.watchers) watch(record);
  }
}

/** Sends an answer; to HEAD without its body, but with the length that a service may have set for it. */
export function send(response: ServerResponse, { status, headers, body, stream }: Answer, isHead = false): void {
  if (response.destroyed) return;
  if (stream) {
    response.writeHead(status, headers);
    // A client that goes away ends the stream; there is nobody left to tell.
    pipeline(stream, response).catch(() => {});
    return;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  if (status !== 204 && status !== 304 && !(isHead && headers["content-length"]))
    headers["content-length"] = String(length);
  response.writeHead(status, headers);
  if (isHead) response.end();
  else response.end(body);
}
