import { attributeOf } from "../attribute";
import { inTime } from "../deadline";
import { describe, mapConcurrent } from "../retry";
import {
  isObject,
  type Placed,
  type Refusal,
  readEnvelope,
  readMessage,
  type StreamRecord,
  type Transform,
} from "./record";

/** What became of a stream's record before the sinks. */
export type Step = Placed | Refusal | "dropped";

export const isPlaced = (step: Step | undefined): step is Placed =>
  step !== undefined && step !== "dropped" && "record" in step;

/** Callbacks under way at a time. */
const PARALLEL = 16;

/** Reads records, and takes them through the callback. They do not affect each other. */
export async function readRecords(
  records: readonly StreamRecord[],
  timeField: string,
  transform: Transform | undefined,
  deadline: number,
): Promise<Step[]> {
  const steps = records.map((record): Step => {
    const envelope = readEnvelope(record);
    if ("stage" in envelope) return envelope;
    return readMessage(envelope, { id: record.eventID, sequenceNumber: record.kinesis.sequenceNumber }, timeField);
  });
  if (!transform) return steps;
  return mapConcurrent(steps, PARALLEL, async (step) => (isPlaced(step) ? change(step, transform, deadline) : step));
}

async function change(placed: Placed, transform: Transform, deadline: number): Promise<Step> {
  const { data, ...info } = placed.record;
  const { envelope } = placed;
  const refuse = (reason: string): Refusal => ({ stage: "transform", reason, envelope, device: info.ident });
  try {
    // A copy, for what the message is told apart by is not the callback's to change.
    const changed = await inTime(transform(data, { ...info }), deadline, "transform");
    if (changed === null) return "dropped";
    if (!isObject(changed)) return refuse("transform must return an object, or null to drop the message");
    const attribute = attributeOf(changed);
    if ("problem" in attribute) return refuse(`transform returned what no sink can hold: ${attribute.problem}`);
    return { ...placed, record: { ...info, data: changed } };
  } catch (error) {
    return refuse(describe(error));
  }
}
