import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buildDashboard, policyHeader } from "../dashboard/build";

export interface ServeDashboardOptions {
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** The broadcast's URL, `ws://…`. */
  wsUrl: string;
  /** The token that the page connects with; empty for none. */
  token: string;
  /** Asked every few seconds while somebody looks at the page. */
  status: () => Promise<{ deadLetters: number }>;
}

export interface ServedDashboard {
  /** What to open in a browser. */
  readonly url: string;
  close(): Promise<void>;
}

const json = "application/json; charset=utf-8";

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  readonly cacheControl: string;
}

const fresh = (body: unknown, status = 200): Answer => ({
  status,
  body: JSON.stringify(body),
  contentType: json,
  cacheControl: "no-store",
});

/** Serves the page with its settings on 127.0.0.1. The token is in the settings, so only the page itself gets them. */
export async function serveDashboard(options: ServeDashboardOptions): Promise<ServedDashboard> {
  const { wsUrl, token, status } = options;
  const files = buildDashboard({ configPath: "/_dashboard/config.json", connect: [new URL(wsUrl).origin] });
  const policy = policyHeader(wsUrl);
  const hosts = new Set<string>();

  const answer = async (path: string): Promise<Answer> => {
    if (path === "/_dashboard/config.json") return fresh({ wsUrl, token, statusUrl: "/_dashboard/status" });
    if (path === "/_dashboard/status") {
      try {
        return fresh(await status());
      } catch {
        return fresh({ message: "The number of dead letters is not known now" }, 503);
      }
    }
    const file = files.get(path === "/" ? "index.html" : path.slice(1));
    return file ? { status: 200, ...file } : fresh({ message: "There is no such page" }, 404);
  };

  /** Another site's page must not get at the token: neither by a request of its own nor by a name that it points here. */
  const refusal = ({ method, headers }: IncomingMessage): Answer | undefined => {
    if (method !== "GET" && method !== "HEAD") return fresh({ message: "Only GET is answered here" }, 405);
    const site = headers["sec-fetch-site"];
    const foreign = headers["sec-fetch-mode"] !== "navigate" && (site === "cross-site" || site === "same-site");
    if (!hosts.has(headers.host ?? "") || foreign) return fresh({ message: "Only this page itself is answered" }, 403);
    return undefined;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const { status: code, body, contentType, cacheControl } = refusal(request) ?? (await answer(path));
    response.writeHead(code, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(body),
      "cache-control": cacheControl,
      "content-security-policy": policy,
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...(code === 405 && { allow: "GET, HEAD" }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  for (const name of ["127.0.0.1", "localhost"]) hosts.add(`${name}:${port}`);
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
