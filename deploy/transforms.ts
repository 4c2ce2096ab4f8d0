import { credentials, type ServiceError } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import callbackProto from "@pulumi/pulumi/proto/callback_pb";
import proto from "@pulumi/pulumi/proto/resource_pb";

/** Changes that the program wants to make to its resources before they are registered. Its functions run in its process. */
export class Transforms {
  private readonly ofStack: callbackProto.Callback[] = [];
  private readonly clients = new Map<string, CallbacksClient>();

  /** Adds one for every resource of the stack. */
  add(callback: callbackProto.Callback): void {
    this.ofStack.push(callback);
  }

  /** Applies the resource's own transforms, then the stack's, to the request. */
  async apply(request: proto.RegisterResourceRequest): Promise<void> {
    for (const callback of [...request.getTransformsList(), ...this.ofStack]) {
      const bytes = await this.call(callback, describe(request).serializeBinary());
      take(request, proto.TransformResponse.deserializeBinary(bytes));
    }
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private call(callback: callbackProto.Callback, bytes: Uint8Array): Promise<Uint8Array> {
    const target = callback.getTarget();
    let client = this.clients.get(target);
    if (!client) {
      client = new CallbacksClient(target, credentials.createInsecure());
      this.clients.set(target, client);
    }
    const message = new callbackProto.CallbackInvokeRequest().setToken(callback.getToken()).setRequest(bytes);
    return new Promise((resolve, reject) => {
      client.invoke(message, (error: ServiceError | null, response) =>
        error
          ? reject(new Error(`a transform of the program failed: ${error.details}`))
          : resolve(response.getResponse_asU8()),
      );
    });
  }
}

/** What a transform is shown of a resource. */
function describe(request: proto.RegisterResourceRequest): proto.TransformRequest {
  const options = new proto.TransformResourceOptions()
    .setDependsOnList(request.getDependenciesList())
    .setIgnoreChangesList(request.getIgnorechangesList())
    .setReplaceOnChangesList(request.getReplaceonchangesList())
    .setAliasesList(request.getAliasesList())
    .setProvider(request.getProvider())
    .setVersion(request.getVersion())
    .setCustomTimeouts(request.getCustomtimeouts())
    .setDeletedWith(request.getDeletedwith())
    .setAdditionalSecretOutputsList(request.getAdditionalsecretoutputsList())
    .setImport(request.getImportid());
  const protect = request.getProtect();
  if (protect !== undefined) options.setProtect(protect);
  const retain = request.getRetainondelete();
  if (retain !== undefined) options.setRetainOnDelete(retain);
  if (request.getDeletebeforereplacedefined()) options.setDeleteBeforeReplace(request.getDeletebeforereplace());
  const providers = options.getProvidersMap();
  request.getProvidersMap().forEach((reference, name) => {
    providers.set(name, reference);
  });
  return new proto.TransformRequest()
    .setType(request.getType())
    .setName(request.getName())
    .setCustom(request.getCustom())
    .setParent(request.getParent())
    .setProperties(request.getObject())
    .setOptions(options);
}

/** Puts what a transform answered into the request. */
function take(request: proto.RegisterResourceRequest, response: proto.TransformResponse): void {
  if (response.hasProperties()) request.setObject(response.getProperties());
  const options = response.getOptions();
  if (!options) return;
  request
    .setDependenciesList(options.getDependsOnList())
    .setIgnorechangesList(options.getIgnoreChangesList())
    .setReplaceonchangesList(options.getReplaceOnChangesList())
    .setAliasesList(options.getAliasesList())
    .setProvider(options.getProvider())
    .setCustomtimeouts(options.getCustomTimeouts())
    .setDeletedwith(options.getDeletedWith())
    .setAdditionalsecretoutputsList(options.getAdditionalSecretOutputsList())
    .setImportid(options.getImport());
  if (options.hasProtect()) request.setProtect(options.getProtect() ?? false);
  if (options.hasRetainOnDelete()) request.setRetainondelete(options.getRetainOnDelete() ?? false);
  request.setDeletebeforereplacedefined(options.hasDeleteBeforeReplace());
  if (options.hasDeleteBeforeReplace()) request.setDeletebeforereplace(options.getDeleteBeforeReplace() ?? false);
}
