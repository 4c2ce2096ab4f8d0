import type { Identity } from "../../core/access/identity";
import { AwsError, notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Host } from "../../core/service";
import { BadPackage, checkPackage } from "../../lambda/package";
import { accessDenied, invalidParameter, packageTooLarge } from "./errors";

interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly ImageUri?: string | undefined;
}

/** Gets a deployment package from the request or from S3, and checks that it can be unpacked. */
export async function fetchCode(
  host: Host,
  source: CodeSource,
  operation: string,
  caller: Identity,
): Promise<Uint8Array> {
  if (source.ImageUri) throw notEmulated("lambda", operation, "container images");
  if (source.ZipFile && (source.S3Bucket || source.S3Key)) {
    throw invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
  }
  const zip = source.ZipFile ?? (await fromBucket(host, source, caller));
  // Packages in S3 have no limit of their own: what they unpack to is limited.
  const { value: most } = limits.lambda.zip;
  if (source.ZipFile && zip.length > most) throw packageTooLarge(most, operation);
  try {
    checkPackage(zip);
  } catch (error) {
    if (error instanceof BadPackage) throw invalidParameter(error.message);
    throw error;
  }
  return zip;
}

/** Lambda gets the package with the permissions of its caller. */
async function fromBucket(host: Host, source: CodeSource, caller: Identity): Promise<Uint8Array> {
  const { S3Bucket, S3Key, S3ObjectVersion } = source;
  if (!S3Bucket || !S3Key) throw invalidParameter("Please provide a source for function code.");
  try {
    return (await (await host.bus.to("s3")).getObject(S3Bucket, S3Key, S3ObjectVersion, caller)).body;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === "AccessDenied") {
      throw accessDenied(
        `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${S3Bucket}/${S3Key}. S3 Error Code: AccessDenied. S3 Error Message: ${error.message}`,
      );
    }
    throw invalidParameter(
      `Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`,
    );
  }
}
