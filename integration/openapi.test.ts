import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { useDeployed } from "./harness/deployed";

type Json = Record<string, unknown>;
interface Media {
  readonly schema?: Json;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly requestBody: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

const text = readFileSync(resolve(__dirname, "../docs/openapi.yaml"), "utf8");
const document = load(text) as Json & { paths: Record<string, { post: Operation }> };

const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part.replaceAll("~1", "/")], document);

const ajv = new Ajv2020({ strict: false });
/** References lead into the document. */
const compile = (schema: Json | undefined) => ajv.compile({ ...schema, components: document.components });

const deployed = useDeployed<{ url: string; apiKey: string; postboxUrl: string }>("proof");

/** What is sent to make a component answer so. */
interface Sent {
  readonly path: "/thingsee" | "/publish";
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly faults?: readonly { service: string; operation: string }[];
}

const big = new Uint8Array(10 * 1024 * 1024 + 1);
const reading = JSON.stringify(
  document.paths["/thingsee"]!.post.requestBody.content["application/json"]!.examples!.reading!.value,
);

const cases: Record<string, Sent> = {
  "messages that are stored": { path: "/thingsee", status: 200, body: reading },
  "a message that is dead-lettered": { path: "/thingsee", status: 200, body: '{"tsmId":1}' },
  "a body that is not JSON": { path: "/thingsee", status: 400, body: "{" },
  "a wrong API key": { path: "/thingsee", status: 403, body: reading, headers: { "x-api-key": "guessed" } },
  "more than 10 MB of messages": { path: "/thingsee", status: 413, body: big },
  "messages while nothing can be kept": {
    ...{ path: "/thingsee", status: 503, body: "{" },
    faults: [
      { service: "sqs", operation: "SendMessage" },
      { service: "sqs", operation: "SendMessageBatch" },
    ],
  },
  "a body that is stored": { path: "/publish", status: 200, body: "anything" },
  "an empty body": { path: "/publish", status: 400, body: "" },
  "no token": { path: "/publish", status: 401, body: "anything", headers: { AuthDetails: "" } },
  "a wrong token": { path: "/publish", status: 403, body: "anything", headers: { AuthDetails: "guessed" } },
  "more than 10 MB": { path: "/publish", status: 413, body: big },
  "a body while S3 fails": {
    ...{ path: "/publish", status: 503, body: "anything" },
    faults: [{ service: "s3", operation: "PutObject" }],
  },
};

describe("the OpenAPI description", () => {
  it("is version 3.1, and every reference in it leads somewhere", () => {
    expect(document.openapi).toBe("3.1.0");
    const references = [...text.matchAll(/\$ref: "([^"]+)"/g)].map(([, pointer]) => pointer!);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((pointer) => at(pointer) === undefined)).toEqual([]);
  });

  it.each(Object.entries(cases))("describes what is answered to %s", async (_, sent) => {
    const { emulator, outputs } = deployed.current;
    const { path, status, body, headers, faults = [] } = sent;
    for (const fault of faults) emulator.faults.inject({ fault: "error", ...fault });
    const own = path === "/thingsee" ? { "x-api-key": outputs.apiKey } : { AuthDetails: "a-secret-of-the-senders" };
    const url = path === "/thingsee" ? outputs.url : outputs.postboxUrl;
    const all = { "content-type": "application/json", ...own, ...headers };
    const answer = await fetch(url, { method: "POST", headers: all, body });
    emulator.faults.clear();
    expect(answer.status).toBe(status);

    const { responses } = document.paths[path]!.post;
    const described = responses[status] ?? responses["5XX"]!;
    const { content } = (described.$ref ? at(described.$ref) : described) as typeof described;
    expect(answer.headers.get("content-type")).toBe("application/json");
    const validate = compile(content!["application/json"]!.schema);
    const said: unknown = await answer.json();
    expect(validate(said), JSON.stringify([said, validate.errors])).toBe(true);
  });
});
