import { isAbsolute, relative } from "node:path";
import { Server, ServerCredentials, type ServiceError, type sendUnaryData, status } from "@grpc/grpc-js";
import type callbackProto from "@pulumi/pulumi/proto/callback_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import engineProto from "@pulumi/pulumi/proto/engine_pb";
import providerProto from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Alias, type Engine, type Registered, type Registration, Stopped } from "./engine";
import { Transforms } from "./transforms";
import type { DeployEvent } from "./types";
import type { WireObject } from "./values";

// As large as the SDK's own limit: function code travels in these messages.
const maxMessage = 400 * 1024 * 1024;

const Feature = proto.ResourceMonitorFeature;
const features = [
  Feature.RESOURCE_MONITOR_FEATURE_SECRETS,
  Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  Feature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  Feature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  Feature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  Feature.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
  Feature.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
  Feature.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
];
const featureNames = [
  "secrets",
  "resourceReferences",
  "outputValues",
  "aliasSpecs",
  "deletedWith",
  "parameterization",
  "transforms",
];

/** What the program wrote to Pulumi's log. */
export type Log = (entry: Extract<DeployEvent, { kind: "log" }>) => void;

/** The gRPC server that a Pulumi program talks to: Pulumi's ResourceMonitor and Engine services over our engine. */
export class Monitor {
  private readonly server = new Server({
    "grpc.max_receive_message_length": maxMessage,
    "grpc.max_send_message_length": maxMessage,
  });

  private readonly transforms = new Transforms();

  constructor(
    private readonly engine: Engine,
    private readonly log: Log,
  ) {
    this.server.addService(ResourceMonitorService, this.monitor());
    this.server.addService(EngineService, this.logging());
  }

  /** Listens on a free port of this machine; gives `127.0.0.1:<port>`. */
  start(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  }

  stop(): void {
    this.transforms.close();
    this.server.forceShutdown();
  }

  private monitor() {
    const { engine, transforms } = this;
    const { stack, project, root } = engine.settings;
    let packages = 0;
    return {
      getDeploymentInfo: unary((_request: Empty) =>
        new proto.DeploymentInfo()
          .setProject(project)
          .setStack(stack)
          .setOrganization("organization")
          .setSupportedfeaturesList(features),
      ),
      supportsFeature: unary((request: proto.SupportsFeatureRequest) =>
        new proto.SupportsFeatureResponse().setHassupport(featureNames.includes(request.getId())),
      ),
      registerResource: unary(async (request: proto.RegisterResourceRequest) => {
        await transforms.apply(request);
        const result = await engine.register(registration(request, root));
        return new proto.RegisterResourceResponse()
          .setUrn(result.urn)
          .setId(result.id ?? "")
          .setObject(toStruct(result))
          .setResult(proto.Result.SUCCESS);
      }),
      registerResourceOutputs: unary(async (request: proto.RegisterResourceOutputsRequest) => {
        await engine.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
        return new Empty();
      }),
      readResource: unary(async (request: proto.ReadResourceRequest) => {
        const result = await engine.readResource(reading(request, root));
        return new proto.ReadResourceResponse().setUrn(result.urn).setProperties(toStruct(result));
      }),
      invoke: unary(async (request: proto.ResourceInvokeRequest) => {
        const response = new proto.ResourceInvokeResponse();
        try {
          const args = fromStruct(request.getArgs());
          const outputs = await engine.invoke(request.getTok(), args, request.getProvider() || undefined);
          return response.setReturn(Struct.fromJavaScript(outputs));
        } catch (error) {
          if (error instanceof Stopped) throw error;
          // A failure in the answer becomes an exception that the program can catch.
          const reason = error instanceof Error ? error.message : String(error);
          return response.addFailures(new providerProto.CheckFailure().setReason(reason)) && response;
        }
      }),
      call: unary((request: proto.ResourceCallRequest) => {
        throw new Error(`the method ${request.getTok()} is not supported by the Sensorcast engine`);
      }),
      registerStackTransform: unary((callback: callbackProto.Callback) => {
        transforms.add(callback);
        return new Empty();
      }),
      registerPackage: unary((_request: proto.RegisterPackageRequest) => {
        packages++;
        return new proto.RegisterPackageResponse().setRef(`package-${packages}`);
      }),
      signalAndWaitForShutdown: unary((_request: Empty) => new Empty()),
    };
  }

