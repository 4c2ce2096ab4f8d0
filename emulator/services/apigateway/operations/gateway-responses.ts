import type { GatewayResponse } from "@aws-sdk/client-api-gateway";
import { badRequest, checkEnum, notFoundMessage } from "../errors";
import { defaultGatewayResponse, gatewayResponseTypes } from "../execute/failures";
import { type PatchRule, patched } from "../patch";
import type { Part, Store } from "../store";
import { checkStatus } from "./methods";

const rules: PatchRule<GatewayResponse>[] = [
  {
    path: "/statusCode",
    apply: (response, { value }) => {
      response.statusCode = value || undefined;
    },
  },
  ...(["responseParameters", "responseTemplates"] as const).map(
    (member): PatchRule<GatewayResponse> => ({
      path: `/${member}/{}`,
      ops: ["add", "replace", "remove"],
      apply: (response, { op, names, value }) => {
        const name = names[0]!;
        const map = { ...response[member] };
        if (op === "remove") delete map[name];
        else {
          if (op === "replace" && !(name in map)) throw notFoundMessage("Invalid parameter name specified");
          if (!value) throw badRequest(`Invalid null or empty value in ${member}`);
          map[name] = value;
        }
        response[member] = map;
      },
    }),
  ),
];

/** GatewayResponse: what the gateway itself answers when a request does not reach the integration. */
export function gatewayResponses(store: Store): Part {
  return {
    PutGatewayResponse({ restApiId, responseType, statusCode, responseParameters, responseTemplates }, context) {
      checkEnum(responseType, "responseType", gatewayResponseTypes);
      const { definition } = store.of(context).api(restApiId);
      if (statusCode) checkStatus(statusCode);
      const base = defaultGatewayResponse(responseType!);
      const response: GatewayResponse = {
        responseType,
        statusCode: statusCode ?? base.statusCode,
        responseParameters: responseParameters ?? {},
        responseTemplates: responseTemplates ?? base.responseTemplates,
        defaultResponse: false,
      };
      definition.gatewayResponses[responseType!] = response;
      return response;
    },
    GetGatewayResponse({ restApiId, responseType }, context) {
      checkEnum(responseType, "responseType", gatewayResponseTypes);
      const { gatewayResponses: set } = store.of(context).api(restApiId).definition;
      return set[responseType!] ?? defaultGatewayResponse(responseType!);
    },
    GetGatewayResponses({ restApiId }, context) {
      const { gatewayResponses: set } = store.of(context).api(restApiId).definition;
      // Not paged: AWS gives all of them (API reference: gatewayresponses).
      return { items: [...gatewayResponseTypes].sort().map((type) => set[type] ?? defaultGatewayResponse(type)) };
    },
    UpdateGatewayResponse({ restApiId, responseType, patchOperations }, context) {
      checkEnum(responseType, "responseType", gatewayResponseTypes);
      const { gatewayResponses: set } = store.of(context).api(restApiId).definition;
      const current = set[responseType!] ?? defaultGatewayResponse(responseType!);
      const updated = patched(current, patchOperations, rules, { input: "updateGatewayResponseInput" });
      if (updated.statusCode) checkStatus(updated.statusCode);
      set[responseType!] = { ...updated, defaultResponse: false };
      return set[responseType!]!;
    },
    DeleteGatewayResponse({ restApiId, responseType }, context) {
      checkEnum(responseType, "responseType", gatewayResponseTypes);
      const { gatewayResponses: set } = store.of(context).api(restApiId).definition;
      if (!set[responseType!]) throw notFoundMessage("Gateway response type not defined on api");
      delete set[responseType!];
      return {};
    },
  };
}
