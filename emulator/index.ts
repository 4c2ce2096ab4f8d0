export { Clock } from "./core/clock";
export { type Emulator, type EmulatorOptions, startEmulator } from "./core/emulator";
export { AwsError } from "./core/errors";
export type { Interceptor, RequestRecord } from "./core/server";