  private logging() {
    const severities = ["debug", "info", "warning", "error"] as const;
    return {
      log: unary((request: engineProto.LogRequest) => {
        const severity = severities[request.getSeverity()] ?? "info";
        this.log({ kind: "log", severity, message: request.getMessage(), urn: request.getUrn() || undefined });
        return new Empty();
      }),
      getRootResource: unary((_request: engineProto.GetRootResourceRequest) =>
        new engineProto.GetRootResourceResponse().setUrn(this.engine.root ?? ""),
      ),
      setRootResource: unary((request: engineProto.SetRootResourceRequest) => {
        this.engine.root = request.getUrn();
        return new engineProto.SetRootResourceResponse();
      }),
      requirePulumiVersion: unary(
        (_request: engineProto.RequirePulumiVersionRequest) => new engineProto.RequirePulumiVersionResponse(),
      ),
    };
  }
}

/** A handler from a function: its result is the answer, what it throws becomes a gRPC error. */
function unary<Request, Response>(handle: (request: Request) => Response | Promise<Response>) {
  return ({ request }: { request: Request }, answer: sendUnaryData<Response>) => {
    Promise.resolve()
      .then(() => handle(request))
      .then(
        (response) => answer(null, response),
        (error: Error) => {
          // UNAVAILABLE makes the SDK end its work without an error of its own; the engine has told what failed.
          const code = error instanceof Stopped ? status.UNAVAILABLE : status.UNKNOWN;
          answer({ code, details: error.message } as ServiceError);
        },
      );
  };
}

const fromStruct = (struct: Struct | undefined): WireObject => (struct?.toJavaScript() ?? {}) as WireObject;

const toStruct = ({ outputs }: Registered) => Struct.fromJavaScript(outputs);

/**
 * Where the program creates the resource, relative to its root: `project:///index.ts` is `index.ts`. Of the places that
 * lead there it is the innermost one outside of node_modules.
 */
function positionOf(
  request: proto.RegisterResourceRequest | proto.ReadResourceRequest,
  root: string,
): string | undefined {
  const frames = request.getStacktrace()?.getFramesList() ?? [];
  const places = [request.getSourceposition(), ...frames.map((frame) => frame.getPc())].filter((place) => !!place);
  const position = places.find((place) => !place.getUri().includes("/node_modules/")) ?? places[0];
  if (!position) return undefined;
  const path = position.getUri().replace(/^project:\/+|^file:\/\//, "");
  const inside = isAbsolute(path) ? relative(root, path) : path;
  return `${inside.startsWith("..") ? path : inside}:${position.getLine()}:${position.getColumn()}`;
}

function registration(request: proto.RegisterResourceRequest, root: string): Registration {
  const timeouts = request.getCustomtimeouts();
  const propertyDependencies: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((value, key) => {
    propertyDependencies[key] = value.getUrnsList();
  });
  return {
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent() || undefined,
    custom: request.getCustom(),
    remote: request.getRemote(),
    inputs: fromStruct(request.getObject()),
    dependencies: request.getDependenciesList(),
    propertyDependencies,
    // A component of another package has a provider of that package; its children are made by the AWS one.
    provider: (request.getRemote() && request.getProvidersMap().get("aws")) || request.getProvider() || undefined,
    protect: request.getProtect() || undefined,
    retainOnDelete: request.getRetainondelete() || undefined,
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    deletedWith: request.getDeletedwith() || undefined,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: [
      ...request.getAliasurnsList().map((urn) => ({ urn })),
      ...request.getAliasesList().map((alias): Alias => {
        const spec = alias.getSpec();
        if (!spec) return { urn: alias.getUrn() };
        const { name, type, stack, project, parenturn, noparent } = spec.toObject();
        return { name, type, stack, project, parent: parenturn || undefined, noParent: noparent };
      }),
    ],
    importId: request.getImportid() || undefined,
    timeouts: timeouts && {
      ...(timeouts.getCreate() && { create: timeouts.getCreate() }),
      ...(timeouts.getUpdate() && { update: timeouts.getUpdate() }),
      ...(timeouts.getDelete() && { delete: timeouts.getDelete() }),
    },
    position: positionOf(request, root),
  };
}

const reading = (request: proto.ReadResourceRequest, root: string): Registration & { id: string } => ({
  id: request.getId(),
  type: request.getType(),
  name: request.getName(),
  parent: request.getParent() || undefined,
  custom: true,
  remote: false,
  inputs: fromStruct(request.getProperties()),
  dependencies: request.getDependenciesList(),
  propertyDependencies: {},
  provider: request.getProvider() || undefined,
  ignoreChanges: [],
  replaceOnChanges: [],
  additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  aliases: [],
  position: positionOf(request, root),
});
