import { notEmulated } from "../../core/errors";
import { type DataPlaneRequest, defineService, type Host, Scoped, type Service } from "../../core/service";
import { LambdaRuntime } from "../../lambda/runtime";
import { aliasOperations } from "./aliases";
import { asyncConfigOperations } from "./async-config";
import { AsyncQueue } from "./async-queue";
import { serveCode } from "./code-download";
import { concurrencyOperations } from "./concurrency";
import { eventSourceOperations } from "./event-sources";
import { functionOperations } from "./functions";
import { invokeOperations } from "./invoke";
import { checkPayloadSize, Invoker } from "./invoker";
import type { Parts, Sdk } from "./parts";
import { permissionOperations, policyDocument } from "./permissions";
import { settingOperations } from "./settings";
import { Pollers } from "./sources/pollers";
import { LambdaState } from "./state";
import { tagOperations } from "./tags";
import { versionOperations } from "./versions";

/** AWS Lambda: functions from zip packages for the Node.js runtimes, run on this machine. */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-lambda"),
  client: "LambdaClient",
  create: (host) => new Lambda(host),
});

class Lambda implements Service<Sdk> {
  readonly operations: Service<Sdk>["operations"];
  readonly ports: NonNullable<Service<Sdk>["ports"]>;
  private readonly states = new Scoped((scope) => new LambdaState(scope));
  private readonly runtime: LambdaRuntime;
  private readonly invoker: Invoker;
  private readonly queue: AsyncQueue;
  private readonly pollers: Pollers;

  constructor(host: Host) {
    this.runtime = new LambdaRuntime(host);
    this.invoker = new Invoker(this.states, this.runtime);
    this.queue = new AsyncQueue(host, this.invoker);
    this.pollers = new Pollers(host, this.invoker);
    const { states, runtime, invoker, queue, pollers } = this;
    const parts: Parts = { host, states, runtime, invoker, queue, pollers };
    this.operations = {
      ...functionOperations(parts),
      ...versionOperations(parts),
      ...aliasOperations(parts),
      ...permissionOperations(parts),
      ...tagOperations(parts),
      ...concurrencyOperations(parts),
      ...asyncConfigOperations(parts),
      ...settingOperations(parts),
      ...invokeOperations(parts),
      ...eventSourceOperations(parts),
    };
    this.ports = {
      lambda: {
        async invoke(functionArn, payload, options) {
          checkPayloadSize(Buffer.byteLength(payload), "RequestResponse");
          const target = invoker.find(functionArn);
          const result = await invoker.invoke({ ...target, payload, traceId: options?.traceId });
          return {
            payload: result.payload,
            executedVersion: result.executedVersion,
            ...(result.errorType !== undefined && { functionError: "Unhandled" as const }),
          };
        },
        async invokeAsync(functionArn, payload) {
          checkPayloadSize(Buffer.byteLength(payload), "Event");
          queue.add({ ...invoker.find(functionArn), payload });
        },
        async policy(functionArn) {
          const { fn, qualifier = "" } = invoker.find(functionArn);
          const policy = fn.policies.get(qualifier);
          return policy && policyDocument(policy.statements.values());
        },
      },
    };
  }

  serve(request: DataPlaneRequest): void {
    if (request.id !== "lambda-code") throw notEmulated("lambda", "function URLs", "invoke the function instead");
    serveCode(this.states, request);
  }

  async reset(): Promise<void> {
    this.queue.clear();
    await Promise.all([this.pollers.close(), this.runtime.close()]);
    this.states.clear();
  }
}
