import type { Call, Reply } from "../call";
import { misconfigured } from "../failures";
import { mappedReply, requestBody } from "./mapping";
import type { Tools } from "./tools";

/** MOCK: the request template gives the status, `{"statusCode": 200}`, and the integration response the answer. */
export function mock(call: Call, { templates }: Tools): Reply {
  const { body, overrides } = requestBody(call, templates);
  // The template is read leniently, as AWS does: only the status counts.
  const status = /"?statusCode"?\s*:\s*"?(\d{3})"?/.exec(body.toString())?.[1];
  if (!status) throw misconfigured();
  call.integration.status = Number(status);
  call.integration.latency = 0;
  return mappedReply(
    call,
    templates,
    { status: Number(status), headers: {}, body: Buffer.alloc(0) },
    status,
    overrides,
  );
}
