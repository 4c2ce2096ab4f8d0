import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer in place of taking a post. */
export interface Refusal {
  status: number;
  code: string;
}

/** The `@connections` side of API Gateway alone: it takes posts and notes them, or refuses as told. */
export interface ConnectionsApi extends AsyncDisposable {
  /** What the functions get as the management endpoint. */
  readonly endpoint: string;
  /** The text of each post that was taken, by connection. */
  taken: Record<string, string[]>;
  /** All posts, the refused ones too. */
  attempts: number;
  /** The most posts that were under way at a time. */
  most: number;
  /** Sockets that were opened. */
  sockets: number;
  /** Decides about each post; nothing takes it. */
  refuse: (connectionId: string, attempt: number) => Refusal | undefined;
  /** Milliseconds until the answer. */
  delay: number;
  /** Whether a post is never answered. */
  hangs: (connectionId: string) => boolean;
  reset(): void;
}

export async function startConnectionsApi(): Promise<ConnectionsApi> {
  let underWay = 0;
  let attemptsOf: Record<string, number> = {};
  const server = createServer(async (request, response) => {
    const id = decodeURIComponent(/\/@connections\/(.+)$/.exec(request.url ?? "")?.[1] ?? "");
    api.attempts++;
    api.most = Math.max(api.most, ++underWay);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (api.delay > 0) await new Promise((resolve) => setTimeout(resolve, api.delay));
    underWay--;
    if (api.hangs(id)) return;
    attemptsOf[id] = (attemptsOf[id] ?? 0) + 1;
    const refusal = api.refuse(id, attemptsOf[id]);
    if (refusal) {
      response.writeHead(refusal.status, { "content-type": "application/json", "x-amzn-errortype": refusal.code });
      response.end(JSON.stringify({ message: refusal.code }));
      return;
    }
    const posts = api.taken[id] ?? [];
    posts.push(Buffer.concat(chunks).toString());
    api.taken[id] = posts;
    response.end();
  });
  server.on("connection", () => api.sockets++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const open = { refuse: () => undefined, hangs: () => false };
  const fresh = () => ({ taken: {}, attempts: 0, most: 0, sockets: 0, delay: 0, ...open });
  const api: ConnectionsApi = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`,
    ...fresh(),
    reset() {
      attemptsOf = {};
      Object.assign(api, fresh());
    },
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return api;
}
