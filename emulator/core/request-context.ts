import type { ServerResponse } from "node:http";
import type { Identity } from "./access/identity";
import type { Address } from "./address";
import type { WireRequest } from "./protocols/wire";
import type { Context } from "./service";

/** The context of one call. Its signal is made only for operations that ask for it: most never wait. */
export class RequestContext implements Context {
  readonly region: string;
  readonly caller: Context["caller"];
  partial?: Context["partial"];
  private controller?: AbortController;

  constructor(
    readonly account: string,
    readonly identity: Identity,
    { region, accessKeyId }: Extract<Address, { kind: "api" }>,
    readonly requestId: string,
    readonly http: WireRequest,
    readonly reply: Context["reply"],
    private readonly response: ServerResponse,
  ) {
    this.region = region;
    this.caller = { accessKeyId, account };
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      this.response.once("close", () => controller.abort());
    }
    return this.controller.signal;
  }
}
