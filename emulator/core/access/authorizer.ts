import { parseArn } from "../arn";
import type { Bus } from "../bus";
import type { Clock } from "../clock";
import type { AwsError } from "../errors";
import { type ContextKeys, evaluate } from "../policy-evaluation";
import type { PortCaller, ServiceCaller } from "../service-caller";
import type { Access } from "./access";
import { decide, decideForService, type IdentityPolicies, type Refusal } from "./decide";
import { type Denial, denialMessage, type SuggestedStatement } from "./denial";
import { globalKeys, type RequestFacts } from "./global-keys";
import { type Identity, ownerArn } from "./identity";
import { readResourcePolicy } from "./resource-policy";

/** A decision about one permission, for whoever watches. */
export interface Authorization {
  /** ARN of the role or user whose policies were asked, or the service principal. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
}

/** How many denials an emulator remembers. */
const remembered = 1_000;

/** A role that a service acts as, for one of its resources. */
export interface ActingService {
  readonly roleArn: string;
  /** Such as `lambda.amazonaws.com`. */
  readonly service: string;
  /** What the session is called: with most services the resource's name. */
  readonly sessionName: string;
  /** The resource it acts for; the role's trust policy may ask for it. */
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
}

/**
 * Decides who may do what in one emulator, and remembers what it refused. It asks the policies that IAM keeps; the
 * services say what a call needs ({@link Access}) and what the policies of their resources are.
 */
export class Authorizer {
  /** What was refused, oldest first. */
  readonly denials: Denial[] = [];
  private readonly watchers = new Set<(decision: Authorization) => void>();
  private readonly denialWatchers = new Set<(denial: Denial) => void>();

  constructor(
    private readonly bus: Pick<Bus, "ready">,
    private readonly clock: Clock,
    /** Whether anything is refused at all. */
    readonly enforced: boolean,
  ) {}

