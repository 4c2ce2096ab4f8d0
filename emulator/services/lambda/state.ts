import type {
  AliasConfiguration,
  FunctionConfiguration,
  FunctionUrlConfig,
  PutRuntimeManagementConfigResponse,
  RecursiveLoop,
} from "@aws-sdk/client-lambda";
import { formatArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import type { FunctionVersion } from "../../lambda/function-version";
import type { AsyncConfig } from "./async-config";
import type { FunctionPolicy } from "./permissions";
import type { Mapping } from "./sources/mapping";

/** One version of a function: what the API shows, and what runs. Replaced as a whole by an update. */
export interface VersionRecord {
  readonly config: FunctionConfiguration;
  readonly runnable: FunctionVersion;
}

/** A function with everything that hangs on it. Maps by qualifier use "$LATEST" or "" as their users say. */
export interface FunctionRecord {
  readonly name: string;
  /** Without qualifier. */
  readonly arn: string;
  latest: VersionRecord;
  readonly versions: Map<string, VersionRecord>;
  nextVersion: number;
  readonly aliases: Map<string, AliasConfiguration>;
  /** By qualifier; "" for the unqualified ARN. */
  readonly policies: Map<string, FunctionPolicy>;
  tags: Record<string, string>;
  reservedConcurrency?: number;
  readonly provisioned: Map<string, { requested: number; lastModified: string }>;
  /** By qualifier, "$LATEST" for the unqualified ARN. */
  readonly asyncConfigs: Map<string, AsyncConfig>;
  /** By alias; "" for the unqualified ARN. */
  readonly urls: Map<string, FunctionUrlConfig>;
  readonly runtimeManagement: Map<string, PutRuntimeManagementConfigResponse>;
  recursiveLoop: RecursiveLoop;
  /** Invocations that run or wait for an environment. */
  inFlight: number;
}

/** The Lambda of one account in one region. */
export class LambdaState {
  readonly functions = new Map<string, FunctionRecord>();
  /** Event source mappings by UUID. */
  readonly mappings = new Map<string, Mapping>();
  inFlight = 0;

  constructor(readonly scope: Scope) {}

  arn(resource: string): string {
    return formatArn("lambda", this.scope.region, this.scope.account, resource);
  }
}

export const lambdaTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "+0000");
