import { randomBytes } from "node:crypto";
import { isGeneratedKeyId, makeAccessKeyId } from "../../core/access-key";
import type { SessionCredentials } from "../../core/bus";
import type { Caller, Host } from "../../core/service";
import { expiredToken, invalidToken, missingToken } from "./errors";

/** Who a request comes from, as GetCallerIdentity tells. */
export interface Identity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  /** The role behind an assumed-role session. */
  readonly roleArn?: string;
}

/** Temporary credentials and who they stand for. */
export interface Session extends SessionCredentials, Identity {
  /** What AssumeRole was given to narrow or mark the session; kept for policy evaluation. */
  readonly policy?: string;
  readonly policyArns?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly sourceIdentity?: string;
}

/** How long an expired session is still called expired before it is forgotten: 12 hours, the longest session. */
const keepExpired = 12 * 3_600_000;

/** All temporary credentials of one emulator, by access key id. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly host: Host) {}

  make(identity: Omit<Session, keyof SessionCredentials> & { arn: string }, seconds: number): Session {
    const now = this.host.clock.now();
    for (const [id, { expiration }] of this.sessions) {
      if (expiration > now - keepExpired) break;
      this.sessions.delete(id);
    }
    let accessKeyId = makeAccessKeyId("ASIA", identity.account);
    while (this.sessions.has(accessKeyId)) accessKeyId = makeAccessKeyId("ASIA", identity.account);
    const session: Session = {
      ...identity,
      accessKeyId,
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: randomBytes(180).toString("base64"),
      expiration: Math.floor(now / 1000 + seconds) * 1000,
    };
    this.sessions.set(accessKeyId, session);
    return session;
  }

  /** The session of an access key id; undefined when there was never one or it is long gone. */
  find(accessKeyId: string): Session | undefined {
    const session = this.sessions.get(accessKeyId);
    if (session && session.expiration <= this.host.clock.now()) throw expiredToken();
    return session;
  }

  /**
   * Who stands behind a caller: a session, a user of IAM, else the root user of the account. Any other access key, such
   * as `test` or 12 digits, is an administrator, so that nothing has to be set up before the first call.
   */
  async identify({ accessKeyId, account }: Caller): Promise<Identity> {
    if (!accessKeyId) throw missingToken();
    const session = this.find(accessKeyId);
    if (session) return session;
    if (isGeneratedKeyId(accessKeyId)) {
      const key = await (await this.host.bus.to("iam")).accessKey(accessKeyId);
      if (!key?.active) throw invalidToken();
      return { account, arn: key.arn, userId: key.userId };
    }
    return { account, arn: `arn:aws:iam::${account}:root`, userId: account };
  }

  clear(): void {
    this.sessions.clear();
  }
}
