import type * as ApiGateway from "@aws-sdk/client-api-gateway";
import { type Operations, Scoped } from "../../core/service";
import { type Api, State, type StoredDomain } from "./state";

export type Sdk = typeof ApiGateway;
/** A part of the operation table; `index.ts` puts the parts together. */
export type Part = Operations<Sdk>;

/** All accounts and regions, and what the data plane finds by a public name. */
export class Store {
  private readonly scoped = new Scoped((scope) => new State(scope));

  of(scope: { account: string; region: string }): State {
    return this.scoped.of(scope);
  }

  /** The API behind an execute-api host name, whoever owns it. */
  findApi(id: string): { api: Api; state: State } | undefined {
    for (const state of this.scoped.all()) {
      const api = state.apis.get(id);
      if (api) return { api, state };
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

  clear(): void {
    this.scoped.clear();
  }
}
