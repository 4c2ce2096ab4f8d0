import { randomUUID } from "node:crypto";
import type { Scope } from "../../core/service";

/** An event as rules and targets see it (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html). */
export interface BusEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  /** 12 digits. */
  readonly account: string;
  /** To the second, in UTC. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: object;
}

/** @param time milliseconds since the epoch. */
export const makeEvent = (
  { account, region }: Scope,
  time: number,
  event: { detailType: string; source: string; resources: readonly string[]; detail: object },
): BusEvent => ({
  version: "0",
  id: randomUUID(),
  "detail-type": event.detailType,
  source: event.source,
  account,
  time: new Date(time).toISOString().replace(/\.\d{3}/, ""),
  region,
  resources: event.resources,
  detail: event.detail,
});
