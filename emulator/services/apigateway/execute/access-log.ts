import { createHash } from "node:crypto";
import { formatArn, parseArn } from "../../../core/arn";
import { LogAccess } from "../../../core/gateway/log-access";
import { LogFormats } from "../../../core/gateway/log-format";
import type { Host } from "../../../core/service";
import type { Call, Reply } from "./call";
import { contextOf } from "./context";

/** Writes one line for each request, in the stage's format, to the stage's log group, as the account's role for logs. */
export class AccessLog {
  private readonly formats = new LogFormats();
  private readonly access: LogAccess;

  constructor(private readonly host: Host) {
    this.access = new LogAccess(host.bus);
  }

  clear(): void {
    this.access.clear();
  }

  async write(call: Call, reply: Reply): Promise<void> {
    const { destinationArn, format } = call.stage?.accessLogSettings ?? {};
    const roleArn = call.state?.cloudwatchRoleArn;
    if (!destinationArn || !format || !roleArn) return;
    const arn = parseArn(destinationArn);
    if (!arn) return;
    const { id, scope: owner } = call.api!;
    const stream = createHash("md5").update(`${id}/${call.stageName}`).digest("hex");
    const group = arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
    const scope = { account: arn.account, region: arn.region };
    const sourceArn = formatArn("execute-api", owner.region, owner.account, `${id}/${call.stageName}`);
    if (!this.access.granted({ roleArn, sourceArn, scope, group, stream })) return;
    const now = this.host.clock.now();
    const context = {
      ...contextOf(call),
      status: reply.status,
      responseLength: Buffer.byteLength(reply.body),
      responseLatency: now - call.started,
    };
    const message = this.formats.line(format, context);
    const logs = this.host.bus.ready("logs") ?? (await this.host.bus.to("logs"));
    logs.write(scope, group, stream, [{ timestamp: now, message }]);
  }
}
