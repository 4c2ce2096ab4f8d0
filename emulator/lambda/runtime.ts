import { randomBytes } from "node:crypto";
import { sessionOf } from "../core/access/authorizer";
import { LogPermission } from "../core/access/log-permission";
import { formatArn } from "../core/arn";
import type { SessionCredentials } from "../core/bus";
import { AwsError } from "../core/errors";
import type { Host } from "../core/service";
import { actingFor } from "./acting";
import type { InvokeRequest, Outcome } from "./environment";
import type { FunctionVersion } from "./function-version";
import { Load } from "./load";
import { systemLog } from "./log-lines";
import { LogWriter } from "./log-writer";
import { PackageStore } from "./package";
import { Pool, type PreparedSpec } from "./pool";

/**
 * Runs functions: keeps a pool of execution environments for each version, gives them their credentials and takes
 * their logs.
 */
export class LambdaRuntime {
  private readonly pools = new Map<FunctionVersion, Pool>();
  private readonly packages = new PackageStore();
  private readonly load = new Load();
  private readonly logs: LogWriter;

  constructor(private readonly host: Host) {
    this.logs = new LogWriter(host);
  }

  /** Runs one event. Never throws for what the function does. */
  invoke(fn: FunctionVersion, request: InvokeRequest): Promise<Outcome> {
    let pool = this.pools.get(fn);
    if (!pool) {
      pool = this.open(fn);
      this.pools.set(fn, pool);
    }
    return pool.run(request);
  }

  /** A version that will not be invoked again: its environments stop when they have finished. */
  retire(fn: FunctionVersion): void {
    this.pools.get(fn)?.retire();
  }

  /** Stops all environments and removes what was unpacked. */
  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
    this.logs.clear();
    await this.packages.clear();
  }

  private open(fn: FunctionVersion): Pool {
    let folder: Promise<string> | undefined;
    const prepare = async (): Promise<PreparedSpec> => {
      folder ??= this.packages.unpack(fn.zip).catch((error) => {
        folder = undefined;
        throw error;
      });
      const [taskRoot, credentials] = await Promise.all([folder, this.credentials(fn)]);
      return {
        spec: this.spec(fn, taskRoot, credentials),
        expires: credentials?.expiration ?? Number.POSITIVE_INFINITY,
      };
    };
    return new Pool(this.host.clock, this.load, prepare, () => {
      this.pools.delete(fn);
      folder
        ?.then((path) => this.packages.remove(path))
        .catch((error) => this.host.report(error, "removing a package"));
    });
  }

  /**
   * The session of the function's role. A role that is there no more, or trusts Lambda no more, may do nothing; where IAM
   * decides about nothing, a role that was never made is none at all.
   */
  private async credentials(fn: FunctionVersion): Promise<SessionCredentials | undefined> {
    const acting = actingFor(arnOf(fn), fn.role);
    const sts = await this.host.bus.to("sts");
    try {
      return await sts.roleCredentials(acting, credentialsLife);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const nothing = { version: "2012-10-17", statements: [] } as const;
      return this.host.bus.access.enforced
        ? sts.credentialsFor({ ...sessionOf(acting), sessionPolicies: [nothing] })
        : undefined;
    }
  }

  private spec(fn: FunctionVersion, taskRoot: string, credentials: SessionCredentials | undefined) {
    const { clock, bus } = this.host;
    const { account, region, version, logging } = fn;
    const stream = `${day(clock.now())}/[${version}]${randomBytes(16).toString("hex")}`;
    const scope = { account, region };
    const permission = new LogPermission(bus, actingFor(arnOf(fn), fn.role), scope, logging.group, stream);
    return {
      taskRoot,
      handler: fn.handler,
      runtime: fn.runtime,
      logFormat: logging.format,
      logLevel: logging.applicationLevel,
      memorySize: fn.memorySize,
      timeout: fn.timeout * 1000,
      variables: variables(fn, taskRoot, stream, this.host.endpoint(), credentials),
      systemLog: systemLog({ ...fn, format: logging.format, systemLevel: logging.systemLevel }),
      now: () => clock.now(),
      log: (events: Parameters<LogWriter["write"]>[3]) => {
        if (permission.granted) this.logs.write(scope, logging.group, stream, events);
      },
    };
  }
}

const arnOf = ({ account, region, name }: FunctionVersion) => formatArn("lambda", region, account, `function:${name}`);
/**
 * Seconds that the credentials of an environment are good for. AWS ends environments before their credentials end, and
 * does not say when; here it is so long that regular events find the same environment for weeks.
 */
const credentialsLife = 30 * 86_400;

const day = (time: number) => new Date(time).toISOString().slice(0, 10).replaceAll("-", "/");

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function variables(
  fn: FunctionVersion,
  taskRoot: string,
  stream: string,
  endpoint: string,
  credentials: SessionCredentials | undefined,
): Record<string, string> {
  return {
    // Not on AWS: where the emulator is. The function's own settings may say otherwise.
    AWS_ENDPOINT_URL: endpoint,
    TZ: ":UTC",
    LANG: "en_US.UTF-8",
    PATH: "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    ...fn.variables,
    AWS_REGION: fn.region,
    AWS_DEFAULT_REGION: fn.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${fn.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: fn.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: fn.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: stream,
    AWS_LAMBDA_LOG_FORMAT: fn.logging.format,
    ...(fn.logging.format === "JSON" && { AWS_LAMBDA_LOG_LEVEL: fn.logging.applicationLevel }),
    _HANDLER: fn.handler,
    LAMBDA_TASK_ROOT: taskRoot,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    // Without a role, calls are signed with the account's key that needs no set-up (core/gateway/signer.ts).
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? fn.account,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? "test",
    ...(credentials && { AWS_SESSION_TOKEN: credentials.sessionToken }),
  };
}
