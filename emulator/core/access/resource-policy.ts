import { type PolicyDocument, PolicySyntaxError, readPolicy } from "../policy";

const broken = "malformed policy";
const messages = {
  ...{ json: broken, syntax: broken, version: broken, noStatement: broken, noEffect: broken, duplicateSid: broken },
  effect: () => broken,
};

/**
 * Reads a policy of a resource for evaluation; what its service took although it is none allows nothing. The policies
 * of resources are asked at every call: each text is read once.
 */
export function readResourcePolicy(policy: string | PolicyDocument | undefined): PolicyDocument | undefined {
  if (typeof policy !== "string") return policy;
  if (policy === "") return undefined;
  let read = cache.get(policy);
  if (read === undefined) {
    read = parse(policy);
    if (cache.size >= 1_000) cache.clear();
    cache.set(policy, read);
  }
  return read ?? undefined;
}

// What a text means never changes, so all emulators of a process may share what is parsed.
const cache = new Map<string, PolicyDocument | null>();

function parse(text: string): PolicyDocument | null {
  try {
    return readPolicy(text, messages);
  } catch (error) {
    if (error instanceof PolicySyntaxError) return null;
    throw error;
  }
}
