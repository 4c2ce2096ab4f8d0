import { createHash } from "node:crypto";
import { formatArn, parseArn } from "../../../core/arn";
import { LogAccess } from "../../../core/gateway/log-access";
import { LogFormats } from "../../../core/gateway/log-format";
import type { Host } from "../../../core/service";
import type { GatewayEvent } from "./event";

/** Writes one line for each event, in the stage's format, to the stage's log group, as the account's role for logs. */
export class AccessLog {
  private readonly formats = new LogFormats();
  private readonly access: LogAccess;

  constructor(private readonly host: Host) {
    this.access = new LogAccess(host.bus);
  }

  clear(): void {
    this.access.clear();
  }

  async write(event: GatewayEvent, status: number): Promise<void> {
    const { DestinationArn, Format } = event.stage.AccessLogSettings ?? {};
    const arn = DestinationArn === undefined ? undefined : parseArn(DestinationArn);
    const { api, stageName } = event.session;
    const roleArn = this.host.bus.ready("apigateway")?.cloudwatchRole(api.scope);
    if (!arn || !Format || !roleArn) return;
    const stream = createHash("md5").update(`${api.id}/${stageName}`).digest("hex");
    const group = arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
    const scope = { account: arn.account, region: arn.region };
    const sourceArn = formatArn("execute-api", api.scope.region, api.scope.account, `${api.id}/${stageName}`);
    if (!this.access.granted({ roleArn, sourceArn, scope, group, stream })) return;
    const now = this.host.clock.now();
    const message = this.formats.line(Format, { ...event.context(), status, responseLatency: now - event.started });
    const logs = this.host.bus.ready("logs") ?? (await this.host.bus.to("logs"));
    logs.write(scope, group, stream, [{ timestamp: now, message }]);
  }
}
