import { AwsError } from "../../core/errors";
import type { DataPlaneRequest, Host, Scoped } from "../../core/service";
import type { LambdaState, VersionRecord } from "./state";

/**
 * Where a version's package can be downloaded. The hash in it is what a presigned link's signature is on AWS: who has
 * the link has the package. It does not expire.
 */
export const codeLocation = (host: Host, { config }: VersionRecord): string =>
  `http://${host.publicHost()}/_aws/lambda-code/${Buffer.from(config.CodeSha256!, "base64").toString("hex")}`;

/** Answers a download link that {@link codeLocation} made. */
export function serveCode(states: Scoped<LambdaState>, { response, path }: DataPlaneRequest): void {
  for (const { functions } of states.all()) {
    for (const { latest, versions } of functions.values()) {
      for (const { config, runnable } of [latest, ...versions.values()]) {
        if (Buffer.from(config.CodeSha256!, "base64").toString("hex") !== path) continue;
        response.writeHead(200, { "content-type": "application/zip", "content-length": String(runnable.zip.length) });
        response.end(runnable.zip);
        return;
      }
    }
  }
  throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
}
