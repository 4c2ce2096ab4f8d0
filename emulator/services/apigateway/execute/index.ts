import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { AwsError } from "../../../core/errors";
import { ConnectionDropped } from "../../../core/faults/call";
import { SignatureVerifier } from "../../../core/gateway/signer";
import { readTrace } from "../../../core/journal/trace";
import { limits } from "../../../core/limits";
import type { PolicyDocument } from "../../../core/policy";
import type { DataPlaneRequest, Host } from "../../../core/service";
import type { ApiDefinition } from "../state";
import type { Store } from "../store";
import { AccessLog } from "./access-log";
import { verifyToken } from "./authorizers/cognito";
import { verifySigner } from "./authorizers/iam";
import { LambdaAuthorizers } from "./authorizers/lambda";
import { Call, type Reply } from "./call";
import { forbidden, GatewayFailure, misconfigured, missingToken, tooLarge, unexpected } from "./failures";
import { asFailure, faultsOn, isAnswer } from "./faults";
import { gatewayReply } from "./gateway-response";
import { aws } from "./integrations/aws";
import { http } from "./integrations/http";
import { lambdaProxy } from "./integrations/lambda-proxy";
import { mock } from "./integrations/mock";
import { admit } from "./limits";
import type { Meter } from "./meter";
import { checkAccess, readResourcePolicy } from "./resource-policy";
import { Router } from "./router";
import { Templates } from "./templates";
import { validateRequest } from "./validation";

/** Largest payload of a request, in bytes. */
const payloadLimit = limits.restApi.payload.value;

/** A deployment made ready to serve. */
interface Served {
  readonly router: Router;
  readonly templates: Templates;
  readonly policy?: PolicyDocument;
}

/** The data plane: answers requests to deployed stages. */
export class Gateway {
  readonly authorizers: LambdaAuthorizers;
  private readonly accessLog: AccessLog;
  private readonly signatures: SignatureVerifier;
  private served = new WeakMap<ApiDefinition, Served>();
  private readonly plainTemplates = new Templates();

  constructor(
    private readonly host: Host,
    private readonly store: Store,
    private readonly meter: Meter,
  ) {
    this.authorizers = new LambdaAuthorizers(host);
    this.accessLog = new AccessLog(host);
    this.signatures = new SignatureVerifier(host);
  }

  async serve(request: DataPlaneRequest): Promise<void> {
    const call = new Call(request, this.host.clock.now());
    this.host.journal.describe(() => ({ requestId: call.requestId, traceId: readTrace(call.traceId).root }));
    const reply = await this.answer(call).catch((error: unknown) => this.refuse(call, error));
    if (!reply) return void request.response.destroy();
    send(call, reply);
    if (call.stage?.accessLogSettings)
      await this.accessLog.write(call, reply).catch((error) => this.host.report(error, "access log"));
  }

  clear(): void {
    this.authorizers.clear();
    this.signatures.clear();
    this.accessLog.clear();
    this.meter.clear();
    this.served = new WeakMap();
  }

  /** The way of a request, in AWS's order (its execution logs check usage plans before authorizers run). */
  private async answer(call: Call): Promise<Reply> {
    this.findStage(call);
    const faulty = faultsOn(this.host.faults, call);
    call.request.fault = faulty?.label;
    return faulty ? faulty.run(() => this.process(call), { isAnswer }) : this.process(call);
  }

  private async process(call: Call): Promise<Reply> {
    const { router, templates, policy } = this.prepare(call.definition!);
    findMethod(call, router);
    await readBody(call);

    const keyFromAuthorizer = call.definition!.api.apiKeySource === "AUTHORIZER";
    if (!keyFromAuthorizer) admit(call, this.meter, this.host.accountRate);
    await this.authorize(call, policy);
    if (keyFromAuthorizer) admit(call, this.meter, this.host.accountRate);
    validateRequest(call);

    const tools = { host: this.host, templates };
    switch (call.route!.integration.type) {
      case "AWS_PROXY":
        return lambdaProxy(call, tools);
      case "AWS":
        return aws(call, tools);
      case "HTTP":
      case "HTTP_PROXY":
        return http(call, tools);
      default:
        return mock(call, tools);
    }
  }

  private async authorize(call: Call, policy: PolicyDocument | undefined): Promise<void> {
    const type = call.route!.method.authorizationType;
    if (type === "AWS_IAM") await verifySigner(call, this.signatures);
    if (call.signer ?? policy) checkAccess(call, policy, this.host.bus.access);
    if (type === "CUSTOM" || type === "COGNITO_USER_POOLS") {
      if (!call.route!.authorizer) throw misconfigured();
      call.authorization =
        type === "CUSTOM" ? await this.authorizers.authorize(call) : await verifyToken(call, this.host);
    }
  }

  /** @returns undefined where the connection is cut instead. */
  private refuse(call: Call, thrown: unknown): Reply | undefined {
    if (thrown instanceof ConnectionDropped) return undefined;
    const error = asFailure(thrown);
    const failure = error instanceof GatewayFailure ? error : unexpected();
    // A client that went away in the middle of its body is not a fault of the emulator.
    if (failure !== error && !call.request.message.readableAborted)
      this.host.report(error, `execute-api ${call.method} ${call.fullPath}`);
    const served = call.definition && this.served.get(call.definition);
    return gatewayReply(call, failure, served?.templates ?? this.plainTemplates);
  }

