import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PageFile } from "../dashboard/build";

/** An answer of a site. */
export interface Answer extends PageFile {
  readonly status: number;
}

/** An answer that goes on for as long as somebody listens. Given the way to write; gives what ends it. */
export type Stream = (write: (text: string) => void) => () => void;

/** What answers the paths below a prefix. */
export interface Site {
  /** Content-Security-Policy of all its answers. */
  readonly policy: string;
  /** @param path without the prefix. */
  get(path: string, query: URLSearchParams): Answer | Promise<Answer>;
  /** Changes something, as JSON says. Without it nothing but GET is answered. */
  post?(path: string, input: unknown): Answer | Promise<Answer>;
  /** Server-sent events. */
  stream?(path: string): Stream | undefined;
}

export interface ServedPages {
  /** What to open in a browser: the site at "/". */
  readonly url: string;
  close(): Promise<void>;
}

/** An answer that nobody may keep, as JSON. */
export const fresh = (body: unknown, status = 200): Answer => ({
  status,
  body: JSON.stringify(body),
  contentType: "application/json; charset=utf-8",
  cacheControl: "no-store",
});

/** A file of a page that was built; `index.html` for "". */
export function fileAnswer(files: ReadonlyMap<string, PageFile>, path: string): Answer {
  const file = files.get(path || "index.html");
  return file ? { status: 200, ...file } : fresh({ message: "There is no such page" }, 404);
}

/** Bytes of JSON that a page sends at most. */
const bodyLimit = 64 * 1024;

/** A request that is not done; its message is for people. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/**
 * Serves sites on 127.0.0.1, to their own pages only. Another site's page must neither read nor change anything: not by
 * a request of its own (its `Origin` and `Sec-Fetch-Site` give it away, and nothing here answers a preflight), and not
 * by a name of its own that it points to this machine (its `Host` gives it away).
 *
 * @param sites by prefix, such as "/" and "/inspector/".
 */
export async function servePages(port: number, sites: Readonly<Record<string, Site>>): Promise<ServedPages> {
  const prefixes = Object.keys(sites).sort((a, b) => b.length - a.length);
  const hosts = new Set<string>();

  const check = ({ method = "", headers }: IncomingMessage, canPost: boolean): void => {
    const reads = method === "GET" || method === "HEAD";
    if (!reads && !(method === "POST" && canPost)) throw new Refusal(`Only ${allowed(canPost)} is answered here`, 405);
    const { host = "", origin } = headers;
    const site = headers["sec-fetch-site"];
    const isForeign = site === "cross-site" || site === "same-site";
    const opens = reads && headers["sec-fetch-mode"] === "navigate";
    if (!hosts.has(host) || (isForeign && !opens)) throw new Refusal("Only this page itself is answered", 403);
    if (reads) return;
    if (origin !== `http://${host}`) throw new Refusal("Only this page itself may change anything", 403);
    if (!/^application\/json(;|$)/.test(headers["content-type"] ?? "")) throw new Refusal("Only JSON is taken", 415);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const prefix = prefixes.find((one) => pathname.startsWith(one)) ?? "/";
    const site = sites[prefix]!;
    const path = pathname.slice(prefix.length);
    const head = (status: number, contentType: string, cacheControl: string, more = {}) =>
      response.writeHead(status, {
        "content-type": contentType,
        "cache-control": cacheControl,
        "content-security-policy": site.policy,
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        ...(status === 405 && { allow: allowed(site.post !== undefined) }),
        ...more,
      });
    const answer = async (): Promise<Answer | Stream> => {
      check(request, site.post !== undefined);
      if (`${pathname}/` in sites) throw new Refusal(`The page is at ${pathname}/`, 404);
      if (request.method === "POST") return site.post!(path, await readJson(request));
      return (request.method === "GET" && site.stream?.(path)) || site.get(path, searchParams);
    };
    const given = await answer().catch((error: unknown) => {
      if (error instanceof Refusal) return fresh({ message: error.message }, error.status);
      console.error(`${request.method} ${request.url}:`, error);
      return fresh({ message: "This did not work; the terminal tells more" }, 500);
    });
    if (typeof given === "function") {
      head(200, "text/event-stream", "no-store");
      const end = given((text) => response.write(text));
      response.once("close", end);
      return;
    }
    const { status, body, contentType, cacheControl } = given;
    head(status, contentType, cacheControl, { "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  for (const name of ["127.0.0.1", "localhost"]) hosts.add(`${name}:${taken}`);
  return {
    url: `http://127.0.0.1:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const allowed = (canPost: boolean) => (canPost ? "GET, HEAD, POST" : "GET, HEAD");

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new Refusal("That is too much", 413);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal("That is no JSON", 400);
  }
}
