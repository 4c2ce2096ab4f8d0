import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import fc from "fast-check";
import type { Attempt } from "./attempt";
import type { Stack } from "./stack";
import { bodies, texts } from "./values";
import { exchange, request, statusesIn } from "./wire";

/** Calls of `@connections`: signed ones to connections that are not there, and others whose signature is none. */
export function managementCalls(stack: Stack): fc.Arbitrary<Attempt> {
  const { management: client } = stack.clients;
  const ids = fc.oneof(
    texts.filter((id) => id !== "" && id.isWellFormed()),
    fc.constantFrom("AAAAAAAAAAAAAAA=", "a=b", "..", "%2e", "@connections", "x".repeat(3_000)),
  );
  const data = fc.oneof(bodies, fc.constantFrom(Buffer.alloc(131_073), Buffer.alloc(131_072), Buffer.alloc(400_000)));
  const signed = fc
    .record({ ConnectionId: ids, Data: data, method: fc.constantFrom("POST", "GET", "DELETE") })
    .map(({ ConnectionId, Data, method }): Attempt => {
      const send = () =>
        method === "POST"
          ? client.send(new PostToConnectionCommand({ ConnectionId, Data }))
          : method === "GET"
            ? client.send(new GetConnectionCommand({ ConnectionId }))
            : client.send(new DeleteConnectionCommand({ ConnectionId }));
      return {
        name: "@connections",
        shown: `${method} ${ConnectionId} ${Data.toString("latin1")}`,
        requests: 1,
        async run() {
          const status = await send().then(
            ({ $metadata }) => $metadata.httpStatusCode,
            ({ $metadata, message }: Error & { $metadata?: { httpStatusCode?: number } }) => {
              if (!$metadata?.httpStatusCode) throw new Error(`no status: ${message}`);
              return $metadata.httpStatusCode;
            },
          );
          return { statuses: [status!] };
        },
      };
    });
  const { pathname } = new URL(stack.text("liveUrl"));
  const scope = "test/20261121/eu-west-1/execute-api/aws4_request";
  const signatures = fc.constantFrom(
    ...[
      "",
      "AWS4-HMAC-SHA256",
      `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${"0".repeat(64)}`,
    ],
    ...[
      `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=, Signature=`,
      "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;",
    ],
    ...[
      "AWS4-HMAC-SHA256 Credential=ASIAXXXXXXXXXXXXXXXX/20261121/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x, Signature=z",
    ],
    ...["AWS4-ECDSA-P256-SHA256 Credential=a/b, Signature=c", "Basic dGVzdDp0ZXN0", `Bearer ${"x".repeat(6_000)}`],
  );
  const unsigned = fc
    .record({
      id: texts.map((id) => encodeURIComponent(id.toWellFormed())),
      signature: signatures,
      date: fc.constantFrom("20261121T000000Z", "x", "", "99999999T999999Z"),
      method: fc.constantFrom("POST", "GET", "DELETE", "PUT", "OPTIONS"),
      body: bodies,
    })
    .map(({ id, signature, date, method, body }): Attempt => {
      const headers = ["Host: localhost", "Connection: close", `Authorization: ${signature}`, `X-Amz-Date: ${date}`];
      const whole = request(method, `${pathname}/@connections/${id}`, headers, body);
      return {
        name: "@connections",
        shown: whole.toString("latin1"),
        requests: 1,
        run: async () => ({
          statuses: statusesIn(await exchange({ port: stack.port, parts: [whole], ending: "wait" })),
        }),
      };
    });
  return fc.oneof(signed, unsigned);
}
