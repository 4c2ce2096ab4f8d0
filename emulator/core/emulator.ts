import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Authenticator } from "./access/authenticate";
import { type Authorization, Authorizer } from "./access/authorizer";
import type { Denial } from "./access/denial";
import type { Bus } from "./bus";
import { Clock } from "./clock";
import { AwsError } from "./errors";
import { type FaultControl, Faults } from "./faults/faults";
import { AccountRate } from "./gateway/account-rate";
import { type Inspection, inspectionOf } from "./inspection";
import { internalAddresses } from "./internal";
import { Journal } from "./journal/journal";
import { limits } from "./limits";
import { type Interceptor, makeServer, type RequestRecord } from "./server";
import type { Host, Quotas } from "./service";
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
  /**
   * Whether IAM decides about every call, as on AWS: those of functions with the policies of their roles, those of services
   * with the policies of roles and resources. The caller `test` is the administrator of its account. When false, everybody
   * may do everything, and no signature of an API call is looked at.
   *
   * @default true
   */
  enforceIam?: boolean;
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
  /** Makes calls, functions and deliveries fail on purpose; see docs/faults.md. */
  readonly faults: FaultControl;
  /** What happens, step by step, from its `start()` on. */
  readonly journal: Pick<Journal, "start" | "stop" | "entries" | "watch">;
  /** Looks at what is inside, without a trace of it. */
  readonly inspection: Inspection;
  /** What IAM has refused, oldest first: the last 1,000, with the statements that would have allowed them. */
  readonly denials: readonly Denial[];
  /** Calls `watcher` after each decision of IAM. Returns the way to stop. */
  watchAccess(watcher: (decision: Authorization) => void): () => void;
  /** Calls `watcher` with each thing that IAM refuses. Returns the way to stop. */
  watchDenials(watcher: (denial: Denial) => void): () => void;
  /** Forgets all resources of all accounts and regions, and all faults. The port stays open. */
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
  const clock = new Clock((task) => journal.later(task));
  const journal: Journal = new Journal(clock);
  const interceptors = new Set<Interceptor>();
  const watchers = new Set<(record: RequestRecord) => void>();
  const report = options.onFault ?? writeFault;
  const quotas: Quotas = {
    connectionsPerSecond: limits.webSocket.connectionsPerSecond.value,
    requestsPerSecond: limits.apiGateway.requestsPerSecond.value,
    requestBurst: limits.apiGateway.requestBurst.value,
    concurrentExecutions: limits.lambda.concurrency.value,
    ...options.quotas,
  };
  const accountRate = new AccountRate(clock, quotas);
  const address = options.host ?? "127.0.0.1";
  const mqtt = { address, ports: options.mqttPort === undefined ? usualMqttPorts(options) : [options.mqttPort] };
  let port = 0;
  const endpoint = () => `http://127.0.0.1:${port}`;

  const enforced = options.enforceIam ?? true;
  const verifySignatures = options.verifySignatures ?? true;
  const access = new Authorizer({ ready: (name) => services.ready(name) }, clock, enforced);
  const bus: Bus = { access, to: (name) => services.to(name), ready: (name) => services.ready(name) };
  const authenticator = new Authenticator({ bus, clock, verifySignatures: verifySignatures && enforced });

  const faults: Faults = new Faults(clock, () => services.known);
  const host: Omit<Host, "report"> = {
    clock,
    bus,
    faults,
    journal,
    endpoint,
    publicHost: () => `localhost:${port}`,
    port: () => port,
    quotas,
    accountRate,
    mqtt,
    verifySignatures,
  };
  const services: Services = new Services(
    (service) => ({ ...host, report: (error, where) => report(error, `${service} ${where}`) }),
    faults,
    journal,
  );

  const reset = async () => {
    // First: a call that a fault holds up goes on, and is not waited for.
    faults.clear();
    await services.reset();
    faults.deliveries.clear();
    clock.clear();
    journal.clear();
    access.clear();
    authenticator.clear();
    accountRate.clear();
  };
  const server = makeServer({
    services,
    clock,
    journal,
    authenticator,
    access,
    faults,
    interceptors,
    watchers,
    report,
    internal: internalAddresses({ services, clock, faults, denials: access.denials, reset }),
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
    faults.clear();
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
    faults,
    journal,
    inspection: inspectionOf(services),
    denials: access.denials,
    watch: subscribe(watchers),
    watchAccess: (watcher) => access.watch(watcher),
    watchDenials: (watcher) => access.watchDenials(watcher),
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
