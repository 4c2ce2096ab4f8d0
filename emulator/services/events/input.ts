import type { InputTransformer, Target } from "@aws-sdk/client-eventbridge";
import { jsonPath } from "../../core/gateway/json-path";
import type { BusEvent } from "./event";
import type { Rule } from "./store";

/** A placeholder of an input template. */
const placeholder = /<([A-Za-z0-9_.-]+)>/g;

/** A template that gave no JSON. */
export class NoJson extends Error {}

/**
 * The text that a target gets: the event, its `Input`, the part at its `InputPath`, or what its template makes of it
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html).
 *
 * @throws NoJson
 */
export function inputFor(target: Target, rule: Rule, event: BusEvent): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(jsonPath(event, target.InputPath) ?? {});
  if (target.InputTransformer) return fill(target.InputTransformer, rule, event);
  return JSON.stringify(event);
}

function fill({ InputPathsMap = {}, InputTemplate = "" }: InputTransformer, rule: Rule, event: BusEvent): string {
  const { detail, ...envelope } = event;
  const values = new Map<string, unknown>([
    ["aws.events.rule-arn", rule.arn],
    ["aws.events.rule-name", rule.name],
    ["aws.events.event.ingestion-time", event.time],
    ["aws.events.event", envelope],
    ["aws.events.event.json", { ...envelope, detail }],
    ...Object.entries(InputPathsMap).map(([name, path]): [string, unknown] => [name, jsonPath(event, path)]),
  ]);
  const structured = /^\s*["{[]/.test(InputTemplate);
  let quoted = false;
  let at = 0;
  const text = InputTemplate.replace(placeholder, (_whole, name: string, offset: number) => {
    quoted = insideQuotes(InputTemplate.slice(at, offset), quoted);
    at = offset;
    const value = values.get(name) ?? "";
    if (structured && !quoted) return JSON.stringify(value);
    const inner = typeof value === "string" ? value : JSON.stringify(value);
    return structured ? JSON.stringify(inner).slice(1, -1) : inner;
  });
  if (!structured) return JSON.stringify(text);
  try {
    JSON.parse(text);
  } catch {
    throw new NoJson("The input template does not give valid JSON for this event.");
  }
  return text;
}

/** Whether the end of a piece of JSON is inside a string, by whether its beginning is. */
function insideQuotes(piece: string, inside: boolean): boolean {
  let now = inside;
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] === "\\") i++;
    else if (piece[i] === '"') now = !now;
  }
  return now;
}
