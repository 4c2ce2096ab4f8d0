import { type Authorize, toPrincipal } from "../authorizer";
import { matchesSecret } from "../shared-secret";
import { variable } from "./environment";
import { toMetadata } from "./message";

/** S3 takes 2 KB of metadata in all. */
const MAX_PRINCIPAL = 1_000;

/** Hands the principal's id on to the integration, in the form that an object's metadata takes. */
export const naming =
  (authorize: Authorize): Authorize =>
  async (token, event) => {
    const principal = toPrincipal(await authorize(token, event));
    if (!principal) return undefined;
    const id = toMetadata(principal.id);
    if (id.length > MAX_PRINCIPAL) throw new Error(`the principal's id takes more than ${MAX_PRINCIPAL} characters`);
    return { ...principal, context: { ...principal.context, principal: id } };
  };

/** Lets in who has the shared secret. */
export const secretHolder: Authorize = (token) =>
  matchesSecret(token, variable("POSTBOX_SECRET_HASH")) ? { id: "secret" } : undefined;
