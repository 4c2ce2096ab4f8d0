import languageProto from "@pulumi/pulumi/proto/language_pb";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb";
import { runProgram } from "../program";
import { needsTypeScript, splitArguments } from "../project";
import { fromStruct, unary } from "./calls";
import type { Instances, ServingSettings } from "./instances";

/** The exit code of a program that has told its error to the CLI already (`@pulumi/pulumi/cmd/run`). */
const toldAlready = 32;

/**
 * The handlers of Pulumi's LanguageRuntime service that running a program takes, for a CLI that comes without
 * `pulumi-language-nodejs`: one that was built from its Go module.
 */
export function languageHandlers(instances: Instances, { endpoint }: ServingSettings) {
  return {
    handshake: unary((request: languageProto.LanguageHandshakeRequest, peer) => {
      instances.attach(peer, request.getEngineAddress());
      return new languageProto.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(() => new pluginProto.PluginInfo()),
    // The program names the packages and versions that it needs with each resource; the one it needs is attached.
    getRequiredPackages: unary(() => new languageProto.GetRequiredPackagesResponse()),
    getRequiredPlugins: unary(() => new languageProto.GetRequiredPluginsResponse()),
    getProgramDependencies: unary(() => new languageProto.GetProgramDependenciesResponse()),
    about: unary(() =>
      new languageProto.AboutResponse().setExecutable(process.execPath).setVersion(process.versions.node),
    ),
    run: unary(async (request: languageProto.RunRequest, peer) => {
      const info = request.getInfo();
      const options = fromStruct(info?.getOptions());
      const directory = info?.getProgramDirectory() || request.getPwd();
      const entry = info?.getEntryPoint() || request.getProgram() || ".";
      const config = Object.fromEntries(request.getConfigMap().getEntryList());
      const { nodeargs } = options as { nodeargs?: string | string[] };
      const { code, signal, stderr } = await runProgram({
        project: {
          ...{ name: request.getProject(), root: info?.getRootDirectory() || directory, directory, entry },
          typescript: options.typescript !== false && needsTypeScript(directory, entry),
          nodeArguments: splitArguments(nodeargs),
          config: { "aws:region": "eu-west-1", ...config },
          ...{ secretKeys: request.getConfigsecretkeysList(), warnings: [] },
        },
        stack: request.getStack(),
        address: request.getMonitorAddress(),
        engineAddress: instances.engineAddress(peer),
        dryRun: request.getDryrun(),
        environment: endpoint ? { AWS_ENDPOINT_URL: endpoint } : {},
        output: (line) => instances.log(peer, line, "", "info"),
        // The program ends with the CLI that it talks to.
        signal: new AbortController().signal,
      });
      const response = new languageProto.RunResponse();
      if (code === 0) return response;
      if (code === toldAlready) return response.setBail(true);
      return response.setError([`the program ended with ${signal ?? `code ${code}`}`, ...stderr].join("\n"));
    }),
  };
}
