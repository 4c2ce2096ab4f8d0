import { type SignatureFault, SignatureProblem, type SignatureVerifier } from "../../../../core/gateway/signer";
import type { Call } from "../call";
import {
  type GatewayFailure,
  incompleteSignature,
  invalidSignature,
  missingToken,
  unknownAccessKey,
} from "../failures";

const failures: Record<SignatureFault, (message: string) => GatewayFailure> = {
  missing: missingToken,
  invalid: invalidSignature,
  skewed: invalidSignature,
  content: invalidSignature,
  incomplete: incompleteSignature,
  unknown: unknownAccessKey,
};

/** AWS_IAM: finds out who signed the request; refuses it with the gateway's own responses. */
export async function verifySigner(call: Call, signatures: SignatureVerifier): Promise<void> {
  const { message, query, method } = call.request;
  const path = (message.url ?? "/").split("?", 1)[0]!;
  const signed = { method, path, query, headers: message.headers, body: call.body };
  try {
    const { identity, ...shown } = await signatures.verify(signed, call.api!.scope.account);
    call.signer = identity;
    Object.assign(call.identity, shown);
  } catch (error) {
    throw error instanceof SignatureProblem ? failures[error.fault](error.message) : error;
  }
}
