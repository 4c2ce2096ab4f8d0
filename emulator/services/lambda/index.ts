import { notEmulated } from "../../core/errors";
import type { Counts } from "../../core/inspection";
import { type DataPlaneRequest, defineService, type Host, Scoped, type Service } from "../../core/service";
import type { PortCaller } from "../../core/service-caller";
import { LambdaRuntime } from "../../lambda/runtime";
import { access } from "./access";
import { aliasOperations } from "./aliases";
import { asyncConfigOperations } from "./async-config";
import { AsyncQueue } from "./async-queue";
import { serveCode } from "./code-download";
import { concurrencyOperations } from "./concurrency";
import { accessDenied } from "./errors";
import { eventSourceOperations } from "./event-sources";
import { functionOperations } from "./functions";
import { invokeOperations } from "./invoke";
import { checkPayloadSize, Invoker } from "./invoker";
import { parseFunctionArn } from "./names";
import type { Parts, Sdk } from "./parts";
import { permissionOperations, policyOf } from "./permissions";
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
  readonly access: Service<Sdk>["access"];
  readonly ports: NonNullable<Service<Sdk>["ports"]>;
  private readonly states = new Scoped((scope) => new LambdaState(scope));
  private readonly runtime: LambdaRuntime;
  private readonly invoker: Invoker;
  private readonly queue: AsyncQueue;
  private readonly pollers: Pollers;

  constructor(host: Host) {
    this.runtime = new LambdaRuntime(host);
    this.invoker = new Invoker(this.states, this.runtime, host);
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
    this.access = access(parts);
    const invocable = (functionArn: string, by: PortCaller | undefined) => {
      const target = invoker.find(functionArn);
      const asked = { action: "lambda:InvokeFunction", resource: functionArn, policy: policyOf(target) };
      host.bus.access.demand(by, asked, accessDenied);
      return target;
    };
    this.ports = {
      lambda: {
        async invoke(functionArn, payload, { traceId, by, inBackground } = {}) {
          checkPayloadSize(Buffer.byteLength(payload), "RequestResponse");
          const invocation = { ...invocable(functionArn, by), payload, traceId };
          const result = await (inBackground ? invoker.invokeInBackground(invocation) : invoker.invoke(invocation));
          return {
            payload: result.payload,
            executedVersion: result.executedVersion,
            ...(result.errorType !== undefined && { functionError: "Unhandled" as const }),
          };
        },
        async invokeAsync(functionArn, payload, by) {
          checkPayloadSize(Buffer.byteLength(payload), "Event");
          queue.add({ ...invocable(functionArn, by), payload });
        },
        async policy(functionArn) {
          return policyOf(invoker.find(functionArn));
        },
      },
    };
  }

  counts(arn: string): Counts | undefined {
    const reference = arn.startsWith("arn:") ? parseFunctionArn(arn) : undefined;
    const fn = reference && this.states.of(reference).functions.get(reference.name);
    return fn && { running: fn.inFlight };
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
