import { Archive, Asset } from "./assets";

/** A property as Pulumi sends it and as the state keeps it: JSON in which special values are objects with a signature. */
export type Wire = null | boolean | number | string | Wire[] | { [key: string]: Wire };
/** The properties of a resource on the wire. */
export type WireObject = { [key: string]: Wire };

/** A property as resource types see it: secrets, outputs and references are unwrapped, assets are objects. */
export type Plain = undefined | null | boolean | number | string | Asset | Archive | Plain[] | { [key: string]: Plain };
export type PlainObject = { [key: string]: Plain };

// The signatures are constants of Pulumi's protocol (sdk/go/common/resource/properties.go).
export const signatureKey = "4dabf18193072939515e22adb298388d";
const signatures = {
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  secret: "1b47061264138c4ac30d75fd1eb44270",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
};
/** Stands for a value that is not known yet. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isObject = (value: unknown): value is { [key: string]: Wire } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const signed = (value: Wire, signature: string) => isObject(value) && value[signatureKey] === signature;

export const isSecret = (value: Wire): boolean =>
  signed(value, signatures.secret) || (signed(value, signatures.output) && (value as WireObject).secret === true);

const isAsset = (value: Wire): boolean => signed(value, signatures.asset) || signed(value, signatures.archive);

/** Marks a value as secret; a value that is marked already stays as it is. */
export const secret = (value: Wire): Wire =>
  signed(value, signatures.secret) ? value : { [signatureKey]: signatures.secret, value };

/** A resource as a value: the SDK makes an object of the resource's class from it. */
export const resourceReference = (urn: string, id: string): Wire => ({
  [signatureKey]: signatures.resource,
  urn,
  id,
});

const children = (value: Wire): Wire[] => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []);

/** Whether a secret is anywhere inside. */
export const holdsSecret = (value: Wire): boolean => isSecret(value) || children(value).some(holdsSecret);

/** All texts inside of secrets. */
function secretTexts(value: Wire, inside = false): string[] {
  if (typeof value === "string") return inside && value !== "" ? [value] : [];
  if (isSecret(value)) return secretTexts((value as WireObject).value ?? null, true);
  return children(value).flatMap((child) => secretTexts(child, inside));
}

/** Marks in `made` the texts that are secret in `from`, for values that went through code that sees them plain. */
export function keepSecrets(from: WireObject, made: WireObject): WireObject {
  const texts = new Set(secretTexts(from));
  const mark = (value: Wire): Wire => {
    if (typeof value === "string") return texts.has(value) ? secret(value) : value;
    if (Array.isArray(value)) return value.map(mark);
    return isObject(value) ? marked(value) : value;
  };
  const marked = (values: WireObject): WireObject =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, mark(value)]));
  return texts.size === 0 ? made : marked(made);
}

export const holdsAsset = (value: Wire): boolean => isAsset(value) || children(value).some(holdsAsset);

/**
 * The value that a resource type sees. `directory` is the one that relative paths of assets start from.
 * A reference to a resource becomes its id, or its URN where it has none (components).
 */
export function toPlain(value: Wire, directory: string): Plain {
  if (Array.isArray(value)) return value.map((item) => toPlain(item, directory));
  if (!isObject(value)) return value === unknownValue ? undefined : value;
  switch (value[signatureKey]) {
    case signatures.secret:
    case signatures.output:
      return toPlain(value.value ?? null, directory);
    case signatures.resource:
      return (value.id as string) || (value.urn as string);
    case signatures.asset:
      return new Asset(value, directory);
    case signatures.archive: {
      const assets = value.assets as WireObject | undefined;
      return new Archive(value, directory, assets && (toPlainObject(assets, directory) as Record<string, Asset>));
    }
    default:
      return toPlainObject(value, directory);
  }
}

/** {@link toPlain} for all properties; a null property is the same as none, as in Pulumi. */
export function toPlainObject(values: WireObject, directory: string): PlainObject {
  const result: PlainObject = {};
  for (const [key, value] of Object.entries(values)) {
    const plain = toPlain(value, directory);
    if (plain !== undefined && plain !== null) result[key] = plain;
  }
  return result;
}

/** Plain outputs of a resource type as wire values; members that are undefined are left out. */
export function toWire(value: unknown): Wire {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(toWire);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") {
    const result: WireObject = {};
    for (const [key, member] of Object.entries(value)) if (member !== undefined) result[key] = toWire(member);
    return result;
  }
  return value as Wire;
}

/**
 * What the state keeps of inputs: output wrappers are gone, references to resources are ids, and of assets only the
 * hash and the kind are left, so that no code and no file content gets into the state.
 */
export async function toState(value: Wire, directory: string): Promise<Wire> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => toState(item, directory)));
  if (!isObject(value)) return value === unknownValue ? null : value;
  if (isAsset(value)) {
    const asset = toPlain(value, directory) as Asset | Archive;
    return { [signatureKey]: value[signatureKey]!, hash: await asset.hash() };
  }
  if (value[signatureKey] === signatures.output) {
    const inner = await toState(value.value ?? null, directory);
    return value.secret === true ? secret(inner) : inner;
  }
  if (value[signatureKey] === signatures.resource) return (value.id as string) || (value.urn as string);
  return toStateObject(value, directory);
}

/** {@link toState} for all properties. */
export async function toStateObject(values: WireObject, directory: string): Promise<WireObject> {
  const result: WireObject = {};
  for (const [key, member] of Object.entries(values)) result[key] = await toState(member, directory);
  return result;
}

/** Deep equality in which secret and plain are the same, and null is the same as absent. */
export function same(a: Wire | undefined, b: Wire | undefined): boolean {
  const left = unwrap(a);
  const right = unwrap(b);
  if (left === right) return true;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => same(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]));
}

const unwrap = (value: Wire | undefined): Wire => {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) return value;
  return value[signatureKey] === signatures.secret ? unwrap(value.value) : value;
};

/** An output of the stack: its plain value, and whether it must not be shown. */
export interface OutputValue {
  readonly value: unknown;
  readonly secret: boolean;
}

export const toOutput = (value: Wire, directory: string): OutputValue => ({
  value: toPlain(value, directory),
  secret: holdsSecret(value),
});
