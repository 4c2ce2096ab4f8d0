import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { pipeline } from "node:stream";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Host } from "../../../core/service";
import type { Authority } from "../authority";
import { noListener } from "../errors";
import type { Certificate, Region } from "../state";
import type { Store } from "../store";
import { certificateIdOf } from "../x509";
import { type HttpsDoor, isPublish } from "./https";
import type { Hubs } from "./hubs";

/** CONNECT, the first packet of every MQTT connection (MQTT 3.1.1, 3.1); no HTTP method begins so. */
const connectPacket = 0x10;
/** Milliseconds of this machine's time. */
const firstByteTimeout = 30_000;

/**
 * Which of two places counts where a certificate is registered in several: one where it is active, and of those the first,
 * so that nobody takes a device over by registering its certificate, which is no secret, once more.
 */
const isBefore = (one: Certificate, other: Certificate): boolean =>
  one.status === other.status || (one.status !== "ACTIVE" && other.status !== "ACTIVE")
    ? one.createdAt < other.createdAt
    : one.status === "ACTIVE";

/**
 * The TLS port of the broker, for all accounts and regions: a client's certificate says where it belongs. It listens from
 * the first use of AWS IoT on, so that an emulator without devices takes no port.
 */
export class Listener {
  private readonly sockets = new Set<TLSSocket>();
  private started?: Promise<Server>;

  constructor(
    private readonly host: Host,
    private readonly store: Store,
    private readonly authority: Authority,
    private readonly hubs: Hubs,
    private readonly publishing: HttpsDoor,
  ) {}

  /** Starts to listen where it does not yet; the port. */
  async port(): Promise<number> {
    this.started ??= this.listen();
    return ((await this.started).address() as AddressInfo).port;
  }

  /** Ends all connections; the port stays open. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.hangUp();
    const server = await this.started?.catch(() => undefined);
    if (server) await new Promise<void>((done) => server.close(() => done()));
  }

  private async listen(): Promise<Server> {
    const { address, ports } = this.host.mqtt;
    const { cert, key } = await this.authority.serverIdentity();
    const server = createServer({
      cert,
      key,
      minVersion: "TLSv1.2",
      requestCert: true,
      // Certificates of any origin may be registered; which ones are, is looked up.
      rejectUnauthorized: false,
      ALPNProtocols: ["mqtt", "x-amzn-mqtt-ca"],
    });
    server.on("secureConnection", (socket: TLSSocket) => this.accept(socket));
    // A client that breaks off its handshake is no fault of the emulator.
    server.on("tlsClientError", () => {});
    for (const [n, port] of ports.entries()) {
      server.listen(port, address);
      try {
        await once(server, "listening");
        break;
      } catch (error) {
        if (n < ports.length - 1) continue;
        this.started = undefined;
        throw noListener(port, (error as NodeJS.ErrnoException).code ?? "unknown");
      }
    }
    // The server does not keep a process alive that has nothing else to do; the HTTP port does that.
    server.unref();
    return server;
  }

  /** Whoever has not sent a thing for half a minute, goes; then the first byte tells MQTT from HTTP. */
  private accept(socket: TLSSocket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(firstByteTimeout, () => socket.destroy());
    socket.once("data", (head: Buffer) => {
      socket.setTimeout(0);
      socket.pause();
      socket.unshift(head);
      const isMqtt = head[0] === connectPacket;
      if (isMqtt || (isPublish(head) && socket.getPeerX509Certificate())) this.device(socket, isMqtt);
      else this.pass(socket);
    });
  }

  /** A device: AWS ends the connection of one without a good certificate, and says nothing. */
  private device(socket: TLSSocket, isMqtt: boolean): void {
    const shown = socket.getPeerX509Certificate();
    const found = shown && this.find(certificateIdOf(shown.raw));
    if (!found || !this.isGood(found.certificate)) {
      socket.destroy();
      return;
    }
    const { region, certificate } = found;
    const sourceIp = (socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
    if (isMqtt) this.hubs.connect(region, { stream: socket, identity: { kind: "certificate", certificate }, sourceIp });
    else this.publishing.accept(socket, { region, certificate, sourceIp });
  }

  /** HTTP and WebSockets on the address that DescribeEndpoint names: the emulator's own port answers them. */
  private pass(socket: TLSSocket): void {
    const front = connect(this.host.port(), new URL(this.host.endpoint()).hostname);
    // A pipeline through two sockets listens more often than Node takes for sound.
    socket.setMaxListeners(30);
    // Either end takes the other with it.
    pipeline(socket, front, socket, () => {
      socket.destroy();
      front.destroy();
    });
  }

  private find(id: string): { region: Region; certificate: Certificate } | undefined {
    let found: { region: Region; certificate: Certificate } | undefined;
    for (const region of this.store.all()) {
      const certificate = region.certificates.get(id);
      if (certificate && (!found || isBefore(certificate, found.certificate))) found = { region, certificate };
    }
    return found;
  }

  private isGood({ status, x509 }: Certificate): boolean {
    const now = this.host.clock.now();
    return status === "ACTIVE" && now <= x509.validToDate.getTime() && now >= x509.validFromDate.getTime();
  }
}
