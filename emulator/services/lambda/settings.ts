import { randomBytes } from "node:crypto";
import type { FunctionUrlConfig } from "@aws-sdk/client-lambda";
import { conflict, invalidParameter, noSuchResource } from "./errors";
import { check, checkQualifier, findFunction, findUnqualified, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import { type FunctionRecord, type LambdaState, lambdaTime } from "./state";

/** Settings that deployment tools write or read back and that do not change how functions run here. */
export const settingOperations = ({ host, states }: Parts): LambdaOperations => ({
  GetFunctionCodeSigningConfig: (input, context) => ({
    FunctionName: findUnqualified(states.of(context), input.FunctionName).name,
    CodeSigningConfigArn: "",
  }),

  GetFunctionRecursionConfig: (input, context) => ({
    RecursiveLoop: findUnqualified(states.of(context), input.FunctionName).recursiveLoop,
  }),

  PutFunctionRecursionConfig(input, context) {
    check({ recursiveLoop: [input.RecursiveLoop, { required: true, oneOf: ["Allow", "Terminate"] }] });
    const fn = findUnqualified(states.of(context), input.FunctionName);
    fn.recursiveLoop = input.RecursiveLoop!;
    return { RecursiveLoop: fn.recursiveLoop };
  },

  GetRuntimeManagementConfig(input, context) {
    const { fn, qualifier = "$LATEST" } = findFunction(states.of(context), input.FunctionName, input.Qualifier);
    checkQualifier(fn, qualifier);
    return (
      fn.runtimeManagement.get(qualifier) ?? { UpdateRuntimeOn: "Auto" as const, FunctionArn: managed(fn, qualifier) }
    );
  },

  PutRuntimeManagementConfig(input, context) {
    check({
      updateRuntimeOn: [input.UpdateRuntimeOn, { required: true, oneOf: ["Auto", "Manual", "FunctionUpdate"] }],
    });
    const { fn, qualifier = "$LATEST" } = findFunction(states.of(context), input.FunctionName, input.Qualifier);
    checkQualifier(fn, qualifier);
    if ((input.UpdateRuntimeOn === "Manual") !== (input.RuntimeVersionArn !== undefined)) {
      throw invalidParameter(
        "RuntimeVersionArn is required for, and only allowed with, UpdateRuntimeOn set to Manual.",
      );
    }
    const config = {
      UpdateRuntimeOn: input.UpdateRuntimeOn!,
      FunctionArn: managed(fn, qualifier),
      RuntimeVersionArn: input.RuntimeVersionArn,
    };
    fn.runtimeManagement.set(qualifier, config);
    return config;
  },

  // Function URLs are kept for tools that read them back. Not emulated: requests to them.
  CreateFunctionUrlConfig(input, context) {
    const state = states.of(context);
    checkUrl(input.AuthType, input.InvokeMode, true);
    const { fn, qualifier } = urlTarget(state, input.FunctionName, input.Qualifier);
    if (fn.urls.has(qualifier)) {
      throw conflict(
        `Failed to create function url config for [functionArn = ${urlArn(fn, qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      );
    }
    const now = lambdaTime(host.clock.now());
    const config: FunctionUrlConfig = {
      FunctionUrl: `http://${host.publicHost()}/_aws/lambda-url/${randomBytes(16).toString("hex")}/`,
      FunctionArn: urlArn(fn, qualifier),
      AuthType: input.AuthType,
      Cors: input.Cors,
      InvokeMode: input.InvokeMode ?? "BUFFERED",
      CreationTime: now,
      LastModifiedTime: now,
    };
    fn.urls.set(qualifier, config);
    return config;
  },

  GetFunctionUrlConfig(input, context) {
    const { fn, qualifier } = urlTarget(states.of(context), input.FunctionName, input.Qualifier);
    return existingUrl(fn, qualifier);
  },

  UpdateFunctionUrlConfig(input, context) {
    checkUrl(input.AuthType, input.InvokeMode, false);
    const { fn, qualifier } = urlTarget(states.of(context), input.FunctionName, input.Qualifier);
    const before = existingUrl(fn, qualifier);
    const config: FunctionUrlConfig = {
      ...before,
      AuthType: input.AuthType ?? before.AuthType,
      Cors: input.Cors ?? before.Cors,
      InvokeMode: input.InvokeMode ?? before.InvokeMode,
      LastModifiedTime: lambdaTime(host.clock.now()),
    };
    fn.urls.set(qualifier, config);
    return config;
  },

  DeleteFunctionUrlConfig(input, context) {
    const { fn, qualifier } = urlTarget(states.of(context), input.FunctionName, input.Qualifier);
    existingUrl(fn, qualifier);
    fn.urls.delete(qualifier);
    return {};
  },

  ListFunctionUrlConfigs(input, context) {
    const { fn } = findFunction(states.of(context), input.FunctionName);
    const { items, next } = page([...fn.urls.values()], input);
    return { FunctionUrlConfigs: items, NextMarker: next };
  },
});

const managed = (fn: FunctionRecord, qualifier: string) =>
  qualifier === "$LATEST" ? fn.arn : `${fn.arn}:${qualifier}`;

const urlArn = (fn: FunctionRecord, qualifier: string) => (qualifier ? `${fn.arn}:${qualifier}` : fn.arn);

function checkUrl(authType: string | undefined, invokeMode: string | undefined, required: boolean): void {
  check({
    authType: [authType, { required, oneOf: ["NONE", "AWS_IAM"] }],
    invokeMode: [invokeMode, { oneOf: ["BUFFERED", "RESPONSE_STREAM"] }],
  });
}

function urlTarget(state: LambdaState, functionName?: string, qualifierParameter?: string) {
  const { fn, qualifier = "" } = findFunction(state, functionName, qualifierParameter);
  if (qualifier && !fn.aliases.has(qualifier)) {
    check({ qualifier: [qualifier, { pattern: /^((?!^\d+$)^[0-9a-zA-Z-_]+$)$/ }] });
    checkQualifier(fn, qualifier);
  }
  return { fn, qualifier };
}

function existingUrl(fn: FunctionRecord, qualifier: string): FunctionUrlConfig {
  const config = fn.urls.get(qualifier);
  if (!config) throw noSuchResource();
  return config;
}
