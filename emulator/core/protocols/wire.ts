import type { AwsError } from "../errors";
import type { RawRequest } from "../service";
import type { OperationModel, ServiceModel } from "./model";

/** An answer ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
  /** Sent as it comes, instead of {@link body}. */
  readonly stream?: AsyncIterable<Uint8Array>;
}

/** What a request asks for. */
export interface Call {
  readonly operation: OperationModel;
  readonly input: Record<string, unknown>;
}

/** A request with what the server has already found out about its address. */
export interface WireRequest extends RawRequest {
  /** Path without query, percent-encoded; for S3 without the bucket. */
  readonly path: string;
  readonly query: string;
  /** S3 only: the bucket, from host or path. */
  readonly bucket?: string;
}

/**
 * One protocol of one service: prints and parses, decides nothing.
 *
 * `read` gives the operation's name even where the emulator does not have it, so that a 501 can name it.
 */
export interface Wire {
  /** @throws AwsError for a malformed request or an operation that the AWS model does not have. */
  read(request: WireRequest): Call;
  write(operation: OperationModel, output: Record<string, unknown>, requestId: string): Answer;
  writeError(error: AwsError, requestId: string, request: WireRequest): Answer;
}

export type MakeWire = (model: ServiceModel) => Wire;
