import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import { fetchCode } from "./code";
import { codeLocation } from "./code-download";
import { applied, checkSettings, initialConfiguration } from "./configuration";
import { conflict, invalidParameter, revisionMismatch } from "./errors";
import { checkExecutionRole } from "./execution-role";
import { check, findFunction, findUnqualified, page, parseReference, versionOf } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { FunctionRecord, VersionRecord } from "./state";
import { checkTags } from "./tags";
import { inProgress, makeVersion, newFunction, publish, shownVersion } from "./versions";

/** Functions, their code and their settings. */
export const functionOperations = ({ host, states, runtime, queue }: Parts): LambdaOperations => {
  const now = () => host.clock.now();
  /** Environments of the old $LATEST end when they have finished; published versions have their own. */
  const replaceLatest = (fn: FunctionRecord, next: VersionRecord) => {
    runtime.retire(fn.latest.runnable);
    fn.latest = next;
  };
  return {
    async CreateFunction(input, context) {
      const state = states.of(context);
      const { name, account, qualifier } = parseReference(state, input.FunctionName);
      check({
        functionName: [name, { length: [1, limits.lambda.name.value] }],
        role: [input.Role, { required: true }],
        code: [input.Code, { required: true }],
      });
      checkSettings("CreateFunction", input);
      if (qualifier) throw invalidParameter("The function name cannot have a qualifier.");
      if (account !== state.scope.account)
        throw invalidParameter("The function's account is not the caller's account.");
      if (input.CodeSigningConfigArn) throw notEmulated("lambda", "CreateFunction", "CodeSigningConfigArn");
      if (input.TenancyConfig) throw notEmulated("lambda", "CreateFunction", "TenancyConfig");
      if (!input.Runtime || !input.Handler) {
        throw invalidParameter(
          "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        );
      }
      checkTags(input.Tags);
      if (state.functions.has(name)) throw conflict(`Function already exist: ${name}`);
      const zip = await fetchCode(host, input.Code!, "CreateFunction", context.identity);
      const fn = newFunction(state, name, initialConfiguration(input, name), zip, now());
      await checkExecutionRole(host, fn, fn.latest.config);
      if (state.functions.has(name)) throw conflict(`Function already exist: ${name}`);
      fn.tags = { ...input.Tags };
      state.functions.set(name, fn);
      const shown = input.Publish ? publish(fn, input.Description, now()) : fn.latest;
      return {
        ...shownVersion(shown),
        // The function is ready at once; the answer says Pending as on AWS, so that tools take the path that they take there.
        State: "Pending",
        StateReason: "The function is being created.",
        StateReasonCode: "Creating",
        LastUpdateStatus: undefined,
      };
    },

    GetFunction(input, context) {
      const { fn, qualifier } = findFunction(states.of(context), input.FunctionName, input.Qualifier);
      const version = versionOf(fn, qualifier);
      return {
        Configuration: shownVersion(version, qualifier),
        Code: { RepositoryType: "S3", Location: codeLocation(host, version) },
        ...(Object.keys(fn.tags).length > 0 && { Tags: { ...fn.tags } }),
        ...(fn.reservedConcurrency !== undefined && {
          Concurrency: { ReservedConcurrentExecutions: fn.reservedConcurrency },
        }),
      };
    },

    GetFunctionConfiguration(input, context) {
      const { fn, qualifier } = findFunction(states.of(context), input.FunctionName, input.Qualifier);
      return shownVersion(versionOf(fn, qualifier), qualifier);
    },

    async UpdateFunctionCode(input, context) {
      const state = states.of(context);
      const fn = findUnqualified(state, input.FunctionName);
      checkSettings("UpdateFunctionCode", { Architectures: input.Architectures });
      if (input.ImageUri) throw notEmulated("lambda", "UpdateFunctionCode", "container images");
      const zip = await fetchCode(host, input, "UpdateFunctionCode", context.identity);
      if (input.RevisionId && input.RevisionId !== fn.latest.config.RevisionId) throw revisionMismatch();
      const config = { ...fn.latest.config, Architectures: input.Architectures ?? fn.latest.config.Architectures };
      const next = makeVersion(fn, config, zip, now());
      if (input.DryRun) return shownVersion(next);
      replaceLatest(fn, next);
      return inProgress(input.Publish ? publish(fn, undefined, now()) : fn.latest);
    },

    async UpdateFunctionConfiguration(input, context) {
      const state = states.of(context);
      const fn = findUnqualified(state, input.FunctionName);
      checkSettings("UpdateFunctionConfiguration", input);
      const next = () => {
        if (input.RevisionId && input.RevisionId !== fn.latest.config.RevisionId) throw revisionMismatch();
        return applied(fn.latest.config, input, fn.name);
      };
      const { Role, TracingConfig, VpcConfig, DeadLetterConfig } = input;
      if (Role ?? TracingConfig ?? VpcConfig ?? DeadLetterConfig) await checkExecutionRole(host, fn, next());
      replaceLatest(fn, makeVersion(fn, next(), fn.latest.runnable.zip, now()));
      return inProgress(fn.latest);
    },

    DeleteFunction(input, context) {
      const state = states.of(context);
      const { fn, qualifier } = findFunction(state, input.FunctionName, input.Qualifier);
      if (qualifier === "$LATEST") {
        throw invalidParameter("$LATEST version cannot be deleted without deleting the function.");
      }
      if (qualifier !== undefined) {
        if (fn.aliases.has(qualifier)) throw invalidParameter("Deletion of aliases is not currently supported.");
        const version = fn.versions.get(qualifier);
        const users = [...fn.aliases.values()].filter(
          (alias) =>
            alias.FunctionVersion === qualifier || qualifier in (alias.RoutingConfig?.AdditionalVersionWeights ?? {}),
        );
        if (users.length) {
          throw conflict(
            `Version ${qualifier} is still referenced by: [${users.map((alias) => alias.AliasArn).join(", ")}]`,
          );
        }
        if (version) runtime.retire(version.runnable);
        fn.versions.delete(qualifier);
        return { StatusCode: 204 };
      }
      state.functions.delete(fn.name);
      queue.forget(fn);
      for (const version of [fn.latest, ...fn.versions.values()]) runtime.retire(version.runnable);
      return { StatusCode: 204 };
    },

    ListFunctions(input, context) {
      check({ functionVersion: [input.FunctionVersion, { oneOf: ["ALL"] }] });
      const functions = [...states.of(context).functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      const versions = functions.flatMap((fn) =>
        input.FunctionVersion === "ALL"
          ? [shownVersion(fn.latest, "$LATEST"), ...[...fn.versions.values()].map((version) => shownVersion(version))]
          : [shownVersion(fn.latest)],
      );
      const { items, next } = page(versions, input);
      return { Functions: items, NextMarker: next };
    },
  };
};
