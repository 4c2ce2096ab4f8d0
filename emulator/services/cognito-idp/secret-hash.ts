import { createHmac } from "node:crypto";
import { notAuthorized } from "./errors";
import type { Client } from "./state";

/** What a client with a secret must send along: HMAC-SHA256 of user name and client id (developer guide: SecretHash). */
export const secretHash = (client: Client, username: string): string =>
  createHmac("sha256", client.ClientSecret ?? "")
    .update(username + client.ClientId)
    .digest("base64");

/** @param usernames the names that the hash may be made of. */
export function checkSecretHash(
  client: Client,
  usernames: string | undefined | readonly string[],
  hash: string | undefined,
): void {
  if (!client.ClientSecret) {
    if (hash === undefined) return;
    throw notAuthorized(`Unable to verify secret hash for client ${client.ClientId}`);
  }
  if (hash === undefined) {
    throw notAuthorized(`Client ${client.ClientId} is configured with secret but SECRET_HASH was not received`);
  }
  const names = typeof usernames === "string" ? [usernames] : (usernames ?? []);
  if (!names.some((name) => secretHash(client, name) === hash)) {
    throw notAuthorized(`Unable to verify secret hash for client ${client.ClientId}`);
  }
}
