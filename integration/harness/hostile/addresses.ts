import fc from "fast-check";
import type { Attempt } from "./attempt";
import { hostileAccount } from "./belongings";
import { bodies, texts } from "./values";
import { exchange, request, statusesIn } from "./wire";

const inLine = (text: string) =>
  Buffer.from(text)
    .toString("latin1")
    .replace(/[\r\n\0]/g, " ");
const encoded = (text: string) => encodeURIComponent(text.toWellFormed());

/** A part of a path: a word, anything encoded, anything raw. */
const part = fc.oneof(
  fc.constantFrom(
    ...[
      "hostile",
      "_aws",
      "execute-api",
      "lambda-code",
      "lambda-url",
      "sns",
      "iot",
      "cognito-idp",
      "_emulator",
      "mqtt",
    ],
    ...["2015-03-31", "functions", "restapis", "v2", "apis", "topics", "@connections", ".well-known", "oauth2", "prod"],
    ...["..", ".", "", "%2e%2e", "%2F", "%00", "%", "%zz", "%c0%af", "%ff", ";a=b", "x".repeat(1_200), "eu-west-1_abc"],
  ),
  texts.map(encoded),
  texts.map((text) => inLine(text).replace(/[\s?#]/g, "_")),
);

const queryNames = fc.constantFrom(
  ...[
    "uploads",
    "uploadId",
    "partNumber",
    "versionId",
    "versioning",
    "acl",
    "policy",
    "tagging",
    "delete",
    "lifecycle",
  ],
  ...["list-type", "max-keys", "continuation-token", "start-after", "prefix", "delimiter", "encoding-type", "marker"],
  ...[
    "response-content-type",
    "response-content-disposition",
    "response-expires",
    "attributes",
    "notification",
    "cors",
  ],
  ...["X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Algorithm"],
  ...[
    "Action",
    "Version",
    "Token",
    "client_id",
    "redirect_uri",
    "code",
    "qos",
    "embed",
    "limit",
    "position",
    "__proto__",
  ],
);

const queryValues = fc.oneof(
  texts.map(encoded),
  fc.constantFrom(
    ...["", "1", "-1", "0", "1e9", "NaN", "hostile", "%0d%0aX-Injected:%201", "%00", "url", "2", "true", "null", "%e9"],
    ...[
      `${hostileAccount}%2F20261121%2Feu-west-1%2Fs3%2Faws4_request`,
      "AKIAXXXXXXXXXXXXXXXX%2F1%2F2%2Fs3%2Faws4_request",
    ],
    ...["20261121T000000Z", "AWS4-HMAC-SHA256", "host;x", "99999999999999999999", "https%3A%2F%2Fx", "CreateUser"],
  ),
);

const headerNames = fc.constantFrom(
  ...[
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "Range",
    "x-amz-acl",
    "x-amz-tagging",
    "x-amz-meta-a",
    "x-amz-meta-",
  ],
  ...["If-Match", "If-None-Match", "If-Modified-Since", "Content-MD5", "x-amz-checksum-crc32", "x-amz-checksum-sha256"],
  ...[
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "Content-Encoding",
    "x-amz-date",
    "Expires",
  ],
  ...[
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-object-lock-retain-until-date",
    "x-amz-mfa",
    "Origin",
  ],
  ...[
    "x-amz-expected-bucket-owner",
    "x-amz-website-redirect-location",
    "x-amz-security-token",
    "Cache-Control",
    "Accept",
  ],
  ...["x-amz-sdk-checksum-algorithm", "x-amz-object-attributes", "x-amz-metadata-directive", "x-amz-invocation-type"],
);

const headerValues = fc.oneof(
  texts.map(inLine),
  fc.constantFrom(
    ...[
      "/hostile/hostile",
      "hostile/%zz",
      "hostile",
      "bytes=0-",
      "bytes=-0",
      "bytes=9-1,3-",
      "bytes=0-99999999999999999999",
    ],
    ...[
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "UNSIGNED-PAYLOAD",
      "aws-chunked",
      "gzip",
    ],
    ...[
      "a=b&c",
      "public-read",
      "99999999999999999999",
      "-1",
      "*",
      '"x"',
      "Mon, 99 Foo 2026",
      "CRC32",
      "REPLACE",
      "\xe9\xff",
      "Event",
    ],
  ),
);

const hosts = fc.oneof(
  { weight: 6, arbitrary: fc.constant("localhost") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...["hostile.s3.localhost", "hostile.s3.eu-west-1.amazonaws.com", ".s3.localhost", "a.b.c.s3-x.amazonaws.com"],
      ...[
        "x.execute-api.localhost",
        "x.auth.localhost",
        "hostile.localhost",
        "[::1]",
        "%00",
        "a".repeat(500),
        "é.localhost",
      ],
    ),
  },
);

const signatures = fc.oneof(
  fc
    .constantFrom(
      "s3",
      "lambda",
      "apigateway",
      "execute-api",
      "iot",
      "sqs",
      "sts",
      "nothing",
      "__proto__",
      "dynamodb",
      "cognito-idp",
    )
    .map((service) => [
      `Authorization: AWS4-HMAC-SHA256 Credential=${hostileAccount}/20261121/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    ]),
  fc.constantFrom<string[]>(
    ...[
      [],
      ["Authorization: AWS4-HMAC-SHA256"],
      ["Authorization: AWS hostile:c2ln"],
      ["Authorization: Credential=/1/2/3/aws4_request"],
    ],
    [
      "Authorization: AWS4-HMAC-SHA256 Credential=ASIAXXXXXXXXXXXXXXXX/20261121/eu-west-1/s3/aws4_request, SignedHeaders=, Signature=",
    ],
    [
      "Authorization: AWS4-HMAC-SHA256 Credential=AKIAXXXXXXXXXXXXXXXX/x/%00/iam/aws4_request, SignedHeaders=host;;x, Signature=zz",
    ],
    [
      `Authorization: AWS4-HMAC-SHA256 Credential=${hostileAccount}/20261121//s3/aws4_request,SignedHeaders=host,Signature=0`,
    ],
  ),
);

/** Requests to addresses of any kind: paths, queries and headers of S3 and of the data planes, with signatures of any kind. */
export function strangeAddresses(port: number): fc.Arbitrary<Attempt> {
  return fc
    .record({
      method: fc.constantFrom("GET", "GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"),
      path: fc.array(part, { maxLength: 5 }),
      isOwn: fc.boolean(),
      query: fc.array(fc.tuple(queryNames, queryValues), { maxLength: 4 }),
      headers: fc.array(fc.tuple(headerNames, headerValues), { maxLength: 4 }),
      signature: signatures,
      host: hosts,
      body: bodies,
    })
    .map(({ method, path, isOwn, query, headers, signature, host, body }): Attempt => {
      const tail = query.map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join("&");
      const target = `/${(isOwn ? ["hostile", ...path] : path).join("/")}${tail && `?${tail}`}`;
      const lines = [
        `Host: ${host}`,
        "Connection: close",
        ...signature,
        ...headers.map(([name, value]) => `${name}: ${value}`),
      ];
      const whole = request(method, target, lines, body);
      return {
        name: "address",
        shown: whole.toString("latin1"),
        requests: 1,
        async run() {
          const received = await exchange({ port, parts: [whole], ending: "wait" });
          const head = received.toString("latin1").split("\r\n\r\n", 1)[0]!;
          const problem = /^x-injected/im.test(head) ? "a header was injected" : undefined;
          return { statuses: statusesIn(received), ...(problem && { problem }) };
        },
      };
    });
}
