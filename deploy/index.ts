export { deploy, openStack } from "./deploy";
export { DeployError, type Failure } from "./errors";
export { type ProgressOptions, progress } from "./progress";
export type {
  Action,
  ConfigValue,
  ConfigValues,
  Credentials,
  DeployEvent,
  DeployedResource,
  Deployment,
  DeployOptions,
  Summary,
  UpdateOptions,
} from "./types";
export type { OutputValue } from "./values";
export { WarmProgram } from "./warm-program";
