import { request } from "node:http";
import { type LiveOutputs, serveLive } from "../../cli/live";
import type { Emulator } from "../../emulator";

/** What a server answers. */
export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** Serves the pages of a stack as `npm start` does, and asks the inspector as its page does, or as somebody else. */
export async function serveInspector(
  emulator: Emulator,
  outputs: Pick<LiveOutputs, "resources"> & Partial<LiveOutputs>,
) {
  const live = { liveUrl: "ws://127.0.0.1:1/live", liveToken: "", deadLetterQueues: [], stack: "test" };
  const { dashboardUrl, inspectorUrl: url, close } = await serveLive({ ...live, ...outputs }, emulator);
  const { host, origin, pathname } = new URL(url);

  /** A request with headers that `fetch` does not let a program choose; the path is below that of the inspector. */
  const send = (method: string, path: string, headers: Record<string, string> = {}, body = "") =>
    new Promise<Answer>((resolve, reject) => {
      const options = { path: `${pathname}${path}`, method, headers: { host, ...headers } };
      const sent = request(new URL(url), options, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode!, headers: response.headers, body: text });
      });
      sent.on("error", reject).end(body);
    });
  const own = { origin, "sec-fetch-site": "same-origin", "content-type": "application/json" };
  return {
    ...{ url, dashboardUrl, origin, send, close },
    get: async <Result>(path: string): Promise<Result> => JSON.parse((await send("GET", `api/${path}`)).body),
    /** What the page's own buttons send. */
    post: async (path: string, input: object) => {
      const { status, body } = await send("POST", `api/${path}`, own, JSON.stringify(input));
      return { status, message: (JSON.parse(body) as { message: string }).message };
    },
  };
}
