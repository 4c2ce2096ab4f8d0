import { Server, ServerCredentials } from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { maxMessage } from "./calls";
import { Instances, type ServingSettings } from "./instances";
import { languageHandlers } from "./language";
import { providerHandlers } from "./provider";

export interface ServingOptions extends ServingSettings {
  /** On 127.0.0.1. @default 0, a free one */
  port?: number;
}

/** A provider server that runs. */
export interface Serving extends AsyncDisposable {
  readonly port: number;
  /**
   * What the Pulumi CLI wants in its environment to use it.
   *
   * @param options.provider as the provider of package `aws`, so that no plugin is downloaded. Default true.
   * @param options.language to run programs, for a CLI without `pulumi-language-nodejs`. Default false.
   */
  environment(options?: { provider?: boolean; language?: boolean }): Record<string, string>;
  close(): Promise<void>;
}

/**
 * Serves the engine's resource types to the real Pulumi CLI, as the provider of package `aws`, on a port of this
 * machine. The CLI attaches to it instead of downloading a plugin.
 */
export async function serveProvider({ port = 0, ...settings }: ServingOptions): Promise<Serving> {
  const limits = { "grpc.max_receive_message_length": maxMessage, "grpc.max_send_message_length": maxMessage };
  const server = new Server(limits);
  const instances = new Instances(settings);
  server.addService(ResourceProviderService, providerHandlers(instances, settings.directory));
  server.addService(LanguageRuntimeService, languageHandlers(instances, settings));
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error ? reject(error) : resolve(actual),
    );
  });
  const close = async () => {
    server.forceShutdown();
    instances.close();
  };
  return {
    port: bound,
    environment: ({ provider = true, language = false } = {}) => ({
      ...(provider && {
        PULUMI_DEBUG_PROVIDERS: `aws:${bound}`,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      }),
      ...(language && { PULUMI_DEBUG_LANGUAGES: `nodejs:${bound}` }),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
