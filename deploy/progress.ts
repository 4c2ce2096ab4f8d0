import { styleText } from "node:util";
import type { Action, DeployEvent, Summary } from "./types";

export interface ProgressOptions {
  /** Takes one line without its line break. @default prints to stderr, so that stdout stays free for results */
  write?: (line: string) => void;
  /** @default true when stderr is a terminal and NO_COLOR is not set */
  color?: boolean;
  /** Also prints resources that stay as they are, and debug messages. @default false */
  verbose?: boolean;
}

type Style = Parameters<typeof styleText>[0];

const marks: Record<Action, { sign: string; verb: string; style: Style }> = {
  create: { sign: " + ", verb: "created", style: "green" },
  import: { sign: " = ", verb: "imported", style: "green" },
  update: { sign: " ~ ", verb: "updated", style: "yellow" },
  replace: { sign: "+- ", verb: "replaced", style: "magenta" },
  delete: { sign: " - ", verb: "deleted", style: "red" },
  read: { sign: " > ", verb: "read", style: "cyan" },
  same: { sign: "   ", verb: "unchanged", style: "dim" },
};

/**
 * Prints a deployment as `pulumi up` does, one line for each resource that is done:
 * ` +  aws:sqs:Queue ingest-dead-letter created (0.12s)`. Give it as `onEvent` of `deploy`.
 */
export function progress({
  write = (line) => void process.stderr.write(`${line}\n`),
  color = process.stderr.isTTY === true && !process.env.NO_COLOR,
  verbose = false,
}: ProgressOptions = {}): (event: DeployEvent) => void {
  const paint = (style: Style, text: string) => (color ? styleText(style, text, { validateStream: false }) : text);
  return (event) => {
    switch (event.kind) {
      case "started":
        return;
      case "done": {
        if (event.action === "same" && !verbose) return;
        const { sign, verb, style } = marks[event.action];
        const details = [
          ...(event.milliseconds > 0 ? [`(${seconds(event.milliseconds, 2)})`] : []),
          ...(event.changed && event.changed.length > 0 ? [`[${event.changed.join(", ")}]`] : []),
          ...(event.recorded ? ["recorded, not emulated"] : []),
        ].join(" ");
        write(
          `${paint(style, sign)} ${shortType(event.type)} ${event.name} ${paint(style, verb)}${details && ` ${details}`}`,
        );
        return;
      }
      case "failed":
        write(paint("red", `error: ${event.message}`));
        return;
      case "log":
        if (event.severity === "debug" && !verbose) return;
        write(event.severity === "info" ? event.message : `${event.severity}: ${event.message}`);
        return;
      case "output":
        write(event.line);
        return;
      case "summary":
        if (event.recorded.length > 0) write(`Recorded, not emulated: ${event.recorded.map(shortType).join(", ")}`);
        write(
          `Resources: ${counts(event.summary)}, ${seconds(event.milliseconds, 1)}${event.failed ? ", failed" : ""}`,
        );
    }
  };
}

/** `aws:sqs/queue:Queue` is `aws:sqs:Queue`, as in Pulumi's own output. */
const shortType = (type: string) => type.replace(/\/[^:]+:/, ":");

const seconds = (milliseconds: number, digits: number) => `${(milliseconds / 1000).toFixed(digits)}s`;

function counts({ created, updated, replaced, deleted, same }: Summary): string {
  const parts = [
    ...(created > 0 ? [`+ ${created} created`] : []),
    ...(updated > 0 ? [`~ ${updated} updated`] : []),
    ...(replaced > 0 ? [`+- ${replaced} replaced`] : []),
    ...(deleted > 0 ? [`- ${deleted} deleted`] : []),
    ...(same > 0 ? [`${same} unchanged`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : "nothing to do";
}
