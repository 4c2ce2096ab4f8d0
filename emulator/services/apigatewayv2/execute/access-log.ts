import { createHash } from "node:crypto";
import { parseArn } from "../../../core/arn";
import { LogFormats } from "../../../core/gateway/log-format";
import type { Host } from "../../../core/service";
import type { GatewayEvent } from "./event";

/** Writes one line for each event, in the stage's format, to the stage's log group. */
export class AccessLog {
  private readonly formats = new LogFormats();

  constructor(private readonly host: Host) {}

  async write(event: GatewayEvent, status: number): Promise<void> {
    const { DestinationArn, Format } = event.stage.AccessLogSettings ?? {};
    const arn = DestinationArn === undefined ? undefined : parseArn(DestinationArn);
    if (!arn || !Format) return;
    const now = this.host.clock.now();
    const message = this.formats.line(Format, { ...event.context(), status, responseLatency: now - event.started });
    const logs = this.host.bus.ready("logs") ?? (await this.host.bus.to("logs"));
    const { api, stageName } = event.session;
    const stream = createHash("md5").update(`${api.id}/${stageName}`).digest("hex");
    const group = arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
    logs.write({ account: arn.account, region: arn.region }, group, stream, [{ timestamp: now, message }]);
  }
}
