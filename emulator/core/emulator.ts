import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Clock } from "./clock";
import { AwsError } from "./errors";
import type { Answer } from "./protocols/wire";
import { type Interceptor, makeServer, type RequestRecord } from "./server";
import type { Quotas } from "./service";
import { Services } from "./services";

/** How to start an emulator. */
export interface EmulatorOptions {
  /** TCP port; 0 takes a free one. @default 4566 */
  port?: number;
  /** Address to listen on. Other machines reach it only when this says so. @default "127.0.0.1" */
  host?: string;
  /**
   * TCP port of AWS IoT Core for MQTT over TLS; 0 takes a free one. It is listened on from the first certificate on, and
   * DescribeEndpoint names it.
   *
   * @default 8883, or a free one where another program has that, or where `port` is 0
   */
  mqttPort?: number;
  /** Account quotas other than AWS's defaults, for load tests and for tests of the limits. */
  quotas?: Partial<Quotas>;
  /**
   * Whether `@connections` and routes and methods with AWS_IAM want a valid SigV4 signature, as AWS does. When false, no
   * signature is looked at: an access key that exists still says who calls, and whoever names none calls as the root
   * of the account that owns the API. Authorizers, API keys and resource policies hold either way.
   *
   * @default true
   */
  verifySignatures?: boolean;
  /** Told of faults in the emulator's own background work. @default writes them to stderr */
  onFault?: (error: unknown, where: string) => void;
}

/** An embedded AWS that runs in this process. Several can run at once; each has its own state, clock and port. */
export interface Emulator {
  /** `http://127.0.0.1:<port>`: the `endpoint` of SDK clients, AWS_ENDPOINT_URL of tools. */
  readonly endpoint: string;
  readonly port: number;
  /** The time that every service goes by; `clock.advance("14 days")` moves it. */
  readonly clock: Clock;
  /** Calls `watcher` after each answered request. Returns the way to stop. */
  watch(watcher: (record: RequestRecord) => void): () => void;
  /** Calls `interceptor` before each API operation; it may throw an AwsError to answer with. Returns the way to stop. */
  intercept(interceptor: Interceptor): () => void;
  /** Forgets all resources of all accounts and regions. The port stays open. */
  reset(): Promise<void>;
  /** Stops background work, functions and the server. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Functions run on this Node, and what is written for nodejs24.x uses what older ones lack. */
function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return;
  throw new Error(
    `The embedded AWS needs Node 22.22 or newer; this is ${version}. The npm commands fetch one by themselves.`,
  );
}

/** What the emulator's log says: of what AWS would tell, the message; of faults in the emulator, where they came from. */
const writeFault = (error: unknown, where: string) =>
  console.error(`emulator: ${where}:`, error instanceof AwsError ? error.message : error);

const usualMqttPorts = ({ port }: EmulatorOptions) => (port === 0 ? [0] : [8883, 0]);

/**
 * Starts an embedded AWS.
 *
 * ```ts
 * await using aws = await startEmulator({ port: 0 });
 * const sqs = new SQSClient({ endpoint: aws.endpoint, region: "eu-west-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
 * ```
 *
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  checkNode(process.versions.node);
  const clock = new Clock();
  const interceptors = new Set<Interceptor>();
  const watchers = new Set<(record: RequestRecord) => void>();
  const report = options.onFault ?? writeFault;
  const quotas: Quotas = {
    connectionsPerSecond: 500,
    requestsPerSecond: 10_000,
    requestBurst: 5_000,
    ...options.quotas,
  };
  const address = options.host ?? "127.0.0.1";
  const mqtt = { address, ports: options.mqttPort === undefined ? usualMqttPorts(options) : [options.mqttPort] };
  let port = 0;
  const endpoint = () => `http://127.0.0.1:${port}`;

  const services: Services = new Services((service) => ({
    clock,
    bus: services,
    endpoint,
    publicHost: () => `localhost:${port}`,
    port: () => port,
    quotas,
    mqtt,
    verifySignatures: options.verifySignatures ?? true,
    report: (error, where) => report(error, `${service} ${where}`),
  }));

  const reset = async () => {
    await services.reset();
    clock.clear();
  };
  const server = makeServer({
    services,
    clock,
    interceptors,
    watchers,
    report,
    internal: (method, path, headers) => internal(method, path, headers, services, reset),
  });
  // closeAllConnections does not know those that changed their protocol.
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (_request, socket: Duplex) => {
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
  });
  server.listen(options.port ?? 4566, address);
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;

  const close = async () => {
    await services.close();
    clock.clear();
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
    await new Promise<void>((done) => server.close(() => done()));
  };
  return {
    endpoint: endpoint(),
    port,
    clock,
    watch: subscribe(watchers),
    intercept: subscribe(interceptors),
    reset,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const subscribe =
  <T>(subscribers: Set<T>) =>
  (subscriber: T) => {
    subscribers.add(subscriber);
    return () => {
      subscribers.delete(subscriber);
    };
  };

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** The emulator's own addresses. A web page of another origin is refused: it could otherwise reset a developer's stack. */
async function internal(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  services: Services,
  reset: () => Promise<void>,
): Promise<Answer> {
  if (headers.origin && !/^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(headers.origin)) {
    return json(403, { message: `Origin ${headers.origin} may not use this address` });
  }
  const name = path.replace(/^\/_(emulator|localstack)\//, "");
  if (method === "GET" && name === "health") {
    const { registry } = await import("../registry");
    const loaded = new Set(services.loaded());
    const states = Object.keys(registry).map((service) => [service, loaded.has(service) ? "running" : "available"]);
    return json(200, { services: Object.fromEntries(states), edition: "sensorcast" });
  }
  if (method === "POST" && name === "reset") {
    await reset();
    return json(200, { status: "reset" });
  }
  return json(404, {
    message: `${method} ${path} is not an address of the emulator; it has GET health and POST reset`,
  });
}
