import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer in place of AWS's own. */
export interface Fault {
  status: number;
  /** The error code. */
  code: string;
  message?: string;
  /** The whole answer, where it is more than an error. */
  body?: string;
}

/** AWS that fails when told to: it passes requests on to an emulator, but for those that a test wants to fail. */
export interface FaultyAws extends AsyncDisposable {
  readonly endpoint: string;
  /** Requests so far by operation, such as `BatchWriteItem`; for S3, by method, such as `PUT`. */
  calls: Record<string, number>;
  /** Decides about each request: a fault, `"drop"` to break the connection, or nothing to pass it on. */
  fault: (operation: string, body: string) => Fault | "drop" | undefined;
  /** Changes a request before it is passed on. */
  request: (operation: string, body: string) => string;
  /** Changes an answer that the emulator gave. */
  answer: (operation: string, body: string, request: string) => string;
  /** Forgets calls and faults. */
  reset(): void;
}

const operationOf = ({ headers, method = "" }: IncomingMessage) =>
  String(headers["x-amz-target"] ?? method)
    .split(".")
    .at(-1)!;

const untroubled: Pick<FaultyAws, "fault" | "request" | "answer"> = {
  fault: () => undefined,
  request: (_operation, body) => body,
  answer: (_operation, body) => body,
};

export async function startFaultyAws(emulator: { endpoint: string }): Promise<FaultyAws> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const operation = operationOf(incoming);
    aws.calls[operation] = (aws.calls[operation] ?? 0) + 1;
    const fault = aws.fault(operation, body.toString());
    if (fault === "drop") {
      incoming.socket.destroy();
      return;
    }
    if (fault) {
      const { status, code, message = code, body = JSON.stringify({ __type: code, message }) } = fault;
      outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code });
      outgoing.end(body);
      return;
    }
    const asked = aws.request(operation, body.toString());
    const sent = asked === body.toString() ? body : Buffer.from(asked);
    const headers = { ...incoming.headers, ...(sent !== body && { "content-length": `${sent.length}` }) };
    const options = { method: incoming.method, headers };
    const passed = request(new URL(incoming.url ?? "/", emulator.endpoint), options, async (answer) => {
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part as Buffer);
      const text = Buffer.concat(parts);
      const changed = aws.answer(operation, text.toString(), body.toString());
      const { "transfer-encoding": _, "content-length": length, ...headers } = answer.headers;
      // The length that HEAD tells is not that of its own body.
      const told = incoming.method === "HEAD" && length !== undefined ? { "content-length": length } : {};
      outgoing.writeHead(answer.statusCode ?? 500, { ...headers, ...told });
      outgoing.end(changed === text.toString() ? text : changed);
    });
    passed.end(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const aws: FaultyAws = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: {},
    ...untroubled,
    reset() {
      Object.assign(aws, untroubled, { calls: {} });
    },
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return aws;
}
