import { type IncomingMessage, Server, type ServerOptions, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";

/** Every HTTP/2 connection begins with this (RFC 9113, section 3.4); no HTTP/1 method does. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\n");

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * An HTTP/1.1 server that also takes HTTP/2 without TLS on the same port, from clients that know beforehand that they
 * may speak it: the SDK's Kinesis client speaks nothing else.
 */
export class FrontServer extends Server {
  /** Connections that HTTP/1 does not know of (any more, or yet), to be ended with the others. */
  private readonly sockets = new Set<Socket>();
  private readonly http2: Http2Server;

  constructor(options: ServerOptions, listener: Listener) {
    super(options, listener);
    const serve = (request: Http2ServerRequest, response: Http2ServerResponse) => {
      request.headers.host ??= request.headers[":authority"];
      // The compatibility API has all that this emulator uses of HTTP/1's classes.
      listener(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    };
    this.http2 = createHttp2Server(serve);
    // Node's own way throws, outside of everything, where the client has reset the stream meanwhile.
    this.http2.on("checkContinue", (request: Http2ServerRequest, response: Http2ServerResponse) => {
      if (!response.stream.closed && !response.stream.destroyed) response.writeContinue();
      serve(request, response);
    });
    // Node's own way leaves the body unread, and a client that has much of it waits for ever.
    this.http2.on("checkExpectation", (request: Http2ServerRequest, response: Http2ServerResponse) => {
      request.resume();
      response.writeHead(417).end();
    });
    this.http2.on("session", letGo);
    // A client that breaks the protocol or goes away loses its connection, no more.
    this.http2.on("sessionError", () => {});
    const [http1] = this.listeners("connection") as ((socket: Socket) => void)[];
    this.removeAllListeners("connection");
    this.on("connection", (socket: Socket) => this.look(socket, http1!));
  }

  /** Finds out by its first bytes which protocol a connection speaks, and hands it over. */
  private look(socket: Socket, http1: (socket: Socket) => void): void {
    const forget = () => this.sockets.delete(socket);
    const ignore = () => socket.destroy();
    this.sockets.add(socket);
    socket.once("close", forget);
    socket.on("error", ignore);
    // HTTP/1 answers clients that have closed their half; one that says nothing at all, and HTTP/2 sessions, end with them.
    socket.allowHalfOpen = false;
    let head = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const isHttp2 = head.subarray(0, preface.length).equals(preface.subarray(0, head.length));
      // The preface may come in pieces.
      if (isHttp2 && head.length < preface.length) return;
      socket.off("data", take).pause();
      socket.unshift(head);
      if (isHttp2) return void this.http2.emit("connection", socket);
      socket.off("close", forget).off("error", ignore);
      forget();
      socket.allowHalfOpen = true;
      http1.call(this, socket);
      socket.resume();
    };
    socket.on("data", take);
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
  }
}

/**
 * Lets a session end that its client has taken leave of. Node leaves a stream half open for ever that the client resets
 * without an error before its answer is out, and the session, and the connection, with it; and tells nobody.
 */
function letGo(session: ServerHttp2Session): void {
  const streams = new Set<ServerHttp2Stream>();
  session.on("stream", (stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
  });
  session.once("goaway", () => {
    const look = setInterval(() => {
      for (const stream of streams) if (stream.closed) stream.destroy();
    }, 100).unref();
    session.once("close", () => clearInterval(look));
  });
}
