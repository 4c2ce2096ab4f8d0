import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "vitest";
import type { Emulator } from "../../emulator";
import { type ClientSettings, settings } from "./emulator";

/** A statement of a policy, as JSON has it. */
export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** The text of a policy. */
export const policyOf = (...Statement: readonly Statement[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement });

/** Somebody with credentials of their own. */
export interface Person {
  readonly arn: string;
  /** For SDK clients that call as this person. */
  readonly settings: ClientSettings;
}

export interface User extends Person {
  readonly name: string;
  /** Lets the user do this and nothing else. */
  allow(...statements: readonly Statement[]): Promise<void>;
}

let made = 0;

/** A user of IAM with an access key, who may do nothing yet. */
export async function makeUser(emulator: Emulator, { accessKeyId = "test" } = {}): Promise<User> {
  const admin = settings(emulator, { accessKeyId });
  const iam = new IAMClient(admin);
  const name = `user-${++made}`;
  const { User } = await iam.send(new CreateUserCommand({ UserName: name }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  const policy = { UserName: name, PolicyName: "allowed" };
  return {
    name,
    arn: User!.Arn!,
    settings: { ...admin, credentials },
    async allow(...statements) {
      if (statements.length > 0)
        await iam.send(new PutUserPolicyCommand({ ...policy, PolicyDocument: policyOf(...statements) }));
      else await iam.send(new DeleteUserPolicyCommand(policy)).catch(() => undefined);
    },
  };
}

/** A session of a new role that may do what the statements say. */
export async function makeSession(emulator: Emulator, ...statements: readonly Statement[]): Promise<Person> {
  const admin = settings(emulator);
  const iam = new IAMClient(admin);
  const RoleName = `role-${++made}`;
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" }],
  });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  if (statements.length > 0) {
    const PolicyDocument = policyOf(...statements);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "allowed", PolicyDocument }));
  }
  const sts = new STSClient(admin);
  const assumed = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "session" }));
  const { AccessKeyId, SecretAccessKey, SessionToken } = assumed.Credentials!;
  const credentials = {
    accessKeyId: AccessKeyId!,
    secretAccessKey: SecretAccessKey!,
    sessionToken: SessionToken!,
  };
  return { arn: assumed.AssumedRoleUser!.Arn!, settings: { ...admin, credentials } };
}

/** What AWS answers where no policy of the caller allows something. */
export function denialOf(who: Person, action: string, resource: string): string {
  const shown = action.startsWith("sqs:") ? action.toLowerCase() : action;
  const name = action.startsWith("s3:") ? `"${resource}"` : resource;
  const where = action === "s3:ListAllMyBuckets" ? "" : ` on resource: ${name}`;
  return `User: ${who.arn} is not authorized to perform: ${shown}${where} because no identity-based policy allows the ${shown} action`;
}

/**
 * Holds that a call needs these permissions in this order and no others: each is missed in AWS's words, and the statement
 * that the emulator suggests for it gives it.
 */
export async function expectNeeds(
  emulator: Emulator,
  user: User,
  call: () => Promise<unknown>,
  needed: readonly (readonly [action: string, resource: string])[],
): Promise<void> {
  await user.allow();
  const statements: Statement[] = [];
  for (const [action, resource] of needed) {
    const expected = denialOf(user, action, resource);
    // The answer to HEAD has no text.
    await expect(call()).rejects.toMatchObject({ message: expect.toBeOneOf([expected, "UnknownError"]) });
    const { message, statement } = emulator.denials.at(-1)!;
    expect(message).toBe(expected);
    expect(statement).toEqual({ Effect: "Allow", Action: action, Resource: resource });
    statements.push({ Effect: "Allow", Action: action, Resource: resource });
    await user.allow(...statements);
  }
  await call();
}
