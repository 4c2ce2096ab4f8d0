import type { PolicyDocument } from "../policy";

/** Who stands behind a call: whose policies are asked, and what policies see of it. */
export interface Identity {
  /** As `aws:PrincipalType` names it; `Anonymous` for a request without a signature. */
  readonly type: "Account" | "User" | "AssumedRole" | "Anonymous";
  /** 12 digits. */
  readonly account: string;
  /** Of the root user, the user, or the session: `arn:aws:sts::…:assumed-role/<role>/<session>`. */
  readonly arn: string;
  readonly userId: string;
  /** The role behind an assumed-role session. */
  readonly roleArn?: string;
  /** Of a user of IAM. */
  readonly userName?: string;
  /** What AssumeRole was given to narrow the session: its inline policy and managed ones. */
  readonly sessionPolicies?: readonly PolicyDocument[];
  /** Session tags; they count as tags of the principal. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly sourceIdentity?: string;
  /** When temporary credentials were made, in milliseconds since the epoch. */
  readonly issuedAt?: number;
}

/** The root user of an account: an administrator, whom only resource policies can refuse. */
export const rootOf = (account: string): Identity => ({
  type: "Account",
  account,
  arn: `arn:aws:iam::${account}:root`,
  userId: account,
});

/** Who sends a request without a signature. */
export const anonymous: Identity = { type: "Anonymous", account: "anonymous", arn: "anonymous", userId: "anonymous" };

/** The ARN that identity policies hang on: the role's for its sessions. */
export const ownerArn = ({ roleArn, arn }: Identity): string => roleArn ?? arn;
