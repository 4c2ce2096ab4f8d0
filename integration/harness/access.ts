import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from "@aws-sdk/client-sts";
import { expect } from "vitest";
import type { Emulator } from "../../emulator";
import { type ClientSettings, settings } from "./emulator";
import { trustOf } from "./policies";

/** A statement of a policy; it allows where it does not say what it does, and everything where it names no resource. */
export interface Statement {
  Sid?: string;
  Effect?: "Allow" | "Deny";
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Principal?: object | string;
  NotPrincipal?: object;
  Condition?: object;
}

export const policyOf = (...statements: Statement[]): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((one) => ({
      Effect: "Allow",
      ...(one.NotResource === undefined && { Resource: "*" }),
      ...one,
    })),
  });

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Somebody whose policies a test writes. */
export interface Subject {
  readonly arn: string;
  readonly credentials: Credentials;
  /** For SDK clients. */
  readonly settings: ClientSettings;
}

/** A user of IAM with one inline policy. */
export interface User extends Subject {
  readonly name: string;
  /** Adds statements to the policy. */
  allow(...statements: Statement[]): Promise<void>;
  /** Takes the policy away. */
  clear(): Promise<void>;
}

/** Makes users, roles and their sessions in one emulator. */
export class Subjects {
  readonly admin: ClientSettings;
  readonly iam: IAMClient;

  constructor(
    private readonly emulator: Emulator,
    options: Parameters<typeof settings>[1] = {},
  ) {
    this.admin = settings(emulator, options);
    this.iam = new IAMClient(this.admin);
  }

  async user(name: string, statements: Statement[] = [], more: { Path?: string; Tags?: Tag[] } = {}): Promise<User> {
    const { User: made } = await this.iam.send(new CreateUserCommand({ UserName: name, ...more }));
    const { AccessKey: key } = await this.iam.send(new CreateAccessKeyCommand({ UserName: name }));
    const credentials = { accessKeyId: key!.AccessKeyId!, secretAccessKey: key!.SecretAccessKey! };
    const policy = { UserName: name, PolicyName: "test" };
    let all: Statement[] = [];
    const user: User = {
      name,
      arn: made!.Arn!,
      ...this.subject(credentials),
      allow: async (...added) => {
        all = [...all, ...added];
        await this.iam.send(new PutUserPolicyCommand({ ...policy, PolicyDocument: policyOf(...all) }));
      },
      clear: async () => {
        if (all.length > 0) await this.iam.send(new DeleteUserPolicyCommand(policy));
        all = [];
      },
    };
    if (statements.length > 0) await user.allow(...statements);
    return user;
  }

  /** A role that everybody in the account whose policies allow it may assume, unless a trust policy says something else. */
  async role(name: string, statements: Statement[] = [], more: { trust?: string; Tags?: Tag[] } = {}): Promise<string> {
    const { trust = trustOf({ AWS: "*" }), Tags } = more;
    const { Role } = await this.iam.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust, Tags }),
    );
    if (statements.length > 0) {
      const PolicyDocument = policyOf(...statements);
      await this.iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "test", PolicyDocument }));
    }
    return Role!.Arn!;
  }

  /** A session of a role, that the administrator begins. */
  async session(RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<Subject> {
    const sts = new STSClient(this.admin);
    const made = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test", ...more }));
    const { AccessKeyId, SecretAccessKey, SessionToken } = made.Credentials!;
    const credentials = {
      accessKeyId: AccessKeyId!,
      secretAccessKey: SecretAccessKey!,
      sessionToken: SessionToken!,
    };
    return { arn: made.AssumedRoleUser!.Arn!, ...this.subject(credentials) };
  }

  private subject(credentials: Credentials): Pick<Subject, "credentials" | "settings"> {
    return { credentials, settings: { ...settings(this.emulator), credentials } };
  }
}

type Tag = { Key: string; Value: string };

/** Codes of all protocols for a call that IAM does not allow. */
const denials = /^(AccessDenied(Exception)?|AuthorizationError(Exception)?|ForbiddenException)$/;

/** What became of a call: `allowed`, also where it then failed for another reason, or the message of the denial. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { name, message } = error as Error;
    if (denials.test(name)) return message;
  }
  return "allowed";
}

/**
 * The permissions that a call needs of a user who has none, as `action resource`: asks, allows what the denial says is
 * missing, and asks again, until the call is not denied any more. Afterwards the user has none again.
 */
export async function needs(emulator: Emulator, user: User, call: () => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  await user.clear();
  for (;;) {
    const seen = emulator.denials.at(-1);
    const said = await outcome(call());
    const denial = emulator.denials.at(-1);
    if (said === "allowed") break;
    expect(denial, `${said}, which the emulator does not tell of`).not.toBe(seen);
    if (said !== "Forbidden") expect(said).toBe(denial!.message);
    expect(denial!.principal).toBe(user.arn);
    const permission = `${denial!.action} ${denial!.resource}`;
    expect(found, `${permission} was allowed, and is missing`).not.toContain(permission);
    found.push(permission);
    await user.allow(denial!.statement!);
  }
  await user.clear();
  return found;
}

/** The sentence with which a user is refused who has no policy that allows an action. */
export const missing = (arn: string, action: string, resource?: string): string =>
  `User: ${arn} is not authorized to perform: ${action}${resource === undefined ? "" : ` on resource: ${resource}`} because no identity-based policy allows the ${action} action`;
