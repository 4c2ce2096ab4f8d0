import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionRecursionConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  GetProvisionedConcurrencyConfigCommand,
  GetRuntimeManagementConfigCommand,
  InvokeWithResponseStreamCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { describe, expect, it } from "vitest";
import { answer, arnOf, invoke, makeFunction, useLambda, zip } from "./harness/functions";

const { lambda } = useLambda();

describe("versions and aliases", () => {
  it("freezes a version, and makes no second one without a change", async () => {
    await makeFunction(lambda(), "versioned", answer("one"));
    const publish = () => lambda().send(new PublishVersionCommand({ FunctionName: "versioned", Description: "v" }));
    expect(await publish()).toMatchObject({ Version: "1", FunctionArn: `${arnOf("versioned")}:1`, Description: "v" });
    expect((await publish()).Version).toBe("1");
    await lambda().send(
      new UpdateFunctionCodeCommand({ FunctionName: "versioned", ZipFile: zip({ "index.js": answer("two") }) }),
    );
    expect((await publish()).Version).toBe("2");
    expect(await invoke(lambda(), "versioned", {}, { Qualifier: "1" })).toMatchObject({ result: "one", version: "1" });
    expect(await invoke(lambda(), "versioned")).toMatchObject({ result: "two", version: "$LATEST" });
    const { Versions } = await lambda().send(new ListVersionsByFunctionCommand({ FunctionName: "versioned" }));
    expect(Versions!.map(({ Version }) => Version)).toEqual(["$LATEST", "1", "2"]);
  });

  it("leads an alias to its version, and to another one by weight", async () => {
    await makeFunction(lambda(), "aliased", answer("old"), { Publish: true });
    await lambda().send(
      new UpdateFunctionCodeCommand({
        FunctionName: "aliased",
        ZipFile: zip({ "index.js": answer("new") }),
        Publish: true,
      }),
    );
    const alias = { FunctionName: "aliased", Name: "live" };
    await lambda().send(new CreateAliasCommand({ ...alias, FunctionVersion: "1" }));
    expect(await invoke(lambda(), "aliased:live")).toMatchObject({ result: "old", version: "1" });
    await lambda().send(new UpdateAliasCommand({ ...alias, RoutingConfig: { AdditionalVersionWeights: { "2": 1 } } }));
    expect(await invoke(lambda(), "aliased:live")).toMatchObject({ result: "new", version: "2" });
    expect(await lambda().send(new GetAliasCommand(alias))).toMatchObject({
      AliasArn: `${arnOf("aliased")}:live`,
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 1 } },
    });
    const removeVersion = new DeleteFunctionCommand({ FunctionName: "aliased", Qualifier: "1" });
    await expect(lambda().send(removeVersion)).rejects.toMatchObject({ name: "ResourceConflictException" });
    await lambda().send(new DeleteAliasCommand(alias));
    await lambda().send(removeVersion);
    await expect(invoke(lambda(), "aliased:live")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("refuses an alias of a version that is not there", async () => {
    await makeFunction(lambda(), "no-version", answer(1));
    const create = new CreateAliasCommand({ FunctionName: "no-version", Name: "x", FunctionVersion: "7" });
    await expect(lambda().send(create)).rejects.toMatchObject({
      message: `Function not found: ${arnOf("no-version")}:7`,
    });
  });
});

describe("the resource policy", () => {
  it("keeps the statements that are added and forgets those that are removed", async () => {
    const FunctionName = "guarded";
    await makeFunction(lambda(), FunctionName, answer(1));
    const add = () =>
      lambda().send(
        new AddPermissionCommand({
          FunctionName,
          StatementId: "api",
          Action: "lambda:InvokeFunction",
          Principal: "apigateway.amazonaws.com",
          SourceArn: "arn:aws:execute-api:eu-west-1:000000000000:abc/*",
          SourceAccount: "000000000000",
        }),
      );
    const statement = {
      Sid: "api",
      Effect: "Allow",
      Principal: { Service: "apigateway.amazonaws.com" },
      Action: "lambda:InvokeFunction",
      Resource: arnOf(FunctionName),
      Condition: {
        StringEquals: { "AWS:SourceAccount": "000000000000" },
        ArnLike: { "AWS:SourceArn": "arn:aws:execute-api:eu-west-1:000000000000:abc/*" },
      },
    };
    expect(JSON.parse((await add()).Statement!)).toEqual(statement);
    const { Policy, RevisionId } = await lambda().send(new GetPolicyCommand({ FunctionName }));
    expect(JSON.parse(Policy!)).toEqual({ Version: "2012-10-17", Id: "default", Statement: [statement] });
    expect(RevisionId).toMatch(/^[0-9a-f-]{36}$/);
    await expect(add()).rejects.toMatchObject({ name: "ResourceConflictException" });
    await lambda().send(new RemovePermissionCommand({ FunctionName, StatementId: "api" }));
    await expect(lambda().send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("refuses a principal that is none", async () => {
    const add = new AddPermissionCommand({
      FunctionName: "guarded",
      StatementId: "x",
      Action: "lambda:*",
      Principal: "someone",
    });
    await expect(lambda().send(add)).rejects.toMatchObject({
      message: "The provided principal was invalid. Please check the principal and try again.",
    });
  });
});

describe("what deployment tools read back", () => {
  it("keeps tags", async () => {
    const Resource = await makeFunction(lambda(), "tagged", answer(1), { Tags: { a: "1", b: "2" } });
    await lambda().send(new TagResourceCommand({ Resource, Tags: { b: "3", c: "4" } }));
    await lambda().send(new UntagResourceCommand({ Resource, TagKeys: ["a"] }));
    expect((await lambda().send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: "3", c: "4" });
    expect((await lambda().send(new GetFunctionCommand({ FunctionName: "tagged" }))).Tags).toEqual({ b: "3", c: "4" });
  });

  it("answers what providers ask after creating a function", async () => {
    const FunctionName = "asked";
    await makeFunction(lambda(), FunctionName, answer(1));
    expect((await lambda().send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop).toBe(
      "Terminate",
    );
    expect((await lambda().send(new GetRuntimeManagementConfigCommand({ FunctionName }))).UpdateRuntimeOn).toBe("Auto");
    expect((await lambda().send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))).FunctionName).toBe(
      FunctionName,
    );
    const get = new GetFunctionUrlConfigCommand({ FunctionName });
    await expect(lambda().send(get)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await lambda().send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE" }));
    expect(await lambda().send(get)).toMatchObject({ AuthType: "NONE", InvokeMode: "BUFFERED" });
  });

  it("keeps provisioned concurrency of versions", async () => {
    await makeFunction(lambda(), "provisioned", answer(1), { Publish: true });
    const target = { FunctionName: "provisioned", Qualifier: "1" };
    const get = () => lambda().send(new GetProvisionedConcurrencyConfigCommand(target));
    await expect(get()).rejects.toMatchObject({ name: "ProvisionedConcurrencyConfigNotFoundException" });
    await lambda().send(new PutProvisionedConcurrencyConfigCommand({ ...target, ProvisionedConcurrentExecutions: 2 }));
    expect(await get()).toMatchObject({ Status: "READY", RequestedProvisionedConcurrentExecutions: 2 });
  });

  it("names an operation that it does not have", async () => {
    await expect(lambda().send(new InvokeWithResponseStreamCommand({ FunctionName: "asked" }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
    });
  });
});
