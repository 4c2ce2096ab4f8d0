import { limits } from "../../../core/limits";
import { isDeeper, isObject, type State } from "./documents";
import {
  invalidClientToken,
  invalidJson,
  invalidNode,
  invalidVersion,
  missingState,
  notAnObject,
  tooDeep,
  wrongEncoding,
} from "./errors";
import type { Change } from "./shadow";

/** Levels below `desired` and `reported`. */
const mostLevels = limits.iot.shadowLevels.value;
const longestToken = limits.iot.clientToken.value;

function parse(payload: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
  } catch {
    throw wrongEncoding();
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalidJson();
  }
}

function readPart(value: unknown, node: "Desired" | "Reported"): State | null | undefined {
  if (value === undefined || value === null) return value;
  if (!isObject(value)) throw notAnObject(node);
  if (isDeeper(value, mostLevels)) throw tooDeep();
  return value;
}

function readToken(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || Buffer.byteLength(value) > longestToken) throw invalidClientToken();
  return value;
}

/** The token that a request wants to see in its answer; anything goes for the rest. */
export function clientTokenOf(payload: Buffer): string | undefined {
  try {
    const value = JSON.parse(payload.toString("utf8"));
    return isObject(value) ? readToken(value.clientToken) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a request to change a shadow.
 *
 * @throws AwsError in the words of the Device Shadow service.
 */
export function readChange(payload: Buffer): Change {
  const document = parse(payload);
  if (!isObject(document)) throw invalidJson();
  const { state, version, clientToken } = document;
  const token = readToken(clientToken);
  if (version !== undefined && version !== null && !(Number.isSafeInteger(version) && Number(version) >= 0))
    throw invalidVersion();
  const expected = {
    ...(typeof version === "number" && { version }),
    ...(token !== undefined && { clientToken: token }),
  };
  if (state === undefined) throw missingState();
  // Takes both parts away.
  if (state === null) return { desired: null, reported: null, ...expected };
  if (!isObject(state)) throw notAnObject("State");
  if (Object.keys(state).some((name) => name !== "desired" && name !== "reported")) throw invalidNode();
  const [desired, reported] = [readPart(state.desired, "Desired"), readPart(state.reported, "Reported")];
  return { ...(desired !== undefined && { desired }), ...(reported !== undefined && { reported }), ...expected };
}