  /** The stage and the definition that it serves, by API id or by custom domain name. */
  private findStage(call: Call): void {
    const { id, path } = call.request;
    const [, first = "", ...rest] = path.split("/");
    call.fullPath = path;
    if (id.includes(".")) {
      this.findMapping(call, id, first, rest.join("/"));
      return;
    }
    const found = this.store.findApi(id);
    call.domainName = `${id}.execute-api.${this.host.publicHost()}`;
    call.stageName = first;
    call.path = `/${rest.join("/")}`;
    if (!found || found.api.definition.api.disableExecuteApiEndpoint) throw forbidden();
    this.enter(call, found);
  }

  /** A base path mapping: the first path part names the API, or none does; its stage is in the mapping or comes next. */
  private findMapping(call: Call, name: string, first: string, rest: string): void {
    const found = this.store.findDomain(name);
    call.domainName = name;
    const named = found?.domain.mappings.get(first);
    const mapping = named ?? found?.domain.mappings.get("(none)");
    const api = found?.state.apis.get(mapping?.restApiId ?? "");
    if (!found || !mapping || !api) throw forbidden();
    const path = named ? rest : [first, rest].filter(Boolean).join("/");
    const [stage = "", ...behind] = path.split("/");
    call.stageName = mapping.stage ?? stage;
    call.path = `/${mapping.stage ? path : behind.join("/")}`;
    this.enter(call, { api, state: found.state });
  }

  private enter(call: Call, { api, state }: NonNullable<ReturnType<Store["findApi"]>>): void {
    call.api = api;
    call.state = state;
    call.stage = api.stages.get(call.stageName);
    if (!call.stage) throw forbidden();
    call.definition = api.deployments.get(call.stage.deploymentId)?.snapshot;
    if (!call.definition) throw forbidden();
  }

  private prepare(definition: ApiDefinition): Served {
    let served = this.served.get(definition);
    if (!served) {
      served = {
        router: new Router(definition),
        templates: new Templates(),
        policy: readResourcePolicy(definition.api),
      };
      this.served.set(definition, served);
    }
    return served;
  }
}

function findMethod(call: Call, router: Router): void {
  const match = router.match(call.method, call.path);
  if (!match) throw missingToken();
  call.route = match.route;
  call.pathParameters = match.pathParameters;
}

async function readBody(call: Call): Promise<void> {
  const { headers, httpVersionMajor } = call.request.message;
  // HTTP/2 does not say beforehand whether there is one.
  const hasNone = headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0";
  if (hasNone && httpVersionMajor < 2) return;
  try {
    call.body = await call.request.body(payloadLimit);
  } catch (error) {
    if (error instanceof AwsError && error.status === 413) throw tooLarge();
    throw error;
  }
  // Compressed payloads are unpacked only where the API has compression on (developer guide, payload compression).
  if (call.definition!.api.minimumCompressionSize === undefined) return;
  const encoding = call.header("content-encoding");
  const unpack = encoding === "gzip" ? gunzipSync : encoding === "deflate" ? inflateSync : undefined;
  if (!unpack) return;
  try {
    call.body = unpack(call.body, { maxOutputLength: payloadLimit });
  } catch (error) {
    throw (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : misconfigured();
  }
}

function send(call: Call, reply: Reply): void {
  const { response } = call.request;
  if (response.destroyed) return;
  compress(call, reply);
  const headers: Record<string, string | string[]> = {
    "x-amzn-RequestId": call.requestId,
    "x-amz-apigw-id": call.extendedRequestId,
    ...reply.headers,
  };
  if (call.route?.integration.type?.startsWith("AWS") && !call.failure) headers["X-Amzn-Trace-Id"] = call.traceId;
  headers["Content-Length"] = String(Buffer.byteLength(reply.body));
  const bodyless = reply.status === 204 || reply.status === 304 || reply.status < 200;
  if (bodyless) delete headers["Content-Length"];
  try {
    response.writeHead(reply.status, headers).end(bodyless || call.method === "HEAD" ? undefined : reply.body);
  } catch {
    // A function gave a header that HTTP cannot carry; AWS answers as to any malformed proxy response.
    response
      .writeHead(502, { "Content-Type": "application/json", "x-amzn-ErrorType": "InternalServerErrorException" })
      .end('{"message": "Internal server error"}');
  }
}

function compress(call: Call, reply: Reply): void {
  const smallest = call.definition?.api.minimumCompressionSize;
  if (smallest === undefined || call.failure || Buffer.byteLength(reply.body) < smallest) return;
  if (Object.keys(reply.headers).some((name) => name.toLowerCase() === "content-encoding")) return;
  const accepted = call.header("accept-encoding") ?? "";
  const [encoding, pack] = /\bgzip\b/.test(accepted)
    ? ["gzip", gzipSync]
    : /\bdeflate\b/.test(accepted)
      ? ["deflate", deflateSync]
      : [];
  if (!encoding || !pack) return;
  reply.body = pack(reply.body);
  reply.headers["Content-Encoding"] = encoding;
}
