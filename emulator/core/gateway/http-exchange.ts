import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { namedValues } from "./named-values";

/** A request to an integration's endpoint. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
  readonly signal?: AbortSignal;
  /** Takes certificates that nobody vouches for. */
  readonly insecure?: boolean;
}

/** The whole answer; header names as the endpoint wrote them, in lower case. */
export interface IncomingAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** Sends a request and reads the whole answer. Redirects are not followed. Rejects when there is no answer. */
export function exchangeHttp(outgoing: OutgoingRequest): Promise<IncomingAnswer> {
  const { method, url, headers, body, signal, insecure } = outgoing;
  return new Promise((resolve, reject) => {
    const hasBody = body.length > 0 || /^(POST|PUT|PATCH)$/.test(method);
    const options = {
      method,
      headers: hasBody ? { ...headers, "Content-Length": String(body.length) } : headers,
      signal,
      rejectUnauthorized: !insecure,
    };
    const sent = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const received: IncomingAnswer["headers"] = namedValues();
        for (const [name, values] of Object.entries(response.headersDistinct))
          if (values) received[name] = values.length === 1 ? values[0]! : values;
        resolve({ status: response.statusCode ?? 500, headers: received, body: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
