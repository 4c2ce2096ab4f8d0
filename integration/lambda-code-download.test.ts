import { GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction, zip } from "./harness/functions";

const emulator = useEmulator();
const code = "exports.handler = async () => 1";

it("gives a link to download a function's package, byte for byte", async () => {
  const lambda = new LambdaClient(settings(emulator.current));
  await makeFunction(lambda, "downloaded", code);
  const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: "downloaded" }));
  const response = await fetch(Code!.Location!);
  expect(response.headers.get("content-type")).toBe("application/zip");
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(zip({ "index.js": code })));
  expect((await fetch(Code!.Location!.replace(/.{8}$/, "00000000"))).status).toBe(404);
});

it("says that function URLs are not emulated", async () => {
  const response = await fetch(`${emulator.current.endpoint}/_aws/lambda-url/abc/`);
  expect([response.status, await response.text()]).toEqual([501, expect.stringContaining("function URLs")]);
});
