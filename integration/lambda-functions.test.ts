import { createHash } from "node:crypto";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { settings } from "./harness/emulator";
import { answer, arnOf, invoke, makeFunction, role, useLambda, zip } from "./harness/functions";
import { adminRole } from "./harness/permissions";

const { emulator, lambda } = useLambda();

describe("creating a function", () => {
  it("shows the settings that were given, with AWS's defaults for the others", async () => {
    const ZipFile = zip({ "index.js": answer(1) });
    await adminRole(lambda());
    const created = await lambda().send(
      new CreateFunctionCommand({
        FunctionName: "first",
        Role: role,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { ZipFile },
      }),
    );
    const expected = {
      FunctionName: "first",
      FunctionArn: arnOf("first"),
      Runtime: "nodejs24.x",
      Role: role,
      Handler: "index.handler",
      CodeSize: ZipFile.length,
      CodeSha256: createHash("sha256").update(ZipFile).digest("base64"),
      Description: "",
      Timeout: 3,
      MemorySize: 128,
      Version: "$LATEST",
      PackageType: "Zip",
      Architectures: ["x86_64"],
      EphemeralStorage: { Size: 512 },
      TracingConfig: { Mode: "PassThrough" },
      SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
      LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/first" },
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
      RevisionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    };
    expect(created).toMatchObject({ ...expected, State: "Pending", StateReasonCode: "Creating" });
    const { Configuration, Code } = await lambda().send(new GetFunctionCommand({ FunctionName: "first" }));
    expect(Configuration).toMatchObject({ ...expected, State: "Active", LastUpdateStatus: "Successful" });
    expect(Code?.RepositoryType).toBe("S3");
  });

  it("is over when a tool waits for it", async () => {
    await makeFunction(lambda(), "awaited", answer(1));
    const waiter = { client: lambda(), maxWaitTime: 10, minDelay: 9 };
    await waitUntilFunctionActiveV2(waiter, { FunctionName: "awaited" });
    await lambda().send(new UpdateFunctionConfigurationCommand({ FunctionName: "awaited", Timeout: 9 }));
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName: "awaited" });
  });

  it("takes the package from a bucket", async () => {
    const s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "packages" }));
    await s3.send(
      new PutObjectCommand({ Bucket: "packages", Key: "a.zip", Body: zip({ "index.js": answer("from S3") }) }),
    );
    const create = (S3Key: string) =>
      makeFunction(lambda(), "from-bucket", "", { Code: { S3Bucket: "packages", S3Key } });
    await expect(create("missing.zip")).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: expect.stringContaining("S3 Error Code: NoSuchKey"),
    });
    await create("a.zip");
    expect((await invoke(lambda(), "from-bucket")).result).toBe("from S3");
  });

  it("refuses a name that is taken", async () => {
    await makeFunction(lambda(), "taken", answer(1));
    await expect(makeFunction(lambda(), "taken", answer(2))).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: "Function already exist: taken",
      $metadata: { httpStatusCode: 409 },
    });
    expect((await invoke(lambda(), "taken")).result).toBe(1);
  });

  const refused: [string, Partial<CreateFunctionCommandInput>, string, string][] = [
    [
      "too little memory",
      { MemorySize: 127 },
      "ValidationException",
      "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
    ],
    ["too much memory", { MemorySize: 10_241 }, "ValidationException", "less than or equal to 10240"],
    ["too long a timeout", { Timeout: 901 }, "ValidationException", "less than or equal to 900"],
    ["a role that is no role", { Role: "arn:aws:iam::1:user/x" }, "ValidationException", "'role'"],
    ["a name with a space", { FunctionName: "a b" }, "ValidationException", "'functionName'"],
    ["a name that is too long", { FunctionName: "a".repeat(65) }, "ValidationException", "less than or equal to 64"],
    [
      "an unknown runtime",
      { Runtime: "nodejs99.x" as "nodejs24.x" },
      "InvalidParameterValueException",
      "Value nodejs99.x at 'runtime'",
    ],
    ["a retired runtime", { Runtime: "nodejs16.x" }, "InvalidParameterValueException", "no longer supported"],
    ["a runtime that is not emulated", { Runtime: "python3.13" }, "NotImplemented", "python3.13"],
    ["a container image", { PackageType: "Image", Code: { ImageUri: "x" } }, "NotImplemented", "container images"],
    ["layers", { Layers: ["arn:aws:lambda:eu-west-1:000000000000:layer:x:1"] }, "NotImplemented", "Layers"],
    ["an unknown architecture", { Architectures: ["mips" as "arm64"] }, "ValidationException", "[x86_64, arm64]"],
    ["too little storage", { EphemeralStorage: { Size: 511 } }, "ValidationException", "ephemeralStorage.size"],
    ["no code", { Code: {} }, "InvalidParameterValueException", "Please provide a source for function code."],
    [
      "code that is no zip",
      { Code: { ZipFile: Buffer.from("text") } },
      "InvalidParameterValueException",
      "Could not unzip uploaded file.",
    ],
    ["an empty zip", { Code: { ZipFile: zip({}) } }, "InvalidParameterValueException", "non-empty zip"],
    [
      "a zip that leaves its folder",
      { Code: { ZipFile: zip({ "../x.js": "" }) } },
      "InvalidParameterValueException",
      "Could not unzip",
    ],
    [
      "a reserved variable",
      { Environment: { Variables: { AWS_REGION: "x" } } },
      "InvalidParameterValueException",
      "Reserved keys used in this request: AWS_REGION",
    ],
    [
      "a variable with a bad name",
      { Environment: { Variables: { "1A": "x" } } },
      "ValidationException",
      "environment.variables",
    ],
    [
      "more than 4 KB of variables",
      { Environment: { Variables: { BIG: "x".repeat(4094) } } },
      "InvalidParameterValueException",
      "exceeded the 4KB limit",
    ],
    [
      "log levels for text logs",
      { LoggingConfig: { ApplicationLogLevel: "DEBUG" } },
      "InvalidParameterValueException",
      "LogFormat",
    ],
    [
      "a topic for dead letters",
      { DeadLetterConfig: { TargetArn: "arn:aws:sns:eu-west-1:000000000000:x" } },
      "NotImplemented",
      "SNS",
    ],
    ["SnapStart", { SnapStart: { ApplyOn: "PublishedVersions" } }, "InvalidParameterValueException", "SnapStart"],
    ["reserved tags", { Tags: { "aws:x": "y" } }, "InvalidParameterValueException", "aws:"],
  ];
  it.each(refused)("refuses %s and creates nothing", async (_what, options, name, message) => {
    await expect(makeFunction(lambda(), "refused", answer(1), options)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
    const get = new GetFunctionCommand({ FunctionName: "refused" });
    await expect(lambda().send(get)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("names all mistakes at once", async () => {
    await expect(makeFunction(lambda(), "refused", answer(1), { MemorySize: 1, Timeout: 0 })).rejects.toThrow(
      /^2 validation errors detected: .*'timeout'.*; .*'memorySize'/,
    );
  });
});

describe("naming a function", () => {
  it.each([
    ["its name", "named"],
    ["a partial ARN", "000000000000:function:named"],
    ["its ARN", arnOf("named")],
    ["its ARN with $LATEST", `${arnOf("named")}:$LATEST`],
  ])("works by %s", async (_how, FunctionName) => {
    await makeFunction(lambda(), "named", answer("found")).catch(() => undefined);
    expect((await invoke(lambda(), FunctionName)).result).toBe("found");
  });

  it("refuses another region and a qualifier that says otherwise", async () => {
    await expect(invoke(lambda(), arnOf("named").replace("eu-west-1", "us-east-1"))).rejects.toMatchObject({
      message: "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
    });
    await expect(invoke(lambda(), "named:one", {}, { Qualifier: "two" })).rejects.toMatchObject({
      message: "The derived qualifier from the function name does not match the specified qualifier.",
    });
  });

  it("keeps accounts and regions apart", async () => {
    const elsewhere = new LambdaClient(settings(emulator.current, { region: "us-east-1" }));
    await makeFunction(lambda(), "apart", answer("eu"));
    await expect(invoke(elsewhere, "apart")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await makeFunction(elsewhere, "apart", answer("us"));
    expect((await invoke(elsewhere, "apart")).result).toBe("us");
    expect((await invoke(lambda(), "apart")).result).toBe("eu");
  });
});

describe("changing a function", () => {
  it("changes what the request says and leaves the rest", async () => {
    await makeFunction(lambda(), "changed", "exports.handler = async () => process.env.MODE ?? 'none'", {
      Environment: { Variables: { MODE: "1" } },
      Description: "before",
    });
    expect((await invoke(lambda(), "changed")).result).toBe("1");
    const updated = await lambda().send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: "changed",
        MemorySize: 256,
        Environment: { Variables: {} },
      }),
    );
    expect(updated).toMatchObject({ MemorySize: 256, Description: "before", LastUpdateStatus: "InProgress" });
    expect(updated.Environment).toBeUndefined();
    expect((await invoke(lambda(), "changed")).result).toBe("none");
  });

  it("refuses an update that is based on an older revision", async () => {
    await makeFunction(lambda(), "revised", answer(1));
    const { RevisionId } = await lambda().send(new GetFunctionConfigurationCommand({ FunctionName: "revised" }));
    const update = () =>
      lambda().send(
        new UpdateFunctionCodeCommand({ FunctionName: "revised", ZipFile: zip({ "index.js": answer(2) }), RevisionId }),
      );
    await update();
    await expect(update()).rejects.toMatchObject({
      name: "PreconditionFailedException",
      $metadata: { httpStatusCode: 412 },
    });
    expect((await invoke(lambda(), "revised")).result).toBe(2);
  });

  it("is gone when it is deleted", async () => {
    await makeFunction(lambda(), "deleted", answer(1));
    await invoke(lambda(), "deleted");
    await lambda().send(new DeleteFunctionCommand({ FunctionName: "deleted" }));
    await expect(invoke(lambda(), "deleted")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
  });

  it("lists functions page by page", async () => {
    const other = new LambdaClient(settings(emulator.current, { region: "eu-north-1" }));
    for (const name of ["c", "a", "b"]) await makeFunction(other, name, answer(1));
    const one = await other.send(new ListFunctionsCommand({ MaxItems: 2 }));
    expect(one.Functions!.map(({ FunctionName }) => FunctionName)).toEqual(["a", "b"]);
    const two = await other.send(new ListFunctionsCommand({ MaxItems: 2, Marker: one.NextMarker }));
    expect(two.Functions!.map(({ FunctionName }) => FunctionName)).toEqual(["c"]);
    expect(two.NextMarker).toBeUndefined();
  });
});
