import { createHash } from "node:crypto";
import { parseArn } from "../../../core/arn";
import { LogFormats } from "../../../core/gateway/log-format";
import type { Host } from "../../../core/service";
import type { Call, Reply } from "./call";
import { contextOf } from "./context";

/** Writes one line for each request, in the stage's format, to the stage's log group. */
export class AccessLog {
  private readonly formats = new LogFormats();

  constructor(private readonly host: Host) {}

  async write(call: Call, reply: Reply): Promise<void> {
    const { destinationArn, format } = call.stage?.accessLogSettings ?? {};
    if (!destinationArn || !format || !call.state?.cloudwatchRoleArn) return;
    const arn = parseArn(destinationArn);
    if (!arn) return;
    const now = this.host.clock.now();
    const context = {
      ...contextOf(call),
      status: reply.status,
      responseLength: Buffer.byteLength(reply.body),
      responseLatency: now - call.started,
    };
    const message = this.formats.line(format, context);
    const logs = this.host.bus.ready("logs") ?? (await this.host.bus.to("logs"));
    const stream = createHash("md5").update(`${call.api!.id}/${call.stageName}`).digest("hex");
    const group = arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
    logs.write({ account: arn.account, region: arn.region }, group, stream, [{ timestamp: now, message }]);
  }
}
