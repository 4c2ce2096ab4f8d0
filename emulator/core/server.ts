import { randomUUID } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { accountOf } from "./access-key";
import { type Address, addressOf, executeApi } from "./address";
import { isChunked, unchunk } from "./chunked";
import type { Clock } from "./clock";
import { AwsError, internalFailure, notEmulated } from "./errors";
import { FrontServer } from "./front-server";
import { hangUp } from "./hang-up";
import { readLegacyQuery } from "./legacy-query";
import { bucketOfHost, splitBucket } from "./protocols/s3";
import type { Answer, Call, WireRequest } from "./protocols/wire";
import type { Context, DataPlaneRequest } from "./service";
import type { Running, Services } from "./services";

/** One request that was answered, for whoever watches. */
export interface RequestRecord {
  /** Signing name of the service, or `execute-api` and the like for data planes. */
  readonly service: string;
  /** Operation, or method and path for data planes. */
  readonly operation: string;
  readonly status: number;
  /** Error code when it failed. */
  readonly code?: string;
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
  readonly interceptors: ReadonlySet<Interceptor>;
  readonly watchers: ReadonlySet<(record: RequestRecord) => void>;
  /** Answers `/_emulator/...` and `/_localstack/...`. */
  internal(method: string, path: string, headers: IncomingMessage["headers"]): Answer | Promise<Answer>;
  report(error: unknown, where: string): void;
}

/** Largest request body that is taken, in bytes; more gets 413. Everything is kept in memory. */
const bodyLimit = 512 * 1024 * 1024;

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
      if (!request.destroyed) dependencies.report(error, `${request.method} ${request.url}`);
      if (!response.headersSent && !response.destroyed) response.writeHead(500).end();
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
  if (early.kind === "internal")
    return send(response, await deps.internal(request.method ?? "GET", path, request.headers));
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
  await serveApi(deps, early, { path, query, url, headers, isForm }, raw, request, response);
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
  if (service?.upgrade) {
    status = await service.upgrade({ message, socket, head, path: target.path, query, id: target.id });
  } else {
    // A REST API has no such method at all, known or not.
    if (isExecuteApi) status = 403;
    hangUp(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
  const operation = `CONNECT ${target.path}`;
  const durationMs = performance.now() - started;
  const name = owner === undefined || owner.startsWith("apigateway") ? executeApi : owner;
  const record = { service: name, operation, status, durationMs, account: "", region: "", requestId: "" };
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
  let answer: Answer;
  const reply: Context["reply"] = {};
  let code: string | undefined;
  try {
    running = deps.services.get(address.service);
    wire = running.wire;
    if (isForm && running.model.protocol !== "query") wire = readLegacyQuery(running) ?? wire;
    const prepared = address.service === "s3" ? prepareS3(wireRequest) : wireRequest;
    call = wire.read(prepared);
    const operation = running.operation(call.operation.name);
    if (!operation) throw notEmulated(address.service, call.operation.name);
    const context = new RequestContext(account, address, requestId, prepared, reply, response);
    for (const intercept of deps.interceptors) {
      const wait = intercept({ service: address.service, operation: call.operation.name, input: call.input, context });
      if (wait) await wait;
    }
    const result = operation(call.input, context);
    const output = (result instanceof Promise ? await result : result) as Record<string, unknown> | undefined;
    answer = wire.write(call.operation, output ?? {}, requestId);
    if (reply.status) answer = { ...answer, status: reply.status };
  } catch (error) {
    const known = error instanceof AwsError ? error : internalFailure();
    if (known !== error) deps.report(error, `${address.service}:${call?.operation.name ?? "?"}`);
    code = known.code;
    answer = wire ? wire.writeError(known, requestId, wireRequest) : plainError(known, requestId);
  }
  if (reply.headers) answer = { ...answer, headers: { ...answer.headers, ...reply.headers } };
  send(response, answer, request.method === "HEAD");
  if (deps.watchers.size > 0) {
    const record: RequestRecord = {
      service: address.service,
      operation: call?.operation.name ?? wireRequest.method,
      status: answer.status,
      ...(code && { code }),
      durationMs: performance.now() - started,
      account,
      region: address.region,
      requestId,
    };
    for (const watch of deps.watchers) watch(record);
  }
}

/** The context of one call. Its signal is made only for operations that ask for it: most never wait. */
class RequestContext implements Context {
  readonly region: string;
  readonly caller: Context["caller"];
  private controller?: AbortController;

  constructor(
    readonly account: string,
    { region, accessKeyId }: Extract<Address, { kind: "api" }>,
    readonly requestId: string,
    readonly http: WireRequest,
    readonly reply: Context["reply"],
    private readonly response: ServerResponse,
  ) {
    this.region = region;
    this.caller = { accessKeyId, account };
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      this.response.once("close", () => controller.abort());
    }
    return this.controller.signal;
  }
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
  try {
    await service.serve(request);
  } catch (error) {
    const ours = !(error instanceof AwsError) && !message.readableAborted;
    if (ours) deps.report(error, `${address.service} ${request.method} ${address.path}`);
    if (response.headersSent) response.destroy();
    else send(response, plainError(error instanceof AwsError ? error : internalFailure(), randomUUID()));
  }
  if (deps.watchers.size > 0) {
    const record: RequestRecord = {
      service: owner.startsWith("apigateway") ? executeApi : owner,
      operation: `${request.method} ${address.path}`,
      status: response.statusCode,
      durationMs: performance.now() - started,
      account: "",
      region: "",
      requestId: String(response.getHeader("x-amzn-requestid") ?? ""),
    };
    for (const watch of deps.watchers) watch(record);
  }
}

/**
 * Reads a body whole.
 *
 * @throws AwsError 413 when it is larger than `limit` bytes; the rest is read and dropped, so that the client sees the answer.
 */
function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () => {
      if (size > limit) reject(new AwsError("RequestEntityTooLarge", `The request body exceeds ${limit} bytes`, 413));
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    request.on("error", reject);
    // An HTTP/2 stream that breaks off has no error.
    request.on("close", () => {
      if (!request.complete) reject(new Error("the client went away"));
    });
  });
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
