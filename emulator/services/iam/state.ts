import type { PolicyDocument } from "../../core/policy";
import { type Scope, Scoped } from "../../core/service";
import { awsManagedPolicy } from "./aws-managed";
import { noSuchGroup, noSuchPolicy, noSuchProfile, noSuchRole, noSuchUser } from "./errors";

/** A document as its author wrote it, and as other services evaluate it. */
export interface Document {
  readonly text: string;
  readonly parsed: PolicyDocument;
}

/** What users, groups and roles have in common. */
export interface Entity {
  readonly kind: "role" | "user" | "group";
  name: string;
  path: string;
  readonly id: string;
  arn: string;
  readonly created: Date;
  /** Inline policies by name. */
  readonly inline: Map<string, Document>;
  /** ARNs of managed policies, in the order they were attached. */
  readonly attached: Set<string>;
  readonly tags: Map<string, string>;
  /** ARN of the managed policy that limits the entity. */
  boundary?: string;
}

export interface Role extends Entity {
  readonly kind: "role";
  description?: string;
  trust: Document;
  /** Seconds. */
  maxSession: number;
}

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  userName: string;
  status: "Active" | "Inactive";
  readonly created: Date;
}

export interface User extends Entity {
  readonly kind: "user";
  readonly keys: Map<string, AccessKey>;
  loginProfile?: { created: Date; resetRequired: boolean };
}

export interface Group extends Entity {
  readonly kind: "group";
  /** User names. */
  readonly members: Set<string>;
}

export interface PolicyVersion {
  readonly id: string;
  readonly document: Document;
  readonly created: Date;
}

export interface ManagedPolicy {
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly description?: string;
  readonly created: Date;
  updated: Date;
  /** By version id, oldest first. */
  readonly versions: Map<string, PolicyVersion>;
  defaultVersion: string;
  /** How many versions were ever made: ids are never used twice. */
  versionCount: number;
  readonly tags: Map<string, string>;
}

export interface InstanceProfile {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly created: Date;
  role?: string;
  readonly tags: Map<string, string>;
}

/** IAM of one account; IAM knows no regions. Names are unique without regard to case. */
export class Account {
  readonly roles = new Map<string, Role>();
  readonly users = new Map<string, User>();
  readonly groups = new Map<string, Group>();
  readonly policies = new Map<string, ManagedPolicy>();
  readonly profiles = new Map<string, InstanceProfile>();
  alias?: string;

  constructor(readonly id: string) {}

  role(name = ""): Role {
    const role = this.roles.get(name.toLowerCase());
    if (!role) throw noSuchRole(name);
    return role;
  }

  user(name = ""): User {
    const user = this.users.get(name.toLowerCase());
    if (!user) throw noSuchUser(name);
    return user;
  }

  group(name = ""): Group {
    const group = this.groups.get(name.toLowerCase());
    if (!group) throw noSuchGroup(name);
    return group;
  }

  profile(name = ""): InstanceProfile {
    const profile = this.profiles.get(name.toLowerCase());
    if (!profile) throw noSuchProfile(name);
    return profile;
  }

  /** A customer's or AWS's own policy. */
  policy(arn = ""): ManagedPolicy {
    const policy = this.policies.get(arn) ?? awsManagedPolicy(arn);
    if (!policy) throw noSuchPolicy(arn);
    return policy;
  }

  /** All users, groups and roles. */
  *entities(): Iterable<Entity> {
    yield* this.roles.values();
    yield* this.users.values();
    yield* this.groups.values();
  }
}

/** IAM of all accounts of one emulator. */
export class Accounts {
  private readonly accounts = new Scoped((scope) => new Account(scope.account));

  of({ account }: Pick<Scope, "account">): Account {
    return this.accounts.of({ account, region: "aws-global" });
  }

  all(): Iterable<Account> {
    return this.accounts.all();
  }

  clear(): void {
    this.accounts.clear();
  }
}

/** What the operation groups are made from. */
export interface IamContext {
  readonly accounts: Accounts;
  /** The clock's time in whole seconds, as IAM keeps times. */
  readonly now: () => Date;
  /** Whose access key that is. */
  readonly userOfKey: (accessKeyId: string) => User | undefined;
}
