import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { settings, useEmulator } from "./emulator";
import { adminRole } from "./permissions";

/** A deployment package: file names and their text. */
export const zip = (files: Record<string, string>): Uint8Array =>
  // The same files make the same bytes, whenever that is.
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])), {
    mtime: "2026-01-01",
  });

/** The role of functions that {@link makeFunction} makes. */
export const role = "arn:aws:iam::000000000000:role/test";

/** The code of a function that always answers the same. */
export const answer = (value: unknown): string => `exports.handler = async () => (${JSON.stringify(value)})`;

/** The ARN of a function by its name. */
export const arnOf = (name: string): string => `arn:aws:lambda:eu-west-1:000000000000:function:${name}`;

/** An emulator for one test file, and its Lambda client. Call it inside tests only. */
export function useLambda() {
  const emulator = useEmulator();
  let client: LambdaClient | undefined;
  const lambda = () => {
    client ??= new LambdaClient(settings(emulator.current));
    return client;
  };
  return { emulator, lambda };
}

/** Creates a function from the text of its `index.js`, or from several files, which may do everything. Gives its ARN. */
export async function makeFunction(
  lambda: LambdaClient,
  name: string,
  code: string | Record<string, string>,
  options: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const files = typeof code === "string" ? { "index.js": code } : code;
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: options.Role ?? (await adminRole(lambda)),
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zip(files) },
      ...options,
    }),
  );
  return FunctionArn!;
}

/** Invokes a function and reads its answer. */
export async function invoke(
  lambda: LambdaClient,
  name: string,
  event?: unknown,
  options: Partial<InvokeCommandInput> = {},
) {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: name,
      Payload: event === undefined ? undefined : JSON.stringify(event),
      ...options,
    }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString("utf8");
  return {
    status: answer.StatusCode,
    error: answer.FunctionError,
    version: answer.ExecutedVersion,
    text,
    result: text === "" ? undefined : JSON.parse(text),
    log: answer.LogResult === undefined ? undefined : Buffer.from(answer.LogResult, "base64").toString("utf8"),
  };
}
