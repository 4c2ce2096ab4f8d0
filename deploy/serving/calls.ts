import { Metadata, type ServerUnaryCall, type ServiceError, type sendUnaryData, status } from "@grpc/grpc-js";
import providerProto from "@pulumi/pulumi/proto/provider_pb";
import statusProto from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { cureFor, describeError } from "../errors";
import type { WireObject } from "../values";
import { Incomplete } from "./operations";

/** As large as Pulumi's own limit: function code travels in these messages. */
export const maxMessage = 400 * 1024 * 1024;

export const fromStruct = (struct: Struct | undefined): WireObject => (struct?.toJavaScript() ?? {}) as WireObject;

export const toStruct = (values: WireObject): Struct => Struct.fromJavaScript(values);

/**
 * A handler from a function of the request and of the caller, whose address is the same for all calls of one provider
 * instance: each has its own connection. What the function throws becomes a gRPC error that people can read.
 */
export function unary<Request, Response>(handle: (request: Request, peer: string) => Response | Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
    Promise.resolve()
      .then(() => handle(call.request, call.getPeer()))
      .then(
        (response) => answer(null, response),
        (error: unknown) => answer(toServiceError(error)),
      );
  };
}

function toServiceError(error: unknown): Partial<ServiceError> {
  const reason = error instanceof Incomplete ? error.partly : error;
  const cure = cureFor(reason);
  const message = `${describeError(reason)}${cure ? ` (what helps: ${cure})` : ""}`;
  const metadata = new Metadata();
  if (error instanceof Incomplete) {
    // The way in which gRPC carries structured errors: google.rpc.Status in this header.
    const detail = new providerProto.ErrorResourceInitFailed()
      .setId(error.partly.id)
      .setProperties(toStruct(error.outputs))
      .setReasonsList([message]);
    const packed = new Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const rich = new statusProto.Status().setCode(status.UNKNOWN).setMessage(message);
    rich.addDetails(packed);
    metadata.add("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  }
  return { code: status.UNKNOWN, details: message, metadata };
}
