import { randomUUID } from "node:crypto";
import type { Identity } from "../../../core/access/identity";
import { AwsError } from "../../../core/errors";
import { ConnectionDropped } from "../../../core/faults/call";
import { deniedOnApi } from "../../../core/gateway/caller";
import type { DataPlaneRequest, Host } from "../../../core/service";
import type { Api } from "../state";
import type { Store } from "../store";
import { signerOf } from "./authorize";
import { type Connection, messageLimit } from "./connection";
import {
  accessDenied,
  badConnectionId,
  forbidden,
  GatewayFailure,
  gone,
  limitExceeded,
  misconfigured,
  missingToken,
  payloadTooLarge,
  upgradeRequired,
} from "./failures";
import { asFailure, faultsOn, isAnswer } from "./faults";
import type { Gateway } from "./gateway";
import { placeOf } from "./places";
import { executeArn, type Session } from "./session";

interface Answer {
  readonly status: number;
  readonly body?: string;
}

/** `@connections`: what a backend does with the connections of a stage. */
export class Management {
  constructor(
    private readonly host: Host,
    private readonly store: Store,
    private readonly gateway: Gateway,
  ) {}

  async serve(request: DataPlaneRequest): Promise<void> {
    const { response } = request;
    let answer: Answer;
    let errorType: string | undefined;
    try {
      answer = await this.answer(request);
    } catch (thrown) {
      // The caller went in the middle of its body.
      if (request.message.readableAborted) return;
      if (thrown instanceof ConnectionDropped) return void response.destroy();
      const error = asFailure(thrown);
      const failure = error instanceof GatewayFailure ? error : misconfigured();
      if (failure !== error) this.host.report(error, `${request.method} ${request.path}`);
      errorType = failure.errorType;
      const { message } = failure;
      answer = { status: failure.status, body: message === "" ? undefined : JSON.stringify({ message }) };
    }
    if (response.destroyed) return;
    const { status, body } = answer;
    response.writeHead(status, {
      "x-amzn-RequestId": randomUUID(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(errorType === undefined ? {} : { "x-amzn-ErrorType": errorType }),
      ...(status === 204 ? {} : { "Content-Length": Buffer.byteLength(body ?? "") }),
    });
    response.end(body);
  }

  private async answer(request: DataPlaneRequest): Promise<Answer> {
    const { api, stageName, rest } = this.placeOf(request);
    if (rest === "") throw upgradeRequired();
    const connectionId = /^(?:@|%40)connections\/([^/]+)$/i.exec(rest)?.[1];
    if (connectionId === undefined) throw missingToken();
    const body = await readMessage(request);
    const id = decode(connectionId);
    const stage = api ? { api, stageName } : this.gateway.connections.get(id)?.session;
    const scope = stage?.api.scope;
    const signer = await signerOf(request, body, this.gateway.signatures, scope?.account ?? "000000000000");
    const connection = this.find(id, api, stageName);
    if (stage) this.checkAccess(request, signer.identity, stage);
    if (scope && !this.gateway.admitRequest(scope)) throw limitExceeded();
    if (!connection) throw gone();
    const operation = operations[request.method];
    if (!operation) throw missingToken();
    const what = `${request.method}/@connections/${id}`;
    const faulty = faultsOn(this.host.faults, connection.session, operation, what);
    request.fault = faulty?.label;
    const work = () => run(operation, connection, body);
    return faulty ? faulty.run(work, { isAnswer }) : work();
  }

  /** Policies see no connection's id, but these words in its place: one that names an id allows nothing on AWS either. */
  private checkAccess(
    { method, message }: DataPlaneRequest,
    signer: Identity,
    stage: Pick<Session, "api" | "stageName">,
  ) {
    const asked = {
      action: "execute-api:ManageConnections",
      resource: executeArn(stage, `${method}/@connections/{connectionId}`),
    };
    const facts = {
      region: stage.api.scope.region,
      sourceIp: message.socket.remoteAddress,
      userAgent: message.headers["user-agent"],
    };
    const denial = this.host.bus.access.check(signer, asked, facts);
    if (denial) throw accessDenied(deniedOnApi(signer, denial));
  }

  /** A client that knows no API asks by the connection's id alone. */
  private placeOf(request: DataPlaneRequest): { api?: Api; stageName: string; rest: string } {
    if (request.id === "") return { stageName: "", rest: request.path.slice(1) };
    const place = placeOf(request, this.store, this.host);
    if (!place.api.stages.get(place.stageName)?.DeploymentId) throw forbidden();
    return place;
  }

  private find(id: string, api: Api | undefined, stageName: string): Connection | undefined {
    if (!/^[\w-]+=*$/.test(id)) throw badConnectionId(id);
    const connection = this.gateway.connections.get(id);
    if (!api || !connection) return connection;
    const { session } = connection;
    return session.api === api && session.stageName === stageName ? connection : undefined;
  }
}

/** By method. */
const operations: Record<string, "PostToConnection" | "GetConnection" | "DeleteConnection"> = {
  POST: "PostToConnection",
  GET: "GetConnection",
  DELETE: "DeleteConnection",
};

function run(operation: (typeof operations)[string], connection: Connection, body: Buffer): Answer {
  if (operation === "GetConnection") return { status: 200, body: describe(connection) };
  if (operation === "PostToConnection") {
    if (!connection.send(body)) throw limitExceeded();
    return { status: 200 };
  }
  connection.close(1000, "Connection Closed Normally");
  return { status: 204 };
}

async function readMessage(request: DataPlaneRequest): Promise<Buffer> {
  try {
    return await request.body(messageLimit);
  } catch (error) {
    if (error instanceof AwsError && error.status === 413) throw payloadTooLarge();
    throw error;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const describe = ({ session, lastActiveAt }: Connection) =>
  JSON.stringify({
    connectedAt: new Date(session.connectedAt).toISOString(),
    identity: { sourceIp: session.sourceIp, userAgent: session.userAgent },
    lastActiveAt: new Date(lastActiveAt).toISOString(),
  });
