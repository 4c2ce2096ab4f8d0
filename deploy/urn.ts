/** Names of resources: `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */

const rootType = "pulumi:pulumi:Stack";

/** The name that Pulumi's own engine gives; the types of all parents but the stack are part of it. */
export function makeUrn(
  stack: string,
  project: string,
  parent: string | undefined,
  type: string,
  name: string,
): string {
  const parentType = parent ? qualifiedType(parent) : "";
  const qualified = parentType && parentType !== rootType ? `${parentType}$${type}` : type;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

const parts = (urn: string) => urn.split("::");

const qualifiedType = (urn: string) => parts(urn)[2] ?? "";

export const urnType = (urn: string): string => qualifiedType(urn).split("$").at(-1) ?? "";

/** A name may itself hold `::`. */
export const urnName = (urn: string): string => parts(urn).slice(3).join("::");

/** A reference to a provider is `<urn>::<id>`. */
export function splitProvider(reference: string): { urn: string; id: string } {
  const at = reference.lastIndexOf("::");
  return { urn: reference.slice(0, at), id: reference.slice(at + 2) };
}
