import type { Access } from "../../../core/access/access";
import { evaluate, type PolicyRequest } from "../../../core/policy-evaluation";
import type { Certificate, Policy, Region, Thing } from "../state";

/** Who is behind a connection. */
export type Identity =
  | { readonly kind: "certificate"; readonly certificate: Certificate }
  /** An IAM identity that signed: its policies decide, those of AWS IoT have no say. */
  | { readonly kind: "iam"; readonly userId: string; may(access: Access): boolean };

/** What a client asks the broker for; `iot:` in policies. */
export type Action = "Connect" | "Publish" | "RetainPublish" | "Subscribe" | "Receive";

const resources: Record<Action, string> = {
  Connect: "client",
  Publish: "topic",
  RetainPublish: "topic",
  Subscribe: "topicfilter",
  Receive: "topic",
};

/** Answers that are remembered for each connection. */
const mostAnswers = 1_000;

/**
 * What a value may not hold to stand in a policy: it would be taken for a wildcard of the policy or of a topic filter,
 * and give rights to what is somebody else's.
 */
const unsafe = /[*?+#$]/;

/** The thing that a client connects as: the one that has its certificate for itself, or the one of the client's name. */
export function thingOf(region: Region, { arn }: Certificate, clientId: string): Thing | undefined {
  const named = region.things.get(clientId);
  // A certificate that one thing has for itself is no other thing's.
  if (named?.principals.has(arn)) return named;
  for (const thing of region.things.values()) if (thing.principals.get(arn) === "EXCLUSIVE_THING") return thing;
  return undefined;
}

const subjectParts: readonly [variable: string, attribute: string][] = [
  ["CommonName", "CN"],
  ["Country", "C"],
  ["Organization", "O"],
  ["OrganizationalUnit", "OU"],
  ["State", "ST"],
  ["SerialNumber", "serialNumber"],
  ["Title", "title"],
  ["Surname", "SN"],
  ["GivenName", "GN"],
  ["DistinguishedNameQualifier", "dnQualifier"],
];

/** `CN=a\nO=b` as Node prints a name, by attribute. */
function nameParts(name: string): Map<string, string> {
  return new Map(name.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/**
 * What policies may look at of a connection: in their conditions, and as variables
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html). A variable that has no value, or an
 * unsafe one, is left out; a statement that uses it then matches nothing.
 */
export function connectionValues(
  region: Region,
  certificate: Certificate,
  clientId: string,
  sourceIp?: string,
): Required<Pick<PolicyRequest, "context" | "variables">> {
  const values: Record<string, string> = {
    ...(clientId !== "" && { "iot:ClientId": clientId }),
    ...(sourceIp !== undefined && { "aws:SourceIp": sourceIp }),
  };
  const { x509 } = certificate;
  for (const [part, name] of [
    ["Subject", x509.subject],
    ["Issuer", x509.issuer],
  ] as const) {
    const found = nameParts(name ?? "");
    for (const [variable, attribute] of subjectParts) {
      const value = found.get(attribute);
      if (value !== undefined) values[`iot:Certificate.${part}.${variable}`] = value;
    }
  }
  values["iot:Certificate.SerialNumber"] = x509.serialNumber;
  const thing = thingOf(region, certificate, clientId);
  if (thing) {
    values["iot:Connection.Thing.ThingName"] = thing.name;
    if (thing.typeName !== undefined) values["iot:Connection.Thing.ThingTypeName"] = thing.typeName;
    for (const [name, value] of Object.entries(thing.attributes))
      values[`iot:Connection.Thing.Attributes[${name}]`] = value;
  }
  values["iot:Connection.Thing.IsAttached"] = String(thing !== undefined);
  const entries = Object.entries(values).map(([name, value]) => [name, [value]] as const);
  return {
    context: Object.fromEntries(entries),
    variables: Object.fromEntries(entries.filter(([, [value]]) => !unsafe.test(value!))),
  };
}

/** What one connection may do: by the policies of its certificate and of the groups of its thing, or by those of IAM. */
export class Permissions {
  private generation = -1;
  private readonly answers = new Map<string, boolean>();

  constructor(
    private readonly region: Region,
    private readonly identity: Identity,
    private readonly clientId: string,
    private readonly sourceIp: string,
  ) {}

  /** @param name the client id, topic or topic filter. */
  allows(action: Action, name: string): boolean {
    const { identity, region, clientId } = this;
    const [operation, resource] = [`iot:${action}`, region.arn(`${resources[action]}/${name}`)];
    if (identity.kind === "iam") {
      const conditions = clientId === "" ? {} : { "iot:ClientId": [clientId] };
      return identity.may({ action: operation, resource, conditions });
    }
    // Policies, attachments and things change seldom, and messages come often.
    if (this.generation !== region.generation || this.answers.size > mostAnswers) {
      this.answers.clear();
      this.generation = region.generation;
    }
    const key = `${action} ${name}`;
    let answer = this.answers.get(key);
    if (answer === undefined) {
      answer = this.evaluate(identity.certificate, operation, resource);
      this.answers.set(key, answer);
    }
    return answer;
  }

  private evaluate(certificate: Certificate, action: string, resource: string): boolean {
    // Its connection is about to end; until then nothing more is let through.
    if (certificate.status !== "ACTIVE") return false;
    const { region, clientId, sourceIp } = this;
    const request = { action, resource, ...connectionValues(region, certificate, clientId, sourceIp) };
    let allowed = false;
    for (const policy of effectivePolicies(region, certificate, clientId)) {
      const answer = evaluate(policy.versions.get(policy.defaultVersion)!.document, request);
      if (answer === "Deny") return false;
      if (answer === "Allow") allowed = true;
    }
    return allowed;
  }
}

/** The policies of a certificate, and of the groups of the thing that a client connects as. */
export function effectivePolicies(region: Region, certificate: Certificate, clientId: string): Policy[] {
  const targets = [certificate.arn];
  const thing = thingOf(region, certificate, clientId);
  if (thing) targets.push(...region.groupsOf(thing.name).map(({ arn }) => arn));
  return targets.flatMap((target) => region.policiesOf(target));
}
