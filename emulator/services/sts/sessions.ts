import { randomBytes } from "node:crypto";
import type { Identity } from "../../core/access/identity";
import { makeAccessKeyId } from "../../core/access-key";
import type { SessionCredentials } from "../../core/bus";
import type { Host } from "../../core/service";
import { expiredToken } from "./errors";

/** Temporary credentials and who they stand for. */
export interface Session extends SessionCredentials, Identity {}

/** How long an expired session is still called expired before it is forgotten: 12 hours, the longest session. */
const keepExpired = 12 * 3_600_000;

/** All temporary credentials of one emulator, by access key id. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly host: Host) {}

  make(identity: Identity, seconds: number): Session {
    const now = this.host.clock.now();
    for (const [id, { expiration }] of this.sessions) {
      // Those of functions' environments are longer than any other.
      if (expiration > now + keepExpired) continue;
      if (expiration > now - keepExpired) break;
      this.sessions.delete(id);
    }
    let accessKeyId = makeAccessKeyId("ASIA", identity.account);
    while (this.sessions.has(accessKeyId)) accessKeyId = makeAccessKeyId("ASIA", identity.account);
    const session: Session = {
      ...identity,
      issuedAt: now,
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

  clear(): void {
    this.sessions.clear();
  }
}
