import type { AttributeType, SchemaAttributeType } from "@aws-sdk/client-cognito-identity-provider";
import { invalidParameter } from "./errors";
import type { Pool, User } from "./state";

const standard = (
  name: string,
  type: SchemaAttributeType["AttributeDataType"] = "String",
  rest: SchemaAttributeType = {},
): SchemaAttributeType => ({
  Name: name,
  AttributeDataType: type,
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
  ...(type === "String" ? { StringAttributeConstraints: { MinLength: "0", MaxLength: "2048" } } : {}),
  ...rest,
});

/** The attributes that every pool has, after OpenID Connect. */
const standardAttributes = (): SchemaAttributeType[] => [
  standard("sub", "String", {
    Mutable: false,
    Required: true,
    StringAttributeConstraints: { MinLength: "1", MaxLength: "2048" },
  }),
  ...["name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture"].map(
    (name) => standard(name),
  ),
  standard("website"),
  standard("email"),
  standard("email_verified", "Boolean"),
  standard("gender"),
  standard("birthdate", "String", { StringAttributeConstraints: { MinLength: "10", MaxLength: "10" } }),
  standard("zoneinfo"),
  standard("locale"),
  standard("phone_number"),
  standard("phone_number_verified", "Boolean"),
  standard("address"),
  standard("updated_at", "Number", { NumberAttributeConstraints: { MinValue: "0" } }),
];

/** A custom attribute as the pool shows it. */
export function customAttribute(given: SchemaAttributeType): SchemaAttributeType {
  const { Name: name = "", AttributeDataType: type = "String" } = given;
  if (!/^\S{1,20}$/.test(name)) throw invalidParameter(`Invalid custom attribute name: ${name}`);
  const prefix = given.DeveloperOnlyAttribute ? "dev:custom:" : "custom:";
  return {
    ...given,
    Name: prefix + name,
    AttributeDataType: type,
    DeveloperOnlyAttribute: given.DeveloperOnlyAttribute ?? false,
    Mutable: given.Mutable ?? true,
    Required: false,
    ...(type === "String" ? { StringAttributeConstraints: given.StringAttributeConstraints ?? {} } : {}),
    ...(type === "Number" ? { NumberAttributeConstraints: given.NumberAttributeConstraints ?? {} } : {}),
  };
}

/** A pool's schema: the standard attributes with what the caller changed of them, and custom ones. */
export function makeSchema(given: readonly SchemaAttributeType[] = []): Map<string, SchemaAttributeType> {
  const schema = new Map(standardAttributes().map((attribute) => [attribute.Name!, attribute]));
  for (const attribute of given) {
    const known = schema.get(attribute.Name ?? "");
    if (known) {
      const defined = Object.fromEntries(Object.entries(attribute).filter(([, value]) => value !== undefined));
      schema.set(known.Name!, { ...known, ...defined });
      continue;
    }
    if (attribute.Required) {
      throw invalidParameter("Required custom attributes are not supported currently.");
    }
    const custom = customAttribute(attribute);
    schema.set(custom.Name!, custom);
  }
  return schema;
}

const refuse = (name: string, why: string) =>
  invalidParameter(`Attributes did not conform to the schema: ${name}: ${why}\n`);

function problem(rule: SchemaAttributeType, value: string): string | undefined {
  const { MinLength: shortest, MaxLength: longest } = rule.StringAttributeConstraints ?? {};
  const { MinValue: smallest, MaxValue: largest } = rule.NumberAttributeConstraints ?? {};
  switch (rule.AttributeDataType) {
    case "Number":
      if (!/^-?\d+$/.test(value)) return "Attribute value is not a number";
      if (smallest && Number(value) < Number(smallest)) return `Attribute value must not be less than ${smallest}`;
      if (largest && Number(value) > Number(largest)) return `Attribute value must not be greater than ${largest}`;
      return undefined;
    case "Boolean":
      return /^(true|false)$/i.test(value) ? undefined : "Attribute value must be either true or false";
    case "String":
      if (shortest && value.length < Number(shortest)) return `String must be at least ${shortest} characters long.`;
      if (longest && value.length > Number(longest)) return `String must not be longer than ${longest} characters.`;
      return undefined;
    default:
      return undefined;
  }
}

/** Checks attributes against the pool's schema; `user` is there when it changes and absent when it is made. */
export function readAttributes(pool: Pool, given: readonly AttributeType[] = [], user?: User): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const { Name: name = "", Value: value = "" } of given) {
    const rule = pool.schema.get(name);
    if (!rule) throw refuse(name, "Attribute does not exist in the schema.");
    if (name === "sub" || (user && !rule.Mutable)) throw invalidParameter(`Cannot modify an immutable attribute`);
    const why = value === "" && user ? undefined : problem(rule, value);
    if (why) throw refuse(name, why);
    if (name === "email" && value && !/^[^@\s]+@[^@\s]+$/.test(value)) {
      throw invalidParameter("Invalid email address format.");
    }
    if (name === "phone_number" && value && !/^\+\d{1,15}$/.test(value)) {
      throw invalidParameter("Invalid phone number format.");
    }
    attributes.set(name, value);
  }
  return attributes;
}

/** Required attributes are asked for when a user is made. */
export function checkRequired(pool: Pool, attributes: ReadonlyMap<string, string>): void {
  for (const { Name: name, Required: required } of pool.schema.values()) {
    if (required && name !== "sub" && !attributes.get(name!)) throw refuse(name!, "The attribute is required");
  }
}

/** Writes attributes to a user; a new e-mail or phone number is unverified unless told, and "" removes. */
export function writeAttributes(user: User, attributes: ReadonlyMap<string, string>): void {
  for (const name of ["email", "phone_number"]) {
    const changed = attributes.has(name) && attributes.get(name) !== user.attributes.get(name);
    if (changed && !attributes.has(`${name}_verified`)) user.attributes.delete(`${name}_verified`);
  }
  for (const [name, value] of attributes) {
    if (value === "") user.attributes.delete(name);
    else user.attributes.set(name, value);
  }
}

export const attributeList = (user: User): AttributeType[] => [
  ...[...user.attributes].map(([Name, Value]) => ({ Name, Value })),
  { Name: "sub", Value: user.sub },
];
