import type { Host } from "../../../core/service";
import type { Api } from "../state";
import type { Store } from "../store";
import { forbidden, notServed } from "./failures";

/** What an address stands for. */
export interface Place {
  readonly api: Api;
  readonly stageName: string;
  /** As events show it. */
  readonly domainName: string;
  /** The path behind the stage, still percent-encoded, without a slash at either end. */
  readonly rest: string;
}

/**
 * The stage that a path names, by API id or by custom domain name.
 *
 * @throws GatewayFailure 403 where there is none, as AWS answers; 501 for an HTTP API.
 */
export function placeOf({ id, path }: { id: string; path: string }, store: Store, { publicHost }: Host): Place {
  const [first = "", ...behind] = path.split("/").slice(1);
  const rest = (parts: readonly string[]) => parts.join("/").replace(/\/$/, "");
  if (!id.includes(".")) {
    const api = store.findApi(id);
    if (!api || api.definition.api.DisableExecuteApiEndpoint) throw forbidden();
    if (!api.isWebSocket) throw notServed();
    if (!api.stages.has(first)) throw forbidden();
    return { api, stageName: first, domainName: `${id}.execute-api.${publicHost()}`, rest: rest(behind) };
  }
  const found = store.servingDomain(id);
  const mappings = [...(found?.domain.mappings.values() ?? [])];
  const named = first === "" ? undefined : mappings.find(({ ApiMappingKey }) => ApiMappingKey === first);
  const mapping = named ?? mappings.find(({ ApiMappingKey }) => !ApiMappingKey);
  const api = found?.state.apis.get(mapping?.ApiId ?? "");
  if (!mapping || !api?.stages.has(mapping.Stage ?? "")) throw forbidden();
  if (!api.isWebSocket) throw notServed();
  return { api, stageName: mapping.Stage!, domainName: id, rest: rest(named ? behind : [first, ...behind]) };
}
