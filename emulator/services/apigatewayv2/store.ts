import type * as ApiGatewayV2 from "@aws-sdk/client-apigatewayv2";
import { type Operations, Scoped } from "../../core/service";
import { type Api, State, type StoredDomain } from "./state";

export type Sdk = typeof ApiGatewayV2;
/** A part of the operation table; `index.ts` puts the parts together. */
export type Part = Operations<Sdk>;

/** All accounts and regions, and what the data plane finds by a public name. */
export class Store {
  private readonly scoped = new Scoped((scope) => new State(scope));

  of(scope: { account: string; region: string }): State {
    return this.scoped.of(scope);
  }

  /** The API behind an execute-api address, whoever owns it. */
  findApi(id: string): Api | undefined {
    for (const state of this.scoped.all()) {
      const api = state.apis.get(id);
      if (api) return api;
    }
    return undefined;
  }

  /** The custom domain of that name; names are unique over all accounts, as in DNS. */
  findDomain(name: string): { domain: StoredDomain; state: State } | undefined {
    for (const state of this.scoped.all()) {
      const domain = state.domains.get(name);
      if (domain) return { domain, state };
    }
    return undefined;
  }

  /** The custom domain that answers for a host: its own name, or else a wildcard such as `*.example.com`. */
  servingDomain(host: string): { domain: StoredDomain; state: State } | undefined {
    const name = host.toLowerCase();
    return this.findDomain(name) ?? this.findDomain(name.replace(/^[^.]+/, "*"));
  }

  clear(): void {
    this.scoped.clear();
  }
}
