import { randomUUID } from "node:crypto";
import type { LogLevel } from "@aws-sdk/client-iot";
import { LogPermission } from "../../core/access/log-permission";
import { AwsError, notEmulated } from "../../core/errors";
import type { Host } from "../../core/service";
import { check } from "./checks";
import { AssumedRole, checkRole } from "./roles";
import type { Region } from "./state";
import type { IotOperations, Store } from "./store";

/** From the most talkative to the one that says nothing. */
const levels = ["DEBUG", "INFO", "WARN", "ERROR", "DISABLED"] as const;

/** Where AWS IoT Core writes its log (https://docs.aws.amazon.com/iot/latest/developerguide/cloud-watch-logs.html). */
const logGroup = "AWSIotLogsV2";

interface Options {
  readonly roleArn: string;
  readonly level: LogLevel;
  readonly disabled: boolean;
  readonly stream: string;
  /** Of the role, to write to the stream. */
  readonly permission: LogPermission;
}

/** One entry, without what all have (https://docs.aws.amazon.com/iot/latest/developerguide/cwl-format.html). */
export interface LogEntry {
  readonly eventType: string;
  readonly status: "Success" | "Failure";
  readonly traceId?: string;
  readonly [detail: string]: unknown;
}

const notConfigured = () =>
  new AwsError("NotConfiguredException", "Logging is not configured: call SetV2LoggingOptions", 404);

/** `2017-08-10 15:37:23.476` */
const written = (time: number) => new Date(time).toISOString().replace("T", " ").replace("Z", "");

/** The log of AWS IoT Core in CloudWatch Logs; there is none before SetV2LoggingOptions. */
export class Logging {
  private readonly options = new WeakMap<Region, Options>();

  constructor(private readonly host: Host) {}

  /** Whether entries of a level are written: what costs to put together need not be. */
  wants(region: Region, level: Exclude<LogLevel, "DISABLED">): boolean {
    const options = this.options.get(region);
    return options !== undefined && !options.disabled && levels.indexOf(level) >= levels.indexOf(options.level);
  }

  write(region: Region, level: Exclude<LogLevel, "DISABLED">, entry: LogEntry): void {
    const options = this.options.get(region);
    if (!options || !this.wants(region, level)) return;
    if (!options.permission.granted) return;
    const { scope, clock } = region;
    const timestamp = clock.now();
    const message = JSON.stringify({
      timestamp: written(timestamp),
      logLevel: level,
      accountId: scope.account,
      ...entry,
    });
    this.host.bus
      .to("logs")
      .then((logs) => logs.write(scope, logGroup, options.stream, [{ timestamp, message }]))
      .catch((error) => this.host.report(error, logGroup));
  }

  operations(store: Store): IotOperations {
    const all = this.options;
    return {
      SetV2LoggingOptions({ roleArn, defaultLogLevel, disableAllLogs, eventConfigurations }, context) {
        check({ defaultLogLevel: [defaultLogLevel, { oneOf: levels }] });
        if (eventConfigurations?.length) throw notEmulated("iot", "SetV2LoggingOptions: eventConfigurations");
        const region = store.region(context);
        const before = all.get(region);
        const role = roleArn ?? before?.roleArn;
        check({ roleArn: [role, { required: true }] });
        const { bus } = store.host;
        const { scope } = region;
        const sourceArn = region.arn("*");
        if (roleArn !== undefined) checkRole(bus, scope, sourceArn, roleArn);
        const stream = before?.stream ?? `${randomUUID()}_${scope.account}_0`;
        const { acting } = new AssumedRole(bus, scope, sourceArn, role!);
        all.set(region, {
          roleArn: role!,
          level: defaultLogLevel ?? before?.level ?? "ERROR",
          disabled: disableAllLogs ?? before?.disabled ?? false,
          stream,
          permission: new LogPermission(bus, acting, scope, logGroup, stream),
        });
        return {};
      },

      GetV2LoggingOptions(_input, context) {
        const options = all.get(store.region(context));
        if (!options) throw notConfigured();
        return { roleArn: options.roleArn, defaultLogLevel: options.level, disableAllLogs: options.disabled };
      },
    };
  }
}
