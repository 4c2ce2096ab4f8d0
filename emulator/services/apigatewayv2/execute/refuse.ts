import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { hangUp } from "../../../core/hang-up";
import type { GatewayEvent } from "./event";
import type { GatewayFailure } from "./failures";

/** Answers a handshake with a status and closes the line. What `$connect` refused has no body, as on AWS. */
export function refuse(socket: Duplex, event: GatewayEvent, status: number, failure: GatewayFailure | undefined): void {
  const { requestId, extendedRequestId, session } = event;
  const { connectionId } = session;
  const body = failure ? JSON.stringify({ message: failure.message, connectionId, requestId }) : "";
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    `x-amzn-RequestId: ${requestId}`,
    `x-amz-apigw-id: ${extendedRequestId}`,
    ...(failure ? ["Content-Type: application/json", `x-amzn-ErrorType: ${failure.errorType}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  hangUp(socket, `${lines.join("\r\n")}\r\n\r\n${body}`);
}