  /** Calls `watcher` after each decision. Returns the way to stop. */
  watch(watcher: (decision: Authorization) => void): () => void {
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  /** Calls `watcher` with each denial. Returns the way to stop. */
  watchDenials(watcher: (denial: Denial) => void): () => void {
    this.denialWatchers.add(watcher);
    return () => {
      this.denialWatchers.delete(watcher);
    };
  }

  /**
   * Whether an identity may do something; the denial when it may not.
   *
   * @param before the denial that there was already: the same one is not listed again.
   */
  check(identity: Identity, access: Access, facts: RequestFacts, before?: Denial): Denial | undefined {
    if (!this.enforced) return undefined;
    const own = this.policiesOf(identity);
    // Most statements have no conditions: the keys are made when the first is asked for.
    let keys: ContextKeys | undefined;
    const context = () => {
      keys ??= globalKeys(identity, own, access, facts, this.clock.now());
      return keys;
    };
    const refusal = decide(identity, own, access, readResourcePolicy(access.policy), context);
    this.tell(ownerArn(identity), access, refusal);
    if (!refusal) return undefined;
    const inResource = refusal.by === "resource-based policy";
    const place = inResource ? `the policy of ${access.resource}` : placeIn(identity, refusal);
    const principal = inResource ? { Principal: { AWS: ownerArn(identity) } } : {};
    const statement = { ...principal, ...statementFor(access) };
    return this.remember(identity.arn, access, refusal, place, statement, before);
  }

  /** {@link check} for several permissions: the first that is missing. */
  checkAll(identity: Identity, accesses: readonly Access[], facts: RequestFacts): Denial | undefined {
    for (const access of accesses) {
      const denial = this.check(identity, access, facts);
      if (denial) return denial;
    }
    return undefined;
  }

  /**
   * Whether the policy of a resource lets a service do something for the resource that it acts for; the denial when it does
   * not. Nothing is allowed without a policy
   * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services).
   */
  checkService(caller: ServiceCaller, access: Access): Denial | undefined {
    if (!this.enforced) return undefined;
    const { principal, sourceArn, sourceAccount } = caller;
    const context = {
      "aws:SourceArn": [sourceArn],
      "aws:SourceAccount": [sourceAccount],
      "aws:PrincipalIsAWSService": ["true"],
      "aws:SecureTransport": ["true"],
    };
    const refusal = decideForService(caller, access, readResourcePolicy(access.policy), context);
    this.tell(principal, access, refusal);
    if (!refusal) return undefined;
    return this.remember(principal, access, refusal, `the policy of ${access.resource}`, {
      Principal: { Service: principal },
      ...statementFor(access),
      Condition: { ArnLike: { "aws:SourceArn": sourceArn } },
    });
  }

  /** Whether a service may act as a role, by the role's trust policy; the denial when it may not. */
  checkTrust({ roleArn, service, sourceArn, sourceAccount }: ActingService, before?: Denial): Denial | undefined {
    if (!this.enforced) return undefined;
    const trust = this.bus.ready("iam")?.trustPolicy(roleArn);
    const access = { action: "sts:AssumeRole", resource: roleArn };
    const context = {
      ...(sourceArn && { "aws:SourceArn": [sourceArn] }),
      ...(sourceAccount && { "aws:SourceAccount": [sourceAccount] }),
    };
    const region = sourceArn && parseArn(sourceArn)?.region;
    const principal = { kind: "Service", name: service, ...(region && { region }) } as const;
    const said = trust && evaluate(trust, { action: access.action, principal, context });
    const refusal: Refusal | undefined =
      said === "Allow" ? undefined : { explicit: said === "Deny", by: "resource-based policy" };
    this.tell(service, access, refusal);
    if (!refusal) return undefined;
    const place = trust ? `the trust policy of ${roleArn}` : `${roleArn}, which does not exist`;
    // A trust policy belongs to one role and names no resource.
    const statement: SuggestedStatement = {
      Effect: "Allow",
      Principal: { Service: service },
      Action: access.action,
    };
    return this.remember(service, access, refusal, place, statement, before);
  }

  /** Whether whoever uses a port may do something there; the denial when it may not. */
  checkCaller(by: PortCaller, access: Access, before?: Denial): Denial | undefined {
    if ("principal" in by) return this.checkService(by, access);
    return this.check(by, access, { region: parseArn(access.resource)?.region }, before);
  }

  /**
   * Refuses the user of a port what it may not do. The emulator itself, which names nobody, may do everything.
   *
   * @param refuse makes the error of IAM's sentence, with the code and status that the service has.
   */
  demand(by: PortCaller | undefined, access: Access, refuse: (message: string) => AwsError): void {
    const denial = by && this.checkCaller(by, access);
    if (denial) throw refuse(denial.message);
  }

  /** Forgets what was refused. */
  clear(): void {
    this.denials.length = 0;
  }

  private policiesOf(identity: Identity): IdentityPolicies | undefined {
    if (identity.type !== "User" && identity.type !== "AssumedRole") return undefined;
    // A role or user that was deleted after its credentials were made has no policies left.
    return this.bus.ready("iam")?.policiesOf(ownerArn(identity)) ?? { policies: [], tags: [] };
  }

  private tell(principal: string, { action, resource }: Access, refusal: Refusal | undefined): void {
    if (this.watchers.size === 0) return;
    const decision = { principal, action, resource, allowed: !refusal };
    for (const watch of this.watchers) watch(decision);
  }

  private remember(
    principal: string,
    access: Access,
    refusal: Refusal,
    place: string,
    statement: SuggestedStatement,
    before?: Denial,
  ): Denial {
    const { action, resource } = access;
    const message = denialMessage(principal, access, refusal);
    if (message === before?.message) return before;
    const cure = refusal.explicit ? {} : { statement };
    const denial = { time: this.clock.now(), principal, action, resource, message, place, ...cure };
    this.denials.push(denial);
    if (this.denials.length > remembered) this.denials.shift();
    for (const watch of this.denialWatchers) watch(denial);
    return denial;
  }
}

/** Which of the policies that hang on an identity lacks a statement. */
function placeIn(identity: Identity, { by }: Refusal): string {
  if (by === "permissions boundary") return `the permissions boundary of ${ownerArn(identity)}`;
  return by === "session policy" ? `the session policy of ${identity.arn}` : ownerArn(identity);
}

const statementFor = ({ action, resource }: Access): SuggestedStatement => ({
  Effect: "Allow",
  Action: action,
  Resource: resource,
});

/** The session of a role that a service makes for itself. */
export function sessionOf({ roleArn, sessionName }: Pick<ActingService, "roleArn" | "sessionName">): Identity {
  const account = roleArn.split(":")[4] ?? "";
  const name = roleArn.split("/").at(-1) ?? "";
  return {
    type: "AssumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}`,
    userId: `${name}:${sessionName}`,
    roleArn,
  };
}
