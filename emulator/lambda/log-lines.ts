import { createHash } from "node:crypto";

/** How one invocation ended, for its last log lines. */
export interface Report {
  readonly requestId: string;
  readonly durationMs: number;
  /** Only for the first invocation of an environment. */
  readonly initMs?: number;
  readonly memorySize: number;
  readonly memoryUsed: number;
  readonly status: "success" | "error" | "timeout";
  readonly errorType?: string;
}

/** The lines that Lambda itself writes around an invocation; undefined where the system log level leaves one out. */
export interface SystemLog {
  initStart(time: number): string | undefined;
  start(time: number, requestId: string): string | undefined;
  end(time: number, report: Report): readonly string[];
}

interface LogSettings {
  readonly format: "Text" | "JSON";
  /** DEBUG, INFO or WARN; JSON format only. */
  readonly systemLevel: string;
  readonly runtime: string;
  readonly region: string;
  readonly version: string;
}

/** The format of https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html. */
export const systemLog = (settings: LogSettings): SystemLog =>
  settings.format === "JSON" ? json(settings) : text(settings);

const runtimeArn = ({ region, runtime }: LogSettings) =>
  `arn:aws:lambda:${region}::runtime:${createHash("sha256").update(runtime).digest("hex")}`;

const runtimeVersion = ({ runtime }: LogSettings) => `${runtime.replace(/^nodejs(\d+).*/, "nodejs:$1")}.v1`;

/** Since August 2025 initialization is billed too (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/). */
const billed = ({ durationMs, initMs = 0 }: Report) => Math.ceil(durationMs + initMs);

const megabytes = ({ memoryUsed, memorySize }: Report) => Math.min(memorySize, Math.ceil(memoryUsed / 1_048_576));

function text(settings: LogSettings): SystemLog {
  return {
    initStart: () =>
      `INIT_START Runtime Version: ${runtimeVersion(settings)}\tRuntime Version ARN: ${runtimeArn(settings)}\n`,
    start: (_time, requestId) => `START RequestId: ${requestId} Version: ${settings.version}\n`,
    end(_time, report) {
      const parts = [
        `REPORT RequestId: ${report.requestId}`,
        `Duration: ${report.durationMs.toFixed(2)} ms`,
        `Billed Duration: ${billed(report)} ms`,
        `Memory Size: ${report.memorySize} MB`,
        `Max Memory Used: ${megabytes(report)} MB`,
      ];
      if (report.initMs !== undefined) parts.push(`Init Duration: ${report.initMs.toFixed(2)} ms`);
      if (report.status !== "success") parts.push(`Status: ${report.status}`);
      if (report.status === "error" && report.errorType) parts.push(`Error Type: ${report.errorType}`);
      return [`END RequestId: ${report.requestId}\n`, `${parts.join("\t")}\t\n`];
    },
  };
}

function json(settings: LogSettings): SystemLog {
  const line = (time: number, type: string, record: object) =>
    `${JSON.stringify({ time: new Date(time).toISOString(), type, record })}\n`;
  const quiet = settings.systemLevel === "WARN";
  return {
    initStart: (time) =>
      quiet
        ? undefined
        : line(time, "platform.initStart", {
            initializationType: "on-demand",
            phase: "init",
            runtimeVersion: runtimeVersion(settings),
            runtimeVersionArn: runtimeArn(settings),
            functionVersion: settings.version,
          }),
    start: (time, requestId) =>
      quiet ? undefined : line(time, "platform.start", { requestId, version: settings.version }),
    end(time, report) {
      if (quiet && report.status === "success") return [];
      const metrics = {
        durationMs: Number(report.durationMs.toFixed(3)),
        billedDurationMs: billed(report),
        memorySizeMB: report.memorySize,
        maxMemoryUsedMB: megabytes(report),
        ...(report.initMs !== undefined && { initDurationMs: Number(report.initMs.toFixed(3)) }),
      };
      const { requestId, status, errorType } = report;
      return [line(time, "platform.report", { requestId, metrics, status, ...(status === "error" && { errorType }) })];
    },
  };
}
