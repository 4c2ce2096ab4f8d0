import { AwsError, notEmulated } from "../../core/errors";
import type { Host } from "../../core/service";
import { BadPackage, checkPackage, packageLimits } from "../../lambda/package";
import { invalidParameter, packageTooLarge } from "./errors";

interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly ImageUri?: string | undefined;
}

/** Gets a deployment package from the request or from S3, and checks that it can be unpacked. */
export async function fetchCode(host: Host, source: CodeSource, operation: string): Promise<Uint8Array> {
  if (source.ImageUri) throw notEmulated("lambda", operation, "container images");
  if (source.ZipFile && (source.S3Bucket || source.S3Key)) {
    throw invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
  }
  const zip = source.ZipFile ?? (await fromBucket(host, source));
  // Packages in S3 have no limit of their own: what they unpack to is limited.
  if (source.ZipFile && zip.length > packageLimits.direct) throw packageTooLarge(packageLimits.direct, operation);
  try {
    checkPackage(zip);
  } catch (error) {
    if (error instanceof BadPackage) throw invalidParameter(error.message);
    throw error;
  }
  return zip;
}

async function fromBucket(host: Host, { S3Bucket, S3Key, S3ObjectVersion }: CodeSource): Promise<Uint8Array> {
  if (!S3Bucket || !S3Key) throw invalidParameter("Please provide a source for function code.");
  try {
    return (await (await host.bus.to("s3")).getObject(S3Bucket, S3Key, S3ObjectVersion)).body;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidParameter(
      `Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`,
    );
  }
}
