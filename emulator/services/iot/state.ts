import type { X509Certificate } from "node:crypto";
import { formatArn } from "../../core/arn";
import type { Clock } from "../../core/clock";
import type { Faults } from "../../core/faults/faults";
import type { Place } from "../../core/faults/place";
import type { PolicyDocument } from "../../core/policy";
import type { Scope } from "../../core/service";
import { MessageBroker } from "./broker";
import { Shadows } from "./shadows/shadows";
import { shadowRequests } from "./shadows/topics";

export type PrincipalType = "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";

/** A device in the registry. */
export interface Thing {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  typeName?: string;
  attributes: Record<string, string>;
  version: number;
  billingGroup?: string;
  /** Certificate ARNs and Cognito identities, and how each is attached. */
  readonly principals: Map<string, PrincipalType>;
}

export interface ThingType {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  description?: string;
  searchableAttributes: readonly string[];
  readonly createdAt: number;
  /** Milliseconds since the epoch; things cannot be given a deprecated type. */
  deprecatedAt?: number;
}

/** A thing group or a billing group. */
export interface Group {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  description?: string;
  attributes: Record<string, string>;
  version: number;
  readonly createdAt: number;
  /** Of thing groups. */
  readonly parent?: string;
  readonly members: Set<string>;
}

export type CertificateStatus = "ACTIVE" | "INACTIVE" | "REVOKED";

export interface Certificate {
  /** SHA-256 of its DER form, in hex. */
  readonly id: string;
  readonly arn: string;
  readonly pem: string;
  readonly x509: X509Certificate;
  status: CertificateStatus;
  /** SNI_ONLY: registered without its CA. */
  readonly mode: "DEFAULT" | "SNI_ONLY";
  readonly caCertificateId?: string;
  readonly createdAt: number;
  modifiedAt: number;
  customerVersion: number;
}

/** A certificate authority of the customer's own. */
export interface CaCertificate extends Pick<Certificate, "id" | "arn" | "pem" | "x509" | "mode" | "createdAt"> {
  active: boolean;
  modifiedAt: number;
  customerVersion: number;
}

export interface PolicyVersion {
  readonly id: string;
  readonly text: string;
  readonly document: PolicyDocument;
  readonly createdAt: number;
}

export interface Policy {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly versions: Map<string, PolicyVersion>;
  lastVersion: number;
  defaultVersion: string;
  /** ARNs of certificates and thing groups, and Cognito identity ids, in the order of their attachment. */
  readonly targets: Set<string>;
}

/** AWS IoT Core of one account in one region. */
export class Region {
  readonly things = new Map<string, Thing>();
  readonly thingTypes = new Map<string, ThingType>();
  readonly groups = new Map<string, Group>();
  readonly billingGroups = new Map<string, Group>();
  readonly certificates = new Map<string, Certificate>();
  readonly caCertificates = new Map<string, CaCertificate>();
  registrationCode?: string;
  readonly policies = new Map<string, Policy>();
  /** By ARN. */
  readonly tags = new Map<string, Map<string, string>>();
  /** What else can have tags (topic rules ...): the kind in its ARN, and where they are by name. */
  readonly taggable: Record<string, ReadonlyMap<string, { readonly arn: string }>> = {};
  readonly broker: MessageBroker;
  readonly shadows: Shadows;
  /** Grows with each change that may change what a client is allowed to do. */
  generation = 0;

  constructor(
    readonly scope: Scope,
    readonly clock: Clock,
    report: (error: unknown, where: string) => void,
    readonly faults: Faults,
  ) {
    this.broker = new MessageBroker(
      clock,
      report,
      (topic) => faults.active && faults.duplicates(this.publishing(topic)),
    );
    this.shadows = new Shadows(this.broker, clock);
    this.broker.listeners.add(shadowRequests(this, report));
  }

  arn(resource: string): string {
    return formatArn("iot", this.scope.region, this.scope.account, resource);
  }

  /** A message to a topic, as faults are about it. */
  publishing(topic: string): Place {
    return { service: "iotdata", operation: "Publish", resources: [this.arn(`topic/${topic}`)] };
  }

  /** The certificate of an ARN, where this region has it. */
  certificateOf(principal: string): Certificate | undefined {
    const certificate = this.certificates.get(principal.split(":cert/").at(-1) ?? "");
    return certificate?.arn === principal ? certificate : undefined;
  }

  /** The policies attached to a certificate, thing group or identity. */
  policiesOf(target: string): Policy[] {
    return [...this.policies.values()].filter(({ targets }) => targets.has(target));
  }

  /** The groups that a thing is in, each with those above it. */
  groupsOf(thing: string): Group[] {
    const found = new Set<Group>();
    for (const group of this.groups.values()) {
      if (!group.members.has(thing)) continue;
      for (let at: Group | undefined = group; at; at = at.parent === undefined ? undefined : this.groups.get(at.parent))
        found.add(at);
    }
    return [...found];
  }
}
