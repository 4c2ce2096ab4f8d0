import { readFileSync } from "node:fs";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb";
import proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { InvalidInput } from "../errors";
import { callFunction } from "../invokes";
import { findResourceType } from "../providers/index";
import { urnName, urnType } from "../urn";
import { toPlainObject, type WireObject } from "../values";
import { fromStruct, toStruct, unary } from "./calls";
import { type Autonaming, check } from "./check";
import { type Difference, diff } from "./diff";
import type { Instances } from "./instances";
import { create, planCreate, planUpdate, read, remove, type Served, update } from "./operations";

const { CheckRequest, CheckResponse, CheckFailure, DiffResponse, PropertyDiff, InvokeResponse } = proto;
const { DiffChanges } = DiffResponse;

/** The version of the AWS provider whose types these are: that of the SDK. */
const version = () => {
  const manifest = readFileSync(require.resolve("@pulumi/aws/package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
};

/** Time that an operation may take, in milliseconds, where the program does not say: 0 seconds. */
const timeoutOf = (seconds: number) => (seconds > 0 ? seconds * 1000 : 120_000);

/** The handlers of Pulumi's ResourceProvider service over our resource types. */
export function providerHandlers(instances: Instances, directory: string) {
  /** The resource of a request; the region of its inputs wins over the provider's, as everywhere. */
  const served = (
    peer: string,
    request: { getUrn(): string; getType(): string },
    inputs: WireObject,
    seconds = 0,
  ): Served & { recorded: boolean } => {
    const typeName = request.getType() || urnType(request.getUrn());
    const { type, recorded } = findResourceType(typeName);
    const region = typeof inputs.region === "string" ? inputs.region : undefined;
    const context = instances.of(peer).host(typeName, request.getUrn()).context(region, timeoutOf(seconds));
    return { typeName, type, recorded, context, directory };
  };
  return {
    handshake: unary((request: proto.ProviderHandshakeRequest, peer) => {
      instances.attach(peer, request.getEngineAddress());
      return new proto.ProviderHandshakeResponse().setAcceptSecrets(true).setSupportsAutonamingConfiguration(true);
    }),
    attach: unary((request: pluginProto.PluginAttach, peer) => {
      instances.attach(peer, request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(() => new pluginProto.PluginInfo().setVersion(version())),
    // The CLI needs the name and the version alone; types are checked by the SDK's TypeScript.
    getSchema: unary(() =>
      new proto.GetSchemaResponse().setSchema(JSON.stringify({ name: "aws", version: version(), resources: {} })),
    ),
    checkConfig: unary((request: proto.CheckRequest) => new CheckResponse().setInputs(request.getNews())),
    // Settings move no resource by themselves: one whose region has changed finds that out in its own diff.
    diffConfig: unary((request: proto.DiffRequest) => {
      const [before, now] = [fromStruct(request.getOldInputs()), fromStruct(request.getNews())];
      const differs = JSON.stringify(before) !== JSON.stringify(now);
      return new DiffResponse().setChanges(differs ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
    }),
    configure: unary((request: proto.ConfigureRequest, peer) => {
      instances.configure(peer, toPlainObject(fromStruct(request.getArgs()), directory));
      return new proto.ConfigureResponse()
        .setAcceptsecrets(true)
        .setSupportspreview(true)
        .setSupportsAutonamingConfiguration(true);
    }),
    check: unary((request: proto.CheckRequest) => {
      const inputs = fromStruct(request.getNews());
      try {
        const { type } = findResourceType(request.getType() || urnType(request.getUrn()));
        const checked = check({
          ...{ type, inputs, directory, name: request.getName() || urnName(request.getUrn()) },
          before: fromStruct(request.getOlds()),
          seed: request.getRandomseed_asU8(),
          autonaming: autonamingOf(request),
        });
        return new CheckResponse().setInputs(toStruct(checked));
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error;
        const failure = new CheckFailure().setReason(error.message);
        return new CheckResponse().setInputs(request.getNews()).setFailuresList([failure]);
      }
    }),
    diff: unary(async (request: proto.DiffRequest, peer) => {
      const inputs = fromStruct(request.getNews());
      const difference = await diff({
        ...served(peer, request, inputs),
        ...{ id: request.getId(), before: fromStruct(request.getOldInputs()), inputs },
        outputs: fromStruct(request.getOlds()),
      });
      return diffResponse(difference);
    }),
    create: unary(async (request: proto.CreateRequest, peer) => {
      const inputs = fromStruct(request.getProperties());
      const resource = served(peer, request, inputs, request.getTimeout());
      const response = new proto.CreateResponse();
      if (request.getPreview()) return response.setProperties(toStruct(planCreate(resource, inputs)));
      const { id, outputs } = await create(resource, inputs);
      if (resource.recorded) instances.log(peer, "recorded, not emulated", request.getUrn(), "info");
      return response.setId(id).setProperties(toStruct(outputs));
    }),
    read: unary(async (request: proto.ReadRequest, peer) => {
      const inputs = fromStruct(request.getInputs());
      const state = { id: request.getId(), inputs, outputs: fromStruct(request.getProperties()) };
      const found = await read(served(peer, request, regionOf(state), request.getTimeout()), state);
      // No id says that there is none.
      if (!found) return new proto.ReadResponse();
      return new proto.ReadResponse()
        .setId(state.id)
        .setProperties(toStruct(found.outputs))
        .setInputs(toStruct(found.inputs));
    }),
    update: unary(async (request: proto.UpdateRequest, peer) => {
      const inputs = fromStruct(request.getNews());
      const resource = served(peer, request, inputs, request.getTimeout());
      const before = {
        ...{ id: request.getId(), inputs: fromStruct(request.getOldInputs()) },
        outputs: fromStruct(request.getOlds()),
      };
      const outputs = request.getPreview()
        ? planUpdate(resource, before, inputs)
        : await update(resource, before, inputs);
      return new proto.UpdateResponse().setProperties(toStruct(outputs));
    }),
    delete: unary(async (request: proto.DeleteRequest, peer) => {
      const state = {
        ...{ id: request.getId(), inputs: fromStruct(request.getOldInputs()) },
        outputs: fromStruct(request.getProperties()),
      };
      await remove(served(peer, request, regionOf(state), request.getTimeout()), state);
      return new Empty();
    }),
    invoke: unary(async (request: proto.InvokeRequest, peer) => {
      const args = toPlainObject(fromStruct(request.getArgs()), directory);
      const host = instances.of(peer).host(request.getTok(), "");
      return new InvokeResponse().setReturn(toStruct(await callFunction(request.getTok(), args, host)));
    }),
    // What is under way is waited for: an AWS call that was sent cannot be taken back.
    cancel: unary(() => new Empty()),
  };
}

/** Where a resource is that exists: its outputs know. */
const regionOf = ({ inputs, outputs }: { inputs: WireObject; outputs: WireObject }): WireObject =>
  typeof outputs.region === "string" ? { region: outputs.region } : inputs;

function autonamingOf(request: proto.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (!options) return undefined;
  const { DISABLE, ENFORCE } = CheckRequest.AutonamingOptions.Mode;
  const mode = options.getMode();
  return {
    mode: mode === DISABLE ? "disable" : mode === ENFORCE ? "enforce" : "propose",
    proposed: options.getProposedName(),
  };
}

const kinds = {
  added: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
  removed: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
  changed: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

function diffResponse({ changed, deleteFirst }: Difference): proto.DiffResponse {
  const response = new DiffResponse()
    .setChanges(changed.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList(changed.map(({ property }) => property))
    .setReplacesList(changed.filter(({ replaces }) => replaces).map(({ property }) => property))
    .setDeletebeforereplace(deleteFirst)
    .setHasdetaileddiff(true);
  for (const { property, kind, replaces } of changed) {
    const detail = new PropertyDiff().setKind(kinds[kind][replaces ? 1 : 0]).setInputdiff(true);
    response.getDetaileddiffMap().set(property, detail);
  }
  return response;
}
