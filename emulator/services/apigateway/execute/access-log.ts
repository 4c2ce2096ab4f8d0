import { createHash } from "node:crypto";
import { parseArn } from "../../../core/arn";
import type { Host } from "../../../core/service";
import type { Call, Reply } from "./call";
import { contextOf, lookUp } from "./context";

type Part = string | { readonly variable: string };

const variable = /\$context\.((?:[\w-]+|\['[^']+'\])(?:\.[\w-]+|\['[^']+'\])*)/g;

/** Writes one line for each request, in the stage's format, to the stage's log group. */
export class AccessLog {
  private readonly formats = new Map<string, readonly Part[]>();

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
    // Where a value is missing, AWS writes a dash.
    const message = this.read(format)
      .map((part) => (typeof part === "string" ? part : (lookUp(context, part.variable) ?? "-")))
      .join("");
    const logs = this.host.bus.ready("logs") ?? (await this.host.bus.to("logs"));
    const stream = createHash("md5").update(`${call.api!.id}/${call.stageName}`).digest("hex");
    const group = arn.resource.replace(/^log-group:/, "").replace(/:.*$/, "");
    logs.write({ account: arn.account, region: arn.region }, group, stream, [{ timestamp: now, message }]);
  }

  private read(format: string): readonly Part[] {
    let parts = this.formats.get(format);
    if (!parts) {
      const list: Part[] = [];
      let end = 0;
      for (const match of format.matchAll(variable)) {
        list.push(format.slice(end, match.index), { variable: match[1]! });
        end = match.index + match[0].length;
      }
      parts = [...list, format.slice(end)];
      this.formats.set(format, parts);
    }
    return parts;
  }
}
