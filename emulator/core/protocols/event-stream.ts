import { EventStreamCodec } from "@smithy/core/event-streams";
import type { NormalizedSchema } from "@smithy/core/schema";
import { fromUtf8, toUtf8 } from "@smithy/core/serde";
import { AwsError, internalFailure } from "../errors";
import type { JsonCodec } from "./json";

export const eventStreamType = "application/vnd.amazon.eventstream";

const frames = new EventStreamCodec(toUtf8, fromUtf8);

/** The member of an output that is a stream of events; undefined for most operations. */
export const eventStreamMember = (output: NormalizedSchema): string | undefined =>
  output.getEventStreamMember() || undefined;

function frame(headers: Record<string, string>, body: string): Uint8Array {
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }]);
  return frames.encode({ headers: Object.fromEntries(typed), body: Buffer.from(body) });
}

/**
 * Events of an operation as they travel in JSON protocols (https://smithy.io/2.0/aws/amazon-eventstream.html): first the
 * other members of the output, then each event as it comes; an AwsError ends the stream as an exception.
 *
 * @param events objects of one member each: the event's name and its value.
 */
export async function* encodeEvents(
  output: NormalizedSchema,
  member: string,
  value: Record<string, unknown>,
  codec: JsonCodec,
): AsyncGenerator<Uint8Array> {
  const { [member]: events, ...rest } = value;
  const json = { ":message-type": "event", ":content-type": "application/json" };
  yield frame({ ...json, ":event-type": "initial-response" }, JSON.stringify(codec.encoder(output)(rest)));
  const encode = codec.encoder(output.getMemberSchema(member));
  try {
    for await (const event of events as AsyncIterable<object>) {
      const [[name, body] = []] = Object.entries(encode(event) as Record<string, unknown>);
      if (name) yield frame({ ...json, ":event-type": name }, JSON.stringify(body));
    }
  } catch (error) {
    const { code, message } = error instanceof AwsError ? error : internalFailure();
    const headers = { ...json, ":message-type": "exception", ":exception-type": code };
    yield frame(headers, JSON.stringify({ message }));
  }
}
