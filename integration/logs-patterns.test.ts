import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let logs: CloudWatchLogsClient;
const logGroupName = "g";

const texts = [
  "[ERROR] out of memory",
  "[WARN] memory is low: 10%",
  "INFO all is well",
  '{"level":"error","n":5,"user":{"id":"u-1","roles":["admin","dev"]},"ok":true,"gone":null}',
  '{"level":"warn","n":2,"user":{"id":"u-2","roles":[]},"ok":false,"ip":"10.0.1.7"}',
  '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 200 1534',
  '127.0.0.1 - anna [10/Oct/2000:13:25:16 -0700] "GET /missing.png HTTP/1.0" 404 12',
];

beforeAll(async () => {
  logs = new CloudWatchLogsClient(settings(emulator.current));
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  const timestamp = emulator.current.clock.now();
  const logEvents = texts.map((message, i) => ({ message, timestamp: timestamp + i }));
  await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
});

/** The numbers of the texts above that the pattern finds. */
const search = async (filterPattern: string) => {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
  return events.map(({ message }) => texts.indexOf(message!));
};

describe("filter patterns", () => {
  it.each<[string, number[]]>([
    ["", [0, 1, 2, 3, 4, 5, 6]],
    [" ", [0, 1, 2, 3, 4, 5, 6]],
    ["memory", [0, 1]],
    ["memory ERROR", [0]],
    ["error", [3]],
    ["memory -ERROR", [1]],
    ["?ERROR ?INFO", [0, 2]],
    ["INFO ?ERROR", [2]],
    ['"all is well"', [2]],
    ['-"memory" -"127.0.0.1" -"{"', [2]],
    ["%10[./]%", [4, 5, 6]],
  ])("finds terms: %s", async (pattern, expected) => {
    expect(await search(pattern)).toEqual(expected);
  });

  it.each<[string, number[]]>([
    ['{ $.level = "error" }', [3]],
    ["{ $.level = error }", [3]],
    ['{ $.level = "*r*" }', [3, 4]],
    ['{ $.level != "error" }', [4]],
    ['{ $.level = "error" && $.n > 3 }', [3]],
    ['{ $.level = "error" && $.n > 5 }', []],
    ['{ $.n <= 2 || ($.level = "error" && $.n >= 5) }', [3, 4]],
    ["{ $.n = 5 }", [3]],
    ["{ $.ok IS TRUE }", [3]],
    ["{ $.ok IS FALSE }", [4]],
    ["{ $.gone IS NULL }", [3]],
    ["{ $.ip NOT EXISTS }", [3]],
    ["{ $.ip EXISTS }", [4]],
    ["{ $.ip = 10.0.* }", [4]],
    ['{ $.user.roles[0] = "admin" }', [3]],
    ['{ $.user.roles[*] = "dev" }', [3]],
    ['{ $.["user"].id = %u-[12]% }', [3, 4]],
  ])("looks into JSON: %s", async (pattern, expected) => {
    expect(await search(pattern)).toEqual(expected);
  });

  it.each<[string, number[]]>([
    ["[ip, id, user, time, request, status, bytes]", [5, 6]],
    ["[ip, id, user, time, request, status = 4*, bytes]", [6]],
    ["[..., status = 200, bytes > 1000]", [5]],
    ["[ip, ..., request = *.html*, status, bytes]", [5]],
    ["[ip, id, user = frank || user = anna, ..., bytes < 100]", [6]],
    ["[level, w2, w3, w4]", [0, 2]],
  ])("looks into fields: %s", async (pattern, expected) => {
    expect(await search(pattern)).toEqual(expected);
  });

  it.each([
    "foo.bar",
    '"open',
    "{ $.a }",
    "{ $.a = }",
    "{ $.a > x }",
    "{ a = 1 }",
    '{ $.a = "1"',
    "[a, = 3]",
    "[a",
    "%(a+)+%",
  ])("refuses %s", async (pattern) => {
    await expect(search(pattern)).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});
